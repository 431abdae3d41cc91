/** Stores for campaigns: made for one, and gone afterwards. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import type { StorePlace } from "../../host/store/store.ts";

export interface CampaignPlace {
  readonly place: StorePlace;
  /** Ends some of the verifier's connections; only where there are any. Gives how many. */
  readonly cut?: () => Promise<number>;
  /** Fills the disk; only where it has an end of its own. Gives what makes room again. */
  readonly fill?: () => () => void;
  remove(): Promise<void>;
}

const DISK = "size=48m";
const BALLAST = new Uint8Array(65_536);
const BALLAST_LEAST_BYTES = 512;
const CONNECTIONS_CUT_MAX = 4;

export function folderPlace(): CampaignPlace {
  const folder = mkdtempSync(join(tmpdir(), "quiesce-campaign-"));
  return { place: { folder }, remove: async () => rmSync(folder, { recursive: true, force: true }) };
}

/** A small disk, which takes the right to mount one: undefined without it. */
export function diskPlace(): CampaignPlace | undefined {
  const disk = mkdtempSync(join(tmpdir(), "quiesce-campaign-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", DISK, "tmpfs", disk], { stdio: "ignore" });
  } catch {
    rmSync(disk, { recursive: true, force: true });
    return undefined;
  }
  const [folder, ballast] = [join(disk, "store"), join(disk, "ballast")];
  mkdirSync(folder);
  return {
    place: { folder },
    fill: () => {
      fillUp(ballast);
      return () => rmSync(ballast);
    },
    remove: async () => {
      execFileSync("umount", ["-l", disk], { stdio: "ignore" });
      rmSync(disk, { recursive: true, force: true });
    },
  };
}

export function postgresPlace(databaseUrl: string): CampaignPlace {
  const schema = `campaign_${randomBytes(6).toString("hex")}`;
  const query = async (text: string, values?: unknown[]) => {
    const client = new Client({ connectionString: databaseUrl });
    await client.connect();
    try {
      return (await client.query(text, values)).rowCount ?? 0;
    } finally {
      await client.end();
    }
  };
  return {
    place: { databaseUrl, schema, writersMax: 6, readersMax: 2, applicationName: schema },
    cut: () =>
      query(
        `select pg_terminate_backend(pid) from (select pid from pg_stat_activity
          where application_name = $1 order by random() limit $2) victims`,
        [schema, CONNECTIONS_CUT_MAX],
      ),
    remove: async () => {
      await query(`drop schema if exists ${schema} cascade`);
    },
  };
}

/** To the last byte: pieces become smaller as they fit no more. */
function fillUp(path: string): void {
  const file = openSync(path, "w");
  try {
    for (let bytes = BALLAST.length; bytes >= BALLAST_LEAST_BYTES; ) {
      try {
        writeSync(file, BALLAST, 0, bytes);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
        bytes /= 2;
      }
    }
  } finally {
    closeSync(file);
  }
}
