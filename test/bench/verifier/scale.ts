/**
 * `npm run bench -- verifier-scale`: licenses a second from a store of many devices, against the same from one of a
 * thousand. The devices that fill it are copies of one under other UEIDs; the ones that ask are real, and spread among them.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { sha256 } from "../../../host/protocol/sha256.ts";
import { BF16, type FakeGovernor } from "../../host/fake-governor.ts";
import { REQUEST, ServiceWorld, whole } from "../../host/service/world.ts";
import { type Bench, median, type Result } from "../frame.ts";

/** The largest first of all takes the longest to fill: ten million take some minutes and 10 GB. */
const SIZES = (process.env.QUIESCE_BENCH_DEVICES ?? "1000,100000,1000000").split(",").map(Number);
/** Where figures mean nothing. */
const SIZES_FEW = [50, 100];
const ASKING = 500;
const ASKING_FEW = 10;
const ROWS_PER_STATEMENT = 10_000;

export const verifierScale: Bench = {
  about: "licenses a second from a store of a million devices, against one of a thousand",
  async run(progress, { rounds, batchMs }) {
    const [sizes, asking] = batchMs > 0 ? [SIZES, ASKING] : [SIZES_FEW, ASKING_FEW];
    const rates: number[] = [];
    for (const size of sizes) {
      progress(`${size} devices: the store is filled`);
      rates.push(await rateAt({ size, asking, rounds }, () => progress(`${size} devices: licenses`)));
    }
    return sizes.slice(1).map((size, i): Result => {
      const [ours, theirs] = [rates[i + 1]!, rates[0]!];
      const against = `${sizes[0]!.toLocaleString("en-US")} devices`;
      return {
        name: `licenses, ${size.toLocaleString("en-US")} devices`,
        unit: "1/s",
        ours,
        against,
        theirs,
        ratio: ours / theirs,
      };
    });
  },
};

type Scale = { readonly size: number; readonly asking: number; readonly rounds: number };

async function rateAt({ size, asking: count, rounds }: Scale, onFilled: () => void): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "quiesce-bench-"));
  const world = await ServiceWorld.open({ folder });
  try {
    const asking: FakeGovernor[] = [];
    for (let part = 0; part < count; part++) {
      asking.push(await world.enrolled(`asking ${part}`));
      await fill(world, Math.floor((size * part) / count), Math.floor((size * (part + 1)) / count) - 1, size);
    }
    onFilled();
    const rates: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const evidence = await Promise.all(asking.map((device) => world.evidence(device)));
      const begun = performance.now();
      const answers = await Promise.all(
        evidence.map((one) => world.service.license({ evidence: one, terms: REQUEST })),
      );
      // The first warms up.
      if (round > 0) rates.push((count / (performance.now() - begun)) * 1000);
      for (const [i, device] of asking.entries()) {
        device.install(whole(answers[i]!));
        device.work(BF16, 10n);
      }
      await world.service.reports(asking.map((device) => device.report()));
    }
    return median(rates);
  } finally {
    await world.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Copies of the first device from one number to another, each with a UEID of its own. */
async function fill(world: ServiceWorld, from: number, to: number, size: number): Promise<void> {
  for (let at = from; at < to; at += ROWS_PER_STATEMENT) {
    const length = Math.min(ROWS_PER_STATEMENT, to - at);
    const ueids = Array.from({ length }, (_, i) => sql`(${ueidAt(at + i, size)})`);
    await world.store.write(async (tx) => {
      await sql`
        with copy (ueid) as (values ${sql.join(ueids)})
        insert into devices (ueid, owner, site, model, profile, status, enrolled_ms, seen_ms, epoch, license_sequence,
          report_sequence, licensed_until_seconds, state)
        select copy.ueid, owner, site, model, profile, status, enrolled_ms, seen_ms, epoch, license_sequence,
          report_sequence, licensed_until_seconds, state
        from copy, (select * from devices where id = 1) as first
      `.execute(tx);
    });
  }
}

/** Evenly spread over all there can be, and rising: at random places of the index each row would cost a page of the disk. */
function ueidAt(number: number, size: number): Uint8Array {
  const ueid = new Uint8Array(33);
  ueid.set(sha256(Buffer.from(`copy ${number}`)), 1);
  ueid[0] = 1;
  new DataView(ueid.buffer).setBigUint64(1, (BigInt(number) << 64n) / BigInt(size));
  return ueid;
}
