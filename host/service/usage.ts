/**
 * Running sums of licensed and reported work per owner, site and model. Each batch adds what it changed; several rows
 * (slots) stand for one sum, so that processes on one database do not wait for each other's.
 */
import type { Kysely, Transaction } from "kysely";
import { EngineClass } from "../../firmware/protocol/classes.ts";
import type { Store, Tables } from "../store/store.ts";
import type { BooksRow } from "../verifier/books.ts";
import { ByteReader, ByteWriter } from "./bytes-io.ts";
import { type DeviceRow, SUMS_COUNT, sumsOf } from "./device-rows.ts";
import type { UsageKey, UsageRow } from "./service.ts";

/** A group's part in a batch. */
interface Change {
  readonly owner: string;
  readonly site: string;
  readonly model: string;
  devices: number;
  sums: bigint[];
}

export class UsageChanges {
  readonly #changes = new Map<string, Change>();

  /** Of a device that was, or (`before` undefined) one that is new. */
  add(before: DeviceRow | undefined, after: DeviceRow): void {
    const added = this.#of(after);
    const sums = sumsOf(after.state);
    added.devices += 1;
    if (before === undefined) {
      add(added.sums, sums);
      return;
    }
    const removed = this.#of(before);
    const sumsBefore = sumsOf(before.state);
    removed.devices -= 1;
    if (added === removed) {
      add(added.sums, differences(sumsBefore, sums));
    } else {
      add(removed.sums, differences(sumsBefore, none()));
      add(added.sums, sums);
    }
  }

  async write(store: Store, tx: Transaction<Tables>, slot: number): Promise<void> {
    // One order of locking everywhere.
    const keys = [...this.#changes.keys()].sort();
    for (const key of keys) {
      const { owner, site, model, devices, sums } = this.#changes.get(key)!;
      if (devices === 0 && sums.every((sum) => sum === 0n)) continue;
      const at = { owner, site, model, slot };
      const before = (await readSlot(store, tx, at)) ?? (await openSlot(store, tx, at));
      await tx
        .updateTable("usage")
        .set({
          devices: before.devices + devices,
          sums: encodeSums(decodeSums(before.sums).map((sum, i) => sum + sums[i]!)),
        })
        .where((eb) => eb.and(at))
        .execute();
    }
  }

  #of({ registration: { owner, site }, model }: DeviceRow): Change {
    const key = JSON.stringify([owner, site, model]);
    let change = this.#changes.get(key);
    if (!change) {
      change = { owner, site, model, devices: 0, sums: none() };
      this.#changes.set(key, change);
    }
    return change;
  }
}

function none(): bigint[] {
  return new Array<bigint>(SUMS_COUNT).fill(0n);
}

function differences(before: readonly bigint[], after: readonly bigint[]): bigint[] {
  return after.map((sum, i) => sum - before[i]!);
}

/** Most sums stay at zero. */
function add(sums: bigint[], more: readonly bigint[]): void {
  for (const [i, sum] of more.entries()) if (sum !== 0n) sums[i]! += sum;
}

type Slot = { owner: string; site: string; model: string; slot: number };

function readSlot(store: Store, tx: Transaction<Tables>, at: Slot) {
  return tx
    .selectFrom("usage")
    .select(["devices", "sums"])
    .where((eb) => eb.and(at))
    .$call(store.forUpdate)
    .executeTakeFirst();
}

/** Two processes may open one slot at the same time: both then see the one row. */
async function openSlot(store: Store, tx: Transaction<Tables>, at: Slot) {
  const empty = encodeSums(none());
  await tx
    .insertInto("usage")
    .values({ ...at, devices: 0, sums: empty })
    .onConflict((on) => on.columns(["owner", "site", "model", "slot"]).doNothing())
    .execute();
  return (await readSlot(store, tx, at))!;
}

export async function readUsage(db: Kysely<Tables>, by: UsageKey): Promise<UsageRow[]> {
  const groups = new Map<string, { devices: number; sums: bigint[] }>();
  for (const row of await db.selectFrom("usage").selectAll().execute()) {
    const name = by === "fleet" ? "" : row[by];
    const group = groups.get(name) ?? { devices: 0, sums: none() };
    group.devices += row.devices;
    group.sums = decodeSums(row.sums).map((sum, i) => sum + group.sums[i]!);
    groups.set(name, group);
  }
  return [...groups]
    .filter(([, { devices, sums }]) => devices > 0 || sums.some((sum) => sum !== 0n))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { devices, sums }]) => ({ name, devices, rows: booksRows(sums) }));
}

export function booksRows(sums: readonly bigint[]): BooksRow[] {
  return Array.from({ length: EngineClass.COUNT }, (_, engineClass) => ({
    engineClass,
    licensed: sums[engineClass]!,
    reported: sums[EngineClass.COUNT + engineClass]!,
  }));
}

function encodeSums(sums: readonly bigint[]): Uint8Array {
  const out = new ByteWriter();
  for (const sum of sums) out.i128(sum);
  return out.finish();
}

export function decodeSums(bytes: Uint8Array): bigint[] {
  const from = new ByteReader(bytes);
  const sums = from.list(SUMS_COUNT, () => from.i128());
  from.end();
  return sums;
}
