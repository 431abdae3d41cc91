/** Usage reports in the store, and which of them still owe an interval. */
import { type Kysely, sql, type Transaction } from "kysely";
import { decodeUsageReport } from "../objects/usage-report.ts";
import type { AllWork } from "../objects/work.ts";
import { parseSign1 } from "../protocol/cose.ts";
import { insertRows } from "../store/bulk.ts";
import type { Tables } from "../store/store.ts";
import type { StoredReport } from "../verifier/storage.ts";
import { ByteReader, ByteWriter } from "./bytes-io.ts";
import { readWork, writeWork } from "./device-state.ts";

export interface WantedOpening {
  readonly index: number;
  readonly totalsBefore: AllWork;
}

export interface NewReport {
  readonly deviceId: number;
  readonly sequence: bigint;
  readonly bytes: Uint8Array;
  readonly intervals: Uint8Array | undefined;
  readonly opening: WantedOpening | undefined;
}

export type ReportKey = readonly [deviceId: number, sequence: bigint];

const ROWS_MAX = 1000;

export function reportName([deviceId, sequence]: ReportKey): string {
  return `${deviceId}/${sequence}`;
}

/** By `reportName`. */
export async function readReports(db: Kysely<Tables>, keys: readonly ReportKey[]): Promise<Map<string, StoredReport>> {
  const found = new Map<string, StoredReport>();
  for (let at = 0; at < keys.length; at += ROWS_MAX) {
    const wanted = keys
      .slice(at, at + ROWS_MAX)
      .map(([deviceId, sequence]) => sql`(cast(${deviceId} as bigint), cast(${sequence} as bigint))`);
    const rows = await db
      .selectFrom("reports")
      .select(["device_id", "sequence", "bytes", "intervals"])
      .where(sql<boolean>`(device_id, sequence) in (values ${sql.join(wanted)})`)
      .execute();
    for (const { device_id, sequence, bytes, intervals } of rows) {
      const report = decodeUsageReport(parseSign1(bytes).payload);
      found.set(reportName([device_id, sequence]), { report, bytes, intervals: intervals ?? undefined });
    }
  }
  return found;
}

export async function writeReports(
  tx: Transaction<Tables>,
  reports: readonly NewReport[],
  nowMs: number,
): Promise<void> {
  await insertRows(
    tx,
    "reports",
    reports.map(({ deviceId, sequence, bytes, intervals, opening }) => ({
      device_id: deviceId,
      sequence,
      received_ms: nowMs,
      bytes,
      intervals: intervals ?? null,
      opening_index: opening?.index ?? null,
      totals_before: opening ? encodeTotals(opening.totalsBefore) : null,
      opened_ms: null,
    })),
  );
}

export interface OwedOpening {
  readonly sequence: bigint;
  readonly index: number;
}

/** Oldest first, at most `limit`. */
export async function readOwed(db: Kysely<Tables>, deviceId: number, limit: number): Promise<OwedOpening[]> {
  const rows = await db
    .selectFrom("reports")
    .select(["sequence", "opening_index"])
    .where("device_id", "=", deviceId)
    .where("opening_index", "is not", null)
    .where("opened_ms", "is", null)
    .orderBy("sequence")
    .limit(limit)
    .execute();
  return rows.map(({ sequence, opening_index }) => ({ sequence, index: opening_index! }));
}

/** The report that owes this opening; undefined if it does not. */
export async function readOwedReport(db: Kysely<Tables>, deviceId: number, sequence: bigint) {
  const row = await db
    .selectFrom("reports")
    .select(["bytes", "opening_index", "totals_before"])
    .where("device_id", "=", deviceId)
    .where("sequence", "=", sequence)
    .where("opening_index", "is not", null)
    .where("opened_ms", "is", null)
    .executeTakeFirst();
  if (!row) return undefined;
  const report = decodeUsageReport(parseSign1(row.bytes).payload);
  return { report, index: row.opening_index!, totalsBefore: decodeTotals(row.totals_before!) };
}

export async function markOpened(tx: Transaction<Tables>, deviceId: number, sequence: bigint, nowMs: number) {
  await tx
    .updateTable("reports")
    .set({ opened_ms: nowMs })
    .where("device_id", "=", deviceId)
    .where("sequence", "=", sequence)
    .execute();
}

function encodeTotals(totals: AllWork): Uint8Array {
  const out = new ByteWriter();
  writeWork(out, totals);
  return out.finish();
}

export function decodeTotals(bytes: Uint8Array): bigint[] {
  const from = new ByteReader(bytes);
  const totals = readWork(from);
  from.end();
  return totals;
}
