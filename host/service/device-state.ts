/**
 * The state of a device as one row keeps it: its record, and what answering needs besides. A fixed binary layout, since it
 * is read and written with every license and report; work is written sparsely, as most classes stay at zero.
 */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import type { ReportHead } from "../objects/eat.ts";
import type { AttestationCertificate, Endorsement } from "../objects/endorsement.ts";
import { decodeRecovery, encodeRecovery } from "../objects/recovery.ts";
import { type AllWork, allWork, noWork, type WorkByClass } from "../objects/work.ts";
import type { DeviceBooks } from "../verifier/books.ts";
import type { Chain, DeviceRecord, LastSeen } from "../verifier/storage.ts";
import { ByteReader, ByteWriter, sealed, unsealed } from "./bytes-io.ts";

/** The newest evidence that was answered: a retry gets the same answer. */
export interface Answered {
  readonly evidenceDigest: Uint8Array;
  readonly kind: AnswerKind;
  readonly sequence: bigint;
}

/** What kind of answer a row of licenses holds; COMPLETED is a license that others issued, RECOVERED a recovery. */
export const AnswerKind = { LICENSE: 1, RECOVERY: 2, COMPLETED: 3, RECOVERED: 4 } as const;
export type AnswerKind = (typeof AnswerKind)[keyof typeof AnswerKind];

/** The newest license that was issued. */
export interface IssuedLicense {
  readonly sequence: bigint;
  readonly issuedSeconds: number;
  readonly expirySeconds: number;
  readonly nonce?: Uint8Array;
  readonly budget: WorkByClass;
  readonly drain?: WorkByClass;
}

/** An offline license that the device may still install. */
export interface OfflineLicense {
  readonly sequence: bigint;
  readonly expirySeconds: number;
}

export interface DeviceState {
  readonly record: DeviceRecord;
  readonly answered?: Answered;
  readonly issued?: IssuedLicense;
  readonly offline: readonly OfflineLicense[];
  /** How many licenses were issued here: sequences may have gaps, and a row that is gone must be missed. */
  readonly licenses: number;
  /** How many recoveries were issued, here or by others: they have no sequence of their own. */
  readonly recoveries: number;
}

const FORMAT = 3;
const DIGEST_BYTES = 32;
const NONCE_BYTES = 32;
const KEY_BYTES = 32;
const UEID_BYTES = 33;
const SERIAL_BYTES = 16;

export function encodeDeviceState({
  record,
  answered,
  issued,
  offline,
  licenses,
  recoveries,
}: DeviceState): Uint8Array {
  const out = new ByteWriter();
  out.u8(FORMAT);
  out.bytes(record.ueid);
  writeEndorsement(out, record.endorsement);
  out.u8(record.certificates.length);
  for (const { attestationPublicKey, measurement } of record.certificates) {
    out.bytes(attestationPublicKey);
    out.bytes(measurement);
  }
  writeChain(out, record.chain);
  out.optional(record.lastSeen, (seen) => {
    out.u32(seen.bootCount);
    out.bytes(seen.bootSeed);
    writeWork(out, seen.totals);
    out.u64(seen.licenseSequence);
  });
  out.u64(record.sequenceIssued);
  out.optional(record.recovery, (recovery) => out.sized(encodeRecovery(recovery)));
  out.optional(record.nonceUsed, (serial) => out.bytes(serial));
  writeBooks(out, record.books);
  out.optional(answered, ({ evidenceDigest, kind, sequence }) => {
    out.bytes(evidenceDigest);
    out.u8(kind);
    out.u64(sequence);
  });
  out.optional(issued, ({ sequence, issuedSeconds, expirySeconds, nonce, budget, drain }) => {
    out.u64(sequence);
    out.u64(BigInt(issuedSeconds));
    out.u64(BigInt(expirySeconds));
    out.optional(nonce, (bytes) => out.bytes(bytes));
    writeWork(out, allWork(budget));
    out.optional(drain, (work) => writeWork(out, allWork(work)));
  });
  out.u8(offline.length);
  for (const { sequence, expirySeconds } of offline) {
    out.u64(sequence);
    out.u64(BigInt(expirySeconds));
  }
  out.u32(licenses);
  out.u32(recoveries);
  return sealed(out.finish());
}

/** Throws a `RangeError` for what `encodeDeviceState` did not write. */
export function decodeDeviceState(bytes: Uint8Array): DeviceState {
  const from = new ByteReader(unsealed(bytes));
  const format = from.u8();
  if (format !== FORMAT) throw new RangeError(`a device's state of format ${format}`);
  const ueid = from.bytes(UEID_BYTES);
  const record: DeviceRecord = {
    ueid,
    endorsement: readEndorsement(from, ueid),
    certificates: from.list(
      from.u8(),
      (): AttestationCertificate => ({
        ueid,
        attestationPublicKey: from.bytes(KEY_BYTES),
        measurement: from.bytes(DIGEST_BYTES),
      }),
    ),
    chain: readChain(from),
    lastSeen: from.optional(
      (): LastSeen => ({
        bootCount: from.u32(),
        bootSeed: from.bytes(DIGEST_BYTES),
        totals: readWork(from),
        licenseSequence: from.u64(),
      }),
    ),
    sequenceIssued: from.u64(),
    recovery: from.optional(() => decodeRecovery(from.sized())),
    nonceUsed: from.optional(() => from.bytes(SERIAL_BYTES)),
    books: readBooks(from),
  };
  const state: DeviceState = {
    record,
    answered: from.optional(() => ({
      evidenceDigest: from.bytes(DIGEST_BYTES),
      kind: from.u8() as AnswerKind,
      sequence: from.u64(),
    })),
    issued: from.optional(() => ({
      sequence: from.u64(),
      issuedSeconds: Number(from.u64()),
      expirySeconds: Number(from.u64()),
      nonce: from.optional(() => from.bytes(NONCE_BYTES)),
      budget: someWork(readWork(from)),
      drain: from.optional(() => someWork(readWork(from))),
    })),
    offline: from.list(from.u8(), () => ({ sequence: from.u64(), expirySeconds: Number(from.u64()) })),
    licenses: from.u32(),
    recoveries: from.u32(),
  };
  from.end();
  return state;
}

function writeEndorsement(out: ByteWriter, endorsement: Endorsement): void {
  out.bytes(endorsement.devicePublicKey);
  out.bytes(endorsement.oemId);
  out.bytes(endorsement.hardwareModel);
  out.sized(Buffer.from(endorsement.hardwareVersion, "utf8"));
}

function readEndorsement(from: ByteReader, ueid: Uint8Array): Endorsement {
  return {
    ueid,
    devicePublicKey: from.bytes(KEY_BYTES),
    oemId: from.bytes(3),
    hardwareModel: from.bytes(8),
    hardwareVersion: Buffer.from(from.sized()).toString("utf8"),
  };
}

function writeHead(out: ByteWriter, { sequence, digest }: ReportHead): void {
  out.u64(sequence);
  out.bytes(digest);
}

function writeChain(out: ByteWriter, { head, totals, bootCount, toTick, licenseSequence, attester }: Chain): void {
  writeHead(out, head);
  writeWork(out, totals);
  out.u32(bootCount);
  out.u64(toTick);
  out.u64(licenseSequence);
  out.optional(attester, (key) => out.bytes(key));
}

function readChain(from: ByteReader): Chain {
  return {
    head: { sequence: from.u64(), digest: from.bytes(DIGEST_BYTES) },
    totals: readWork(from),
    bootCount: from.u32(),
    toTick: from.u64(),
    licenseSequence: from.u64(),
    attester: from.optional(() => from.bytes(KEY_BYTES)),
  };
}

const BOOK_WORKS = ["budget", "left", "totalsAtStart", "totals", "closed", "beyondBudget", "allowance"] as const;

function writeBooks(out: ByteWriter, books: DeviceBooks): void {
  out.u64(books.licenseSequence);
  out.u64(books.sequenceIssued);
  out.optional(books.challenge, (challenge) => out.bytes(challenge));
  for (const name of BOOK_WORKS) writeWork(out, books[name]);
}

function readBooks(from: ByteReader): DeviceBooks {
  const [licenseSequence, sequenceIssued] = [from.u64(), from.u64()];
  const challenge = from.optional(() => from.bytes(NONCE_BYTES));
  const works = Object.fromEntries(BOOK_WORKS.map((name) => [name, readWork(from)]));
  return { licenseSequence, sequenceIssued, challenge, ...works } as unknown as DeviceBooks;
}

/** One bit for each class that is not zero, then 16 bytes for each of those. */
export function writeWork(out: ByteWriter, work: AllWork): void {
  let mask = 0;
  for (let c = 0; c < EngineClass.COUNT; c++) if (work[c] !== 0n) mask |= 1 << c;
  out.u16(mask);
  for (let c = 0; c < EngineClass.COUNT; c++) if (mask & (1 << c)) out.i128(work[c]!);
}

/** Throws a `RangeError` for what `writeWork` did not write. */
export function readWork(from: ByteReader): bigint[] {
  const mask = from.u16();
  if (mask >> EngineClass.COUNT !== 0) throw new RangeError("work of a class that there is not");
  const work = noWork();
  for (let c = 0; c < EngineClass.COUNT; c++) if (mask & (1 << c)) work[c] = from.i128();
  return work;
}

function someWork(work: AllWork): WorkByClass {
  return new Map(work.flatMap((amount, engineClass) => (amount === 0n ? [] : [[engineClass as EngineClass, amount]])));
}
