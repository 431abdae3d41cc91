/** Rows that the tests of the store put in. */
import type { Insertable, Transaction } from "kysely";
import type { DevicesTable, LicensesTable, ReportsTable, Tables } from "../../../host/store/tables.ts";

export function ueidOf(number: number): Uint8Array {
  const ueid = new Uint8Array(33).fill(1, 0, 1);
  new DataView(ueid.buffer).setUint32(29, number);
  return ueid;
}

export function deviceRow(number: number, values: Partial<Insertable<DevicesTable>> = {}): Insertable<DevicesTable> {
  return {
    ueid: ueidOf(number),
    owner: "owner",
    site: "site",
    model: "model",
    profile: null,
    status: "active",
    enrolled_ms: 1,
    seen_ms: 2,
    epoch: 3,
    license_sequence: 0n,
    report_sequence: 0n,
    licensed_until_seconds: 0,
    state: new Uint8Array([1, 2, 3]),
    ...values,
  };
}

export async function insertDevice(tx: Transaction<Tables>, number: number, values = {}): Promise<number> {
  const row = await tx
    .insertInto("devices")
    .values(deviceRow(number, values))
    .returning("id")
    .executeTakeFirstOrThrow();
  return row.id;
}

export function licenseRow(device_id: number, sequence: bigint): Insertable<LicensesTable> {
  return {
    device_id,
    sequence,
    kind: 1,
    evidence_digest: null,
    issued_ms: 1_700_000_000_000,
    expiry_seconds: 1_700_000_600,
    bytes: new Uint8Array(600).fill(7),
    verdict: null,
  };
}

export function reportRow(device_id: number, sequence: bigint): Insertable<ReportsTable> {
  return {
    device_id,
    sequence,
    received_ms: 1_700_000_000_000,
    bytes: new Uint8Array(400).fill(8),
    intervals: null,
    opening_index: null,
    totals_before: null,
    opened_ms: null,
  };
}
