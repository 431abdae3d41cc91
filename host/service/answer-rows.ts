/** Answers in the store: licenses and recoveries as they were signed, and what was concluded of refused evidence. */
import { type Kysely, sql, type Transaction } from "kysely";
import { decodeLicense, type License } from "../objects/license.ts";
import { parseSign } from "../protocol/cose.ts";
import type { Tables } from "../store/store.ts";
import { hexOf } from "../verifier/bytes.ts";
import { AnswerKind } from "./device-state.ts";

export interface AnswerRow {
  readonly deviceId: number;
  readonly kind: AnswerKind;
  readonly sequence: bigint;
  readonly evidenceDigest: Uint8Array | undefined;
  readonly issuedMs: number;
  readonly expirySeconds: number;
  readonly bytes: Uint8Array;
  /** What was concluded of the evidence, as `host/rats` writes it. */
  readonly verdict: Uint8Array | undefined;
}

export interface RefusedRow {
  readonly evidenceDigest: Uint8Array;
  readonly deviceId: number;
  readonly judgedMs: number;
  readonly claims: Uint8Array;
}

/** Rows of one statement, well within the parameters that either engine takes. */
const ROWS_MAX = 1000;

/** By the evidence's digest in hex. */
export async function readAnswers(db: Kysely<Tables>, digests: readonly Uint8Array[]): Promise<Map<string, AnswerRow>> {
  const found = new Map<string, AnswerRow>();
  for (let at = 0; at < digests.length; at += ROWS_MAX) {
    const rows = await db
      .selectFrom("licenses")
      .selectAll()
      .where("evidence_digest", "in", digests.slice(at, at + ROWS_MAX))
      .execute();
    for (const row of rows) {
      found.set(hexOf(row.evidence_digest!), {
        deviceId: row.device_id,
        kind: row.kind as AnswerKind,
        sequence: row.sequence,
        evidenceDigest: row.evidence_digest!,
        issuedMs: row.issued_ms,
        expirySeconds: row.expiry_seconds,
        bytes: row.bytes,
        verdict: row.verdict ?? undefined,
      });
    }
  }
  return found;
}

export type LicenseKey = readonly [deviceId: number, sequence: bigint];

export function licenseName([deviceId, sequence]: LicenseKey): string {
  return `${deviceId}/${sequence}`;
}

/** By `licenseName`. */
export async function readLicenses(db: Kysely<Tables>, keys: readonly LicenseKey[]): Promise<Map<string, License>> {
  const found = new Map<string, License>();
  for (let at = 0; at < keys.length; at += ROWS_MAX) {
    const wanted = keys
      .slice(at, at + ROWS_MAX)
      .map(([deviceId, sequence]) => sql`(cast(${deviceId} as bigint), cast(${sequence} as bigint))`);
    const rows = await db
      .selectFrom("licenses")
      .select(["device_id", "sequence", "bytes"])
      .where(sql<boolean>`(device_id, sequence) in (values ${sql.join(wanted)})`)
      .where("kind", "=", AnswerKind.LICENSE)
      .execute();
    for (const row of rows) {
      found.set(licenseName([row.device_id, row.sequence]), decodeLicense(parseSign(row.bytes).payload));
    }
  }
  return found;
}

export async function writeAnswers(tx: Transaction<Tables>, rows: readonly AnswerRow[]): Promise<void> {
  for (let at = 0; at < rows.length; at += ROWS_MAX) {
    const values = rows.slice(at, at + ROWS_MAX).map((row) => ({
      device_id: row.deviceId,
      kind: row.kind,
      sequence: row.sequence,
      evidence_digest: row.evidenceDigest ?? null,
      issued_ms: row.issuedMs,
      expiry_seconds: row.expirySeconds,
      bytes: row.bytes,
      verdict: row.verdict ?? null,
    }));
    await tx.insertInto("licenses").values(values).execute();
  }
}

/** The same answers with more signatures. */
export async function completeAnswers(tx: Transaction<Tables>, rows: readonly AnswerRow[]): Promise<void> {
  for (const { evidenceDigest, bytes } of rows) {
    await tx.updateTable("licenses").set({ bytes }).where("evidence_digest", "=", evidenceDigest!).execute();
  }
}

/** Of evidence that was refused before, the newest conclusion is kept. */
export async function writeRefused(tx: Transaction<Tables>, rows: readonly RefusedRow[]): Promise<void> {
  const newest = [...new Map(rows.map((row) => [hexOf(row.evidenceDigest), row])).values()];
  for (let at = 0; at < newest.length; at += ROWS_MAX) {
    const values = newest.slice(at, at + ROWS_MAX).map((row) => ({
      evidence_digest: row.evidenceDigest,
      device_id: row.deviceId,
      judged_ms: row.judgedMs,
      claims: row.claims,
    }));
    await tx
      .insertInto("verdicts")
      .values(values)
      .onConflict((on) =>
        on
          .column("evidence_digest")
          .doUpdateSet((eb) => ({ judged_ms: eb.ref("excluded.judged_ms"), claims: eb.ref("excluded.claims") })),
      )
      .execute();
  }
}
