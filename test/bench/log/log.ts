/**
 * `npm run bench -- log`: entries integrated a second, durable; and how long a governor's proof is in logs of 2^10, 2^20 and
 * 2^30 entries, beside the hashes and signatures that it cannot do without, and what it costs the governor to verify it,
 * beside the same license where there is no log.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { Limit } from "../../../firmware/protocol/limits.ts";
import { HASH_BYTES } from "../../../host/log/merkle.ts";
import { encodeLogProof } from "../../../host/objects/log-proof.ts";
import { openStore, type StorePlace } from "../../../host/store/store.ts";
import { BenchLog } from "../../log.ts";
import { type Bench, type Effort, median, type Result, runBench } from "../frame.ts";
import { BATCH, GrowingLog, licensesOf, PlainRows } from "./append.ts";
import { governorCases } from "./governor.ts";

const DATABASE_URL = process.env.QUIESCE_TEST_DATABASE_URL;
/** Batches of a round. */
const BATCHES = 8;
const EXPONENTS = [10, 20, 30];
/** A governor that was shown the log a while ago. */
const BEHIND = 777;
const NOW_SECONDS = 1_800_000_000;

export const log: Bench = {
  about:
    "entries integrated into the log a second, durable; length of a governor's proof and time to verify it, by size",
  async run(progress, effort) {
    progress("SQLite");
    const embedded = await appended(
      "SQLite",
      () => ({ folder: mkdtempSync(join(tmpdir(), "quiesce-bench-")) }),
      effort,
    );
    if (DATABASE_URL !== undefined) progress("PostgreSQL");
    const shared = DATABASE_URL === undefined ? [] : await appended("PostgreSQL", () => schemaOf(DATABASE_URL), effort);
    progress("proofs");
    const lengths = proofLengths();
    const cases = () => governorCases(EXPONENTS);
    const { results } = await runBench("log", { about: "", cases }, effort, progress);
    return [...embedded, ...shared, ...lengths, ...results];
  },
};

function schemaOf(databaseUrl: string): StorePlace {
  return { databaseUrl, schema: `bench_${randomBytes(6).toString("hex")}` };
}

/** In turns, each on a store of its own. */
async function appended(name: string, place: () => StorePlace, { rounds, batchMs }: Effort): Promise<Result[]> {
  const places = [place(), place()];
  const stores = await Promise.all(places.map((one) => openStore(one)));
  const [log, plain] = [new GrowingLog(stores[0]!), new PlainRows(stores[1]!)];
  const count = batchMs === 0 ? BATCH : BATCH * BATCHES;
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    const messages = licensesOf(count);
    const acts = [
      async () => ours.push(await log.measure(messages)),
      async () => theirs.push(await plain.measure(messages)),
    ];
    for (const act of round % 2 === 0 ? acts : acts.reverse()) await act();
  }
  for (const [i, store] of stores.entries()) {
    const one = places[i]!;
    if ("databaseUrl" in one) await store.write((tx) => sql`drop schema ${sql.id(one.schema!)} cascade`.execute(tx));
    await store.close();
    if ("folder" in one) rmSync(one.folder, { recursive: true });
  }
  const against = "the same rows alone, durable";
  return [result(`${name}: entries, ${BATCH} a batch, published`, "1/s", median(ours), against, median(theirs))];
}

/** By two of three witnesses, from a head that the governor holds, which ends within many subtrees. */
function proofLengths(): Result[] {
  const [license] = licensesOf(1);
  return EXPONENTS.map((exponent) => {
    const log = new BenchLog(2 ** exponent - 1);
    const index = log.append(license!.type, license!.bytes);
    const proof = log.proofOf(index, { at: NOW_SECONDS, from: log.size - BEHIND });
    const hashes = proof.path.length + proof.consistency.length + 1;
    const leastBytes = hashes * HASH_BYTES + (2 + proof.cosignatures.length) * Limit.SIGNATURE_BYTES;
    const what = `proof in a log of 2^${exponent} entries`;
    return result(what, "B", encodeLogProof(proof).length, "its hashes and signatures alone", leastBytes);
  });
}

function result(name: string, unit: Result["unit"], ours: number, against: string, theirs: number): Result {
  return { name, unit, ours, against, theirs, ratio: ours / theirs };
}
