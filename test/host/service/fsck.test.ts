/** Nothing is found in what a verifier wrote, and whatever is planted there behind its back is found. */
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkpointBody } from "../../../host/log/checkpoint.ts";
import { decodeCosignature, signCosignature } from "../../../host/log/cosignature.ts";
import { type HeadLink, offerHead } from "../../../host/log/heads.ts";
import { NoteType, noteKey } from "../../../host/log/note.ts";
import { verificationKey } from "../../../host/protocol/cose.ts";
import { contentChecks } from "../../../host/service/checks/content.ts";
import { newestHead, writeCosignature } from "../../../host/service/log/heads.ts";
import { SqlHeads } from "../../../host/service/log/sql-heads.ts";
import { TABLE_NAMES, TABLES, type TableName } from "../../../host/store/columns.ts";
import { StoreError } from "../../../host/store/errors.ts";
import { fsck } from "../../../host/store/fsck.ts";
import type { Snapshot } from "../../../host/store/snapshot.ts";
import type { StorePlace } from "../../../host/store/store.ts";
import { STRUCTURAL_CHECKS } from "../../../host/store/structure.ts";
import { Random } from "../../../sim-board/random.ts";
import { MANUFACTURER, signerOf } from "../fake-governor.ts";
import { logPair } from "../log/keys.ts";
import { engines } from "../store/engines.ts";
import { TestLog } from "../witness/rig.ts";
import { HISTORY_AGREEMENT, HISTORY_POLICY, History } from "./history.ts";
import { COLUMNS, change, FLIPS, PLANTS } from "./plants.ts";
import { ServiceWorld } from "./world.ts";

const CHECKS = [...STRUCTURAL_CHECKS, ...contentChecks([verificationKey(MANUFACTURER.publicKey)])];
const STEPS = 30;
const FLIPS_EACH = 12;
const seed = process.env.QUIESCE_SEED!;

async function played(place: StorePlace, random: Random): Promise<ServiceWorld> {
  const nonces = random.stream("nonces");
  const world = await ServiceWorld.open(place, {
    agreement: HISTORY_AGREEMENT,
    policy: HISTORY_POLICY,
    random: (bytes) => nonces.bytes(bytes),
  });
  await new History(world, random.stream("history")).play(STEPS);
  await cosign(world);
  await gossip(world);
  return world;
}

/** Heads of a log, and a fork of it that is found by a path. */
async function gossip({ store, nowMs }: ServiceWorld): Promise<void> {
  const log = new TestLog(logPair("log.example/shown")).grow(12);
  const fork = log.fork(3).grow(9, "fork");
  await store.write(async (tx) => {
    const shelf = new SqlHeads(tx, nowMs);
    const offer = async (note: string, link?: HeadLink) => offerHead(shelf, [log.pair.key], note, link);
    await offer(await log.note(7));
    await offer(await fork.note(11));
    await offer(await fork.note(12), { oldSize: 7, proof: fork.proof(7, 12) });
  });
}

/** By a witness, on the newest head. */
async function cosign({ store, nowMs }: ServiceWorld): Promise<void> {
  const signer = signerOf("witness");
  const key = noteKey("witness.example", NoteType.COSIGNATURE, signer.publicKey);
  const head = (await newestHead(store.db))!;
  const line = await signCosignature(checkpointBody(head), key, signer, Math.floor(nowMs / 1000));
  const { seconds, signature } = decodeCosignature(line.signature);
  const cosignature = { size: head.size, witness: signer.publicKey, name: key.name, seconds, signature };
  await store.write((tx) => writeCosignature(tx, cosignature));
}

class Undone extends Error {}

/** Whether the check of this name finds something in a transaction, which is then undone. */
async function isFound({ store }: ServiceWorld, check: string, plant: (tx: Snapshot["db"]) => Promise<void>) {
  let isFinding = false;
  const work = store.write(async (tx) => {
    const { engine } = store;
    await sql
      .raw(engine === "sqlite" ? "pragma defer_foreign_keys = on" : "set local session_replication_role = replica")
      .execute(tx);
    await plant(tx);
    try {
      const { run } = CHECKS.find(({ name }) => name === check)!;
      for await (const _ of run({ engine, db: tx })) isFinding = true;
    } catch (error) {
      // It cannot go on: a finding too.
      if (!(error instanceof StoreError)) throw error;
      isFinding = true;
    }
    throw new Undone();
  });
  await expect(work).rejects.toBeInstanceOf(Undone);
  return isFinding;
}

describe.each(engines)("a check of a verifier's store on $engine", ({ place }) => {
  let world: ServiceWorld;
  beforeAll(async () => {
    world = await played(place(), new Random(seed));
  });
  afterAll(() => world.close());

  it("finds nothing after a random history, in which there was some of everything", async () => {
    const found = [];
    for await (const finding of fsck(world.store, CHECKS)) found.push(finding);
    expect(found).toEqual([]);
    const empty: TableName[] = [];
    for (const table of TABLE_NAMES) {
      const rows = await world.store.db.selectFrom(table).selectAll().limit(1).execute();
      if (rows.length === 0) empty.push(table);
    }
    expect(empty).toEqual(["seen_signatures"]);
  });

  it.for(PLANTS)("finds %s", async ([, check, ...statements]) => {
    const isFinding = await isFound(world, check, async (tx) => {
      for (const statement of statements) expect((await statement.execute(tx)).numAffectedRows).toBeGreaterThan(0n);
    });
    expect(isFinding).toBe(true);
  });

  describe.each(TABLE_NAMES)("of %s", (table) => {
    const changes = Object.entries(COLUMNS[table]).flatMap(([column, one]) =>
      "free" in one ? [] : [[column, one] as const],
    );

    it("knows of each column whether it can be checked", () => {
      expect(Object.keys(COLUMNS[table]).sort()).toEqual(Object.keys(TABLES[table].columns).sort());
    });

    it.for(changes)("finds another %s", async ([, [check, values, where]]) => {
      const isFinding = await isFound(world, check, async (tx) => {
        const { numAffectedRows } = await change(table, values, where).execute(tx);
        expect(numAffectedRows).toBeGreaterThan(0n);
      });
      expect(isFinding).toBe(true);
    });

    it.for(Object.entries(FLIPS[table] ?? {}))("finds a flipped bit of %s, wherever it is", async ([column, check]) => {
      const random = new Random(seed).stream(`${table}.${column}`);
      const key = sql.ref(TABLES[table].key[0]);
      const rows = await sql<{ key: unknown; value: Uint8Array }>`select ${key} as key, ${sql.ref(column)} as value
        from ${sql.table(table)} where length(${sql.ref(column)}) > 0`.execute(world.store.db);
      const missed: unknown[] = [];
      for (let flip = 0; flip < FLIPS_EACH; flip += 1) {
        const row = rows.rows[random.below(rows.rows.length)]!;
        const bits = row.value.length * 8;
        const bit = [0, bits - 1][flip] ?? random.below(bits);
        const flipped = Uint8Array.from(row.value);
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        const isFinding = await isFound(world, check, async (tx) => {
          const update = sql`update ${sql.table(table)} set ${sql.ref(column)} = ${flipped} where ${key} = ${row.key}`;
          await update.execute(tx);
        });
        if (!isFinding) missed.push({ key: row.key, bit });
      }
      expect(missed).toEqual([]);
    });
  });
});
