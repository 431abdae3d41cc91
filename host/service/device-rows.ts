/** Rows of devices: read by the list, changed in memory while a batch is decided, and written by the list again. */
import type { Kysely, Selectable, Transaction } from "kysely";
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { Refusal } from "../protocol/refusal.ts";
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
      .selectAll()
      .where("ueid", "in", wanted.slice(at, at + ROWS_PER_STATEMENT_MAX))
      .orderBy("id")
      .$call(lock)
      .execute();
    for (const row of rows) found.set(hexOf(row.ueid), deviceRow(row));
  }
  return found;
}

export async function readDevice(store: Store, ueid: Uint8Array): Promise<DeviceRow> {
  const row = (await readDevices(store.db, [ueid])).get(hexOf(ueid));
  if (!row) throw new VerifierError("device/unknown", hexOf(ueid));
  return row;
}

/** Devices that are there already. */
export async function writeDevices(tx: Transaction<Tables>, rows: readonly DeviceRow[]): Promise<void> {
  for (let at = 0; at < rows.length; at += ROWS_PER_STATEMENT_MAX) {
    const values = rows.slice(at, at + ROWS_PER_STATEMENT_MAX).map((row) => ({ id: row.id, ...columnsOf(row) }));
    // Every row conflicts: this is an update of many rows in one statement, in the SQL that both engines share.
    await tx
      .insertInto("devices")
      .values(values)
      .onConflict((on) =>
        on.column("id").doUpdateSet((eb) => ({
          owner: eb.ref("excluded.owner"),
          site: eb.ref("excluded.site"),
          model: eb.ref("excluded.model"),
          profile: eb.ref("excluded.profile"),
          status: eb.ref("excluded.status"),
          seen_ms: eb.ref("excluded.seen_ms"),
          epoch: eb.ref("excluded.epoch"),
          license_sequence: eb.ref("excluded.license_sequence"),
          report_sequence: eb.ref("excluded.report_sequence"),
          licensed_until_seconds: eb.ref("excluded.licensed_until_seconds"),
          state: eb.ref("excluded.state"),
        })),
      )
      .execute();
  }
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

export function deviceRow(row: Selectable<DevicesTable>): DeviceRow {
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
function stateOf({ id, state }: Selectable<DevicesTable>): DeviceState {
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

function columnsOf({ registration, model, status, enrolledMs, seenMs, epoch, state }: Omit<DeviceRow, "id">) {
  const { record, issued } = state;
  return {
    ueid: record.ueid,
    owner: registration.owner,
    site: registration.site,
    profile: registration.profile ?? null,
    model,
    status,
    enrolled_ms: enrolledMs,
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
