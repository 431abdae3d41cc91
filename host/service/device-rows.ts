/** Rows of devices: read by the list, changed in memory while a batch is decided, and written by the list again. */
import type { Kysely, Selectable, Transaction } from "kysely";
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { Refusal } from "../protocol/refusal.ts";
import { updateRows } from "../store/bulk.ts";
import { StoreError } from "../store/errors.ts";
import type { RowLock, Store, Tables } from "../store/store.ts";
import type { DevicesTable } from "../store/tables.ts";
import { licensedWork } from "../verifier/books.ts";
import { hexOf } from "../verifier/bytes.ts";
import { VerifierError } from "../verifier/errors.ts";
import { type DeviceState, decodeDeviceState, encodeDeviceState } from "./device-state.ts";
import type { DeviceStatus, DeviceView, Registration } from "./service.ts";

export interface DeviceRow {
  readonly id: number;
  readonly registration: Registration;
  readonly model: string;
  readonly status: DeviceStatus;
  readonly enrolledMs: number;
  readonly seenMs: number;
  /** Of the newest good evidence. */
  readonly epoch: number;
  readonly state: DeviceState;
}

/** Values of one statement: SQLite takes at most 32,766 parameters, PostgreSQL 65,535. */
const ROWS_PER_STATEMENT_MAX = 1000;

/** The devices that are there, by UEID in hex. `lock` keeps their rows for the transaction, in the order of their ids. */
export async function readDevices(
  db: Kysely<Tables>,
  ueids: readonly Uint8Array[],
  lock: RowLock = (query) => query,
): Promise<Map<string, DeviceRow>> {
  const found = new Map<string, DeviceRow>();
  const wanted = [...new Map(ueids.map((ueid) => [hexOf(ueid), ueid])).values()];
  for (let at = 0; at < wanted.length; at += ROWS_PER_STATEMENT_MAX) {
    const rows = await db
      .selectFrom("devices")
      .select(DEVICE_COLUMNS)
      .where("ueid", "in", wanted.slice(at, at + ROWS_PER_STATEMENT_MAX))
      .orderBy("id")
      .$call(lock)
      .execute();
    for (const read of rows) {
      const row = deviceRow(read);
      found.set(hexOf(row.state.record.ueid), row);
    }
  }
  return found;
}

export async function readDevice(store: Store, ueid: Uint8Array): Promise<DeviceRow> {
  const row = (await readDevices(store.db, [ueid])).get(hexOf(ueid));
  if (!row) throw new VerifierError("device/unknown", hexOf(ueid));
  return row;
}

/** Devices that are there already. What indexes hold is left alone where it is as before: writing it costs a second time. */
export async function writeDevices(tx: Transaction<Tables>, rows: readonly DeviceChange[]): Promise<void> {
  const [same, others] = [rows.filter(isRegisteredAlike), rows.filter((row) => !isRegisteredAlike(row))];
  await updateRows(
    tx,
    "devices",
    "id",
    same.map(({ after }) => ({ id: after.id, ...stateColumns(after) })),
  );
  await updateRows(
    tx,
    "devices",
    "id",
    others.map(({ after }) => ({ id: after.id, ...registrationColumns(after), ...stateColumns(after) })),
  );
}

export interface DeviceChange {
  readonly before: DeviceRow;
  readonly after: DeviceRow;
}

/** Of those that were read, by UEID in hex, the ones that are others now. */
export function changesOf(
  before: ReadonlyMap<string, DeviceRow>,
  after: ReadonlyMap<string, DeviceRow>,
): DeviceChange[] {
  const changes: DeviceChange[] = [];
  for (const [ueid, row] of after) {
    const read = before.get(ueid)!;
    if (row !== read) changes.push({ before: read, after: row });
  }
  return changes;
}

function isRegisteredAlike({ before, after }: DeviceChange): boolean {
  return before.registration === after.registration && before.model === after.model && before.status === after.status;
}

/** Gives the id of a device that is new; undefined if it is there by now. */
export async function insertDevice(tx: Transaction<Tables>, row: Omit<DeviceRow, "id">): Promise<number | undefined> {
  const insert = tx.insertInto("devices").values(columnsOf(row));
  const inserted = await insert
    .onConflict((on) => on.column("ueid").doNothing())
    .returning("id")
    .executeTakeFirst();
  return inserted?.id;
}

/** What a `DeviceRow` is made of: the others repeat what the state says, for queries to find rows by. */
export const DEVICE_COLUMNS = [
  "id",
  "owner",
  "site",
  "model",
  "profile",
  "status",
  "enrolled_ms",
  "seen_ms",
  "epoch",
  "state",
] as const;

export function deviceRow(row: Pick<Selectable<DevicesTable>, (typeof DEVICE_COLUMNS)[number]>): DeviceRow {
  const { owner, site, profile } = row;
  return {
    id: row.id,
    registration: { owner, site, profile: (profile as Registration["profile"]) ?? undefined },
    model: row.model,
    status: row.status as DeviceStatus,
    enrolledMs: row.enrolled_ms,
    seenMs: row.seen_ms,
    epoch: row.epoch,
    state: stateOf(row),
  };
}

/** Throws `StoreError` (`store/corrupt`): nothing is concluded of a state that is not as it was written. */
function stateOf({ id, state }: Pick<Selectable<DevicesTable>, "id" | "state">): DeviceState {
  try {
    return decodeDeviceState(state);
  } catch (cause) {
    if (!(cause instanceof RangeError || cause instanceof Refusal)) throw cause;
    throw new StoreError("store/corrupt", `the state of device ${id}: ${cause.message}`, { cause });
  }
}

export function deviceView(row: DeviceRow): DeviceView {
  const { record, issued } = row.state;
  return {
    ...row.registration,
    ueid: record.ueid,
    model: row.model,
    status: row.status,
    enrolledMs: row.enrolledMs,
    seenMs: row.seenMs,
    epoch: row.epoch,
    reportSequence: record.chain.head.sequence,
    licenseSequence: record.sequenceIssued,
    licensedUntilSeconds: issued?.expirySeconds ?? 0,
  };
}

function columnsOf(row: Omit<DeviceRow, "id">) {
  return {
    ueid: row.state.record.ueid,
    enrolled_ms: row.enrolledMs,
    ...registrationColumns(row),
    ...stateColumns(row),
  };
}

function registrationColumns({ registration, model, status }: Omit<DeviceRow, "id">) {
  const { owner, site, profile } = registration;
  return { owner, site, profile: profile ?? null, model, status };
}

function stateColumns({ seenMs, epoch, state }: Omit<DeviceRow, "id">) {
  const { record, issued } = state;
  return {
    seen_ms: seenMs,
    epoch,
    license_sequence: record.sequenceIssued,
    report_sequence: record.chain.head.sequence,
    licensed_until_seconds: issued?.expirySeconds ?? 0,
    state: encodeDeviceState(state),
  };
}

/** Licensed and reported of one device, class by class: what running sums are made of. */
export function sumsOf({ record }: DeviceState): bigint[] {
  return [...licensedWork(record.books), ...record.chain.totals];
}

export const SUMS_COUNT = 2 * EngineClass.COUNT;
