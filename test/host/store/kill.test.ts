/** A process is killed at any time: what it said was durable is there, and nothing is half there. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { fsck } from "../../../host/store/fsck.ts";
import { openStore, type Store, type StorePlace } from "../../../host/store/store.ts";
import { STRUCTURAL_CHECKS } from "../../../host/store/structure.ts";
import { embedded, engines, withStore } from "./engines.ts";

/** `QUIESCE_STORE_KILLS` is for long campaigns. PostgreSQL is another process, which lives on: fewer times will do. */
const KILLS = { sqlite: 10, postgres: 4 };
const killsOf = (engine: Store["engine"]) => Number(process.env.QUIESCE_STORE_KILLS ?? KILLS[engine]);
/** Campaigns at one time, each on a store of its own: most of a round is the start of a process. */
const CAMPAIGNS = 2;
const MOST_MS = 60;

interface Committing {
  readonly process: ChildProcess;
  /** What it said was durable. */
  readonly said: () => string[];
  /** Resolves when it has committed something. */
  readonly committed: Promise<void>;
}

function start(place: StorePlace, name: string, stderr: "inherit" | "ignore" = "inherit"): Committing {
  const script = fileURLToPath(new URL("committing.ts", import.meta.url));
  // A package of hundreds of files is loaded before tsx stands in between, which takes its time with each.
  const child = spawn(
    process.execPath,
    ["--import", "kysely", "--import", "tsx", script, JSON.stringify(place), name],
    {
      stdio: ["ignore", "pipe", stderr],
    },
  );
  let text = "";
  const committed = new Promise<void>((resolve, reject) => {
    child.stdout!.on("data", (chunk: Buffer) => {
      text += chunk;
      if (text.includes("/")) resolve();
    });
    child.on("exit", () => reject(new Error(`it ended by itself: ${text}`)));
  });
  return {
    process: child,
    committed,
    said: () =>
      text
        .split("\n")
        .slice(0, -1)
        .filter((line) => line.includes("/")),
  };
}

async function kill({ process: child }: Committing): Promise<void> {
  const ended = once(child, "close");
  child.kill("SIGKILL");
  await ended;
}

/** What one store tells after its process was killed. */
async function examine(store: Store, acknowledged: readonly string[]): Promise<void> {
  const rows = await store.db.selectFrom("audit").select("subject").execute();
  const subjects = new Set(rows.map(({ subject }) => subject));
  expect(subjects.size).toBe(rows.length);
  expect(acknowledged.filter((subject) => !subjects.has(subject))).toEqual([]);
  const counts = await sql<{ devices: number; licenses: number; version: number; whole: number }>`select
    (select count(*) from devices) as devices, (select count(*) from licenses) as licenses,
    (select version from state) as version,
    (select count(*) from devices d join audit a on a.subject = d.owner) as whole`.execute(store.db);
  const count = rows.length;
  expect(counts.rows[0]).toEqual({ devices: count, licenses: 2 * count, version: count, whole: count });
  for await (const finding of fsck(store, STRUCTURAL_CHECKS)) expect.fail(JSON.stringify(finding));
}

async function campaign(place: StorePlace, kills: number): Promise<number> {
  const acknowledged: string[] = [];
  for (let round = 0; round < kills; round += 1) {
    const child = start(place, `${round}`);
    await child.committed;
    // Not a wait for something: the time at which it is struck.
    await new Promise((resolve) => setTimeout(resolve, randomInt(MOST_MS)));
    await kill(child);
    acknowledged.push(...child.said());
    // Nothing of the dead process keeps the store, or holds it up.
    if (round % 5 === 4 || round === kills - 1) await withStore(place, (store) => examine(store, acknowledged));
  }
  return acknowledged.length;
}

describe.each(engines)("a process that is killed while it commits on $engine", ({ engine, place }) => {
  const times = killsOf(engine);
  it(
    `loses nothing that it said was durable, and leaves nothing half there: ${times} times`,
    async () => {
      const kills = Math.ceil(times / CAMPAIGNS);
      const counts = await Promise.all(Array.from({ length: CAMPAIGNS }, () => campaign(place(), kills)));
      for (const count of counts) expect(count).toBeGreaterThanOrEqual(kills);
    },
    times * 20_000,
  );
});

describe("the folder of the embedded store", () => {
  it("has one process at a time, and is free as soon as that one is gone", async () => {
    const place = embedded.place();
    const child = start(place, "first");
    await child.committed;
    await expect(openStore(place)).rejects.toMatchObject({ code: "store/locked", class: "operator" });
    await kill(child);
    await withStore(place, async () => {
      const second = start(place, "second", "ignore");
      await expect(second.committed).rejects.toThrow("it ended by itself");
    });
    const third = start(place, "third");
    await third.committed;
    await kill(third);
  });

  it("is refused to a second store of the same process too, until the first is closed", async () => {
    const place = embedded.place();
    await withStore(place, () => expect(openStore(place)).rejects.toMatchObject({ code: "store/locked" }));
    await withStore(place, async () => {});
  });
});
