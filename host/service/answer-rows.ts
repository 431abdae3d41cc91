/** Answers in the store: licenses and recoveries as they were signed, and what was concluded of other evidence. */
import { type Kysely, type Selectable, sql, type Transaction } from "kysely";
import { decodeLicense } from "../objects/license.ts";
import { parseSign } from "../protocol/cose.ts";
import { decodeEar, GOVERNOR } from "../rats/ear.ts";
import { insertRows } from "../store/bulk.ts";
import { StoreError } from "../store/errors.ts";
import type { Tables } from "../store/store.ts";
import type { LicensesTable } from "../store/tables.ts";
import type { LicenseTerms } from "../verifier/books.ts";
import { hexOf } from "../verifier/bytes.ts";
import { sealed, unsealed } from "./bytes-io.ts";
import { AnswerKind } from "./device-state.ts";

export interface AnswerRow {
  readonly deviceId: number;
  readonly kind: AnswerKind;
  readonly sequence: bigint;
  readonly evidenceDigest: Uint8Array | undefined;
  readonly issuedMs: number;
  readonly expirySeconds: number;
  readonly bytes: Uint8Array;
  /** What was concluded of the evidence, as `host/rats` writes it; no retry asks for it. */
  readonly verdict?: Uint8Array;
}

/** What was concluded of evidence that no license or recovery answers. */
export interface VerdictRow {
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
      .select(ANSWER_COLUMNS)
      .where("evidence_digest", "in", digests.slice(at, at + ROWS_MAX))
      .execute();
    for (const row of rows) found.set(hexOf(row.evidence_digest!), answerOf(row));
  }
  return found;
}

const ANSWER_COLUMNS = [
  "device_id",
  "kind",
  "sequence",
  "evidence_digest",
  "issued_ms",
  "expiry_seconds",
  "bytes",
] as const;

function answerOf(row: Pick<Selectable<LicensesTable>, (typeof ANSWER_COLUMNS)[number]>): AnswerRow {
  return {
    deviceId: row.device_id,
    kind: row.kind as AnswerKind,
    sequence: row.sequence,
    evidenceDigest: row.evidence_digest ?? undefined,
    issuedMs: row.issued_ms,
    expirySeconds: row.expiry_seconds,
    bytes: row.bytes,
  };
}

export type LicenseKey = readonly [deviceId: number, sequence: bigint];

export function licenseName([deviceId, sequence]: LicenseKey): string {
  return `${deviceId}/${sequence}`;
}

/** Licenses, by whomever they were issued. */
const LICENSES = [AnswerKind.LICENSE, AnswerKind.COMPLETED] as const;

/** The licenses of these devices that have this sequence. */
export async function readIssued(
  db: Kysely<Tables>,
  deviceIds: readonly number[],
  sequence: bigint,
): Promise<AnswerRow[]> {
  const rows = await db
    .selectFrom("licenses")
    .select(ANSWER_COLUMNS)
    .where("device_id", "in", deviceIds)
    .where("sequence", "=", sequence)
    .where("kind", "in", LICENSES)
    .execute();
  return rows.map(answerOf);
}

const RECOVERIES = [AnswerKind.RECOVERY, AnswerKind.RECOVERED] as const;

/** Recoveries of a device after so many, by whomever they were issued: their sequence is their number. */
export async function readRecoveries(db: Kysely<Tables>, deviceId: number, after: number): Promise<AnswerRow[]> {
  const rows = await db
    .selectFrom("licenses")
    .select(ANSWER_COLUMNS)
    .where("device_id", "=", deviceId)
    .where("sequence", ">", BigInt(after))
    .where("kind", "in", RECOVERIES)
    .execute();
  return rows.map(answerOf);
}

/** By `licenseName`. */
export async function readLicenses(
  db: Kysely<Tables>,
  keys: readonly LicenseKey[],
): Promise<Map<string, LicenseTerms>> {
  const found = new Map<string, LicenseTerms>();
  for (let at = 0; at < keys.length; at += ROWS_MAX) {
    const wanted = keys
      .slice(at, at + ROWS_MAX)
      .map(([deviceId, sequence]) => sql`(cast(${deviceId} as bigint), cast(${sequence} as bigint))`);
    const rows = await db
      .selectFrom("licenses")
      .select(["device_id", "sequence", "bytes"])
      .where(sql<boolean>`(device_id, sequence) in (values ${sql.join(wanted)})`)
      .where("kind", "in", LICENSES)
      // Of two with one sequence the one that is whole counts: a draft of this verifier that nobody completed goes before.
      .orderBy("kind")
      .execute();
    for (const row of rows) {
      found.set(licenseName([row.device_id, row.sequence]), decodeLicense(parseSign(row.bytes).payload));
    }
  }
  return found;
}

export async function writeAnswers(tx: Transaction<Tables>, rows: readonly AnswerRow[]): Promise<void> {
  await insertRows(
    tx,
    "licenses",
    rows.map((row) => ({
      device_id: row.deviceId,
      kind: row.kind,
      sequence: row.sequence,
      evidence_digest: row.evidenceDigest ?? null,
      issued_ms: row.issuedMs,
      expiry_seconds: row.expirySeconds,
      bytes: row.bytes,
      verdict: row.verdict ? sealed(row.verdict) : null,
    })),
  );
}

/** The same answers with more signatures. */
export async function completeAnswers(tx: Transaction<Tables>, rows: readonly AnswerRow[]): Promise<void> {
  for (const { deviceId, sequence, kind, bytes } of rows) {
    await tx
      .updateTable("licenses")
      .set({ bytes })
      .where("device_id", "=", deviceId)
      .where("sequence", "=", sequence)
      .where("kind", "=", kind)
      .execute();
  }
}

/** What was concluded of the evidence, by its digest in hex. */
export async function readVerdicts(
  db: Kysely<Tables>,
  digests: readonly Uint8Array[],
): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  for (let at = 0; at < digests.length; at += ROWS_MAX) {
    const rows = await db
      .selectFrom("verdicts")
      .select(["evidence_digest", "claims"])
      .where("evidence_digest", "in", digests.slice(at, at + ROWS_MAX))
      .execute();
    for (const row of rows) found.set(hexOf(row.evidence_digest), claimsOf(row.claims));
  }
  return found;
}

/** What was concluded of the evidence, whether it was answered or not. */
export async function readVerdict(db: Kysely<Tables>, digest: Uint8Array): Promise<Uint8Array | undefined> {
  const answer = db.selectFrom("licenses").select("verdict").where("evidence_digest", "=", digest);
  const verdict = (await answer.executeTakeFirst())?.verdict;
  return verdict ? claimsOf(verdict) : (await readVerdicts(db, [digest])).get(hexOf(digest));
}

/** Throws `StoreError` (`store/corrupt`). */
function claimsOf(stored: Uint8Array): Uint8Array {
  try {
    return unsealed(stored);
  } catch (cause) {
    throw new StoreError("store/corrupt", `a verdict: ${(cause as RangeError).message}`, { cause });
  }
}

/** Whether evidence was found good: an appraisal of it need not be made again. */
export function isGood(claims: Uint8Array): boolean {
  const governor = decodeEar(claims).submods.get(GOVERNOR);
  return governor !== undefined && governor.refusal === undefined;
}

/** Whether a retry with this evidence would find an answer. */
export async function isAnswered(db: Kysely<Tables>, digest: Uint8Array): Promise<boolean> {
  const answer = db.selectFrom("licenses").select("id").where("evidence_digest", "=", digest);
  if (await answer.executeTakeFirst()) return true;
  const [claims] = (await readVerdicts(db, [digest])).values();
  return claims !== undefined && isGood(claims);
}

/** Of evidence that was judged before, the newest conclusion is kept. */
export async function writeVerdicts(tx: Transaction<Tables>, rows: readonly VerdictRow[]): Promise<void> {
  const newest = [...new Map(rows.map((row) => [hexOf(row.evidenceDigest), row])).values()];
  for (let at = 0; at < newest.length; at += ROWS_MAX) {
    const values = newest.slice(at, at + ROWS_MAX).map((row) => ({
      evidence_digest: row.evidenceDigest,
      device_id: row.deviceId,
      judged_ms: row.judgedMs,
      claims: sealed(row.claims),
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
