/** Evidence: what a verifier needs to decide on a license (docs/protocol.md), signed by the attestation key. */

import { CreditSource } from "../gate/credit";
import { backOffTicksLeft } from "../gate/failures";
import { fuseRead, ticks } from "../hal";
import { counterWearPermille, flashWearPermille } from "../journal/journal";
import { quantityAdd, quantityCopy } from "../meter/quantity";
import { Firmware, Fuse } from "../protocol/board";
import { Claim, LogMode, ObjectType } from "../protocol/claims";
import { Limit } from "../protocol/limits";
import {
  ACCOUNT_BYTES,
  AGREEMENT_DIGEST,
  BOOT_SEED,
  budgetOf,
  CHALLENGE,
  CLASSES,
  head,
  LOG_ROOT,
  ledger,
  ORDER_DIGEST,
  outstandingOf,
  pact,
  REPORT_HEAD,
  session,
  totalOf,
  UEID,
} from "../state";
import { nominalMs } from "../time/clock";
import { payloadBegin, signPayload, writeProfile, writer, writeTimeBounds, writeWorks } from "./common";
import { writeMeasurements } from "./measurements";

/** Debug is disabled permanently, RFC 9711 section 4.2.9. */
const DEBUG_DISABLED_PERMANENTLY: u64 = 3;
/** Claims beside the nonce and the boot seed. */
const CLAIMS: i32 = 25;

const fuses: usize = memory.data(8, 8);
const unused: usize = memory.data(12 * 16, 8);

/** Evidence over a verifier's nonce: its length at `out`, -1 or KEY_CHANGED. */
export function writeEvidence(nonce: usize, nonceLength: i32, out: usize, size: i32): i32 {
  payloadBegin();
  writeClaims(nonce, nonceLength);
  return signPayload(ObjectType.EVIDENCE, out, size);
}

/** The same claims unsigned, without nonce and boot seed, for whoever holds the board; left in the payload. */
export function writeInfo(): i32 {
  payloadBegin();
  writeClaims(0, 0);
  return writer.finish();
}

function writeClaims(nonce: usize, nonceLength: i32): void {
  const signed = nonce != 0;
  const logged = pact.logMode != LogMode.NONE;
  writer.map(CLAIMS + (signed ? 2 : 0) + (logged ? 1 : 0));
  if (signed) {
    writer.uint(Claim.NONCE);
    writer.bytes(nonce, nonceLength);
  }
  writeDevice();
  if (signed) {
    writer.uint(Claim.BOOT_SEED);
    writer.bytes(BOOT_SEED, 32);
  }
  writer.uint(Claim.MEASUREMENTS);
  writeMeasurements(writer);
  writePolicy();
  writeMeter();
  writeHealth();
  if (logged) writeLogHead();
}

function writeDevice(): void {
  writer.uint(Claim.UEID);
  writer.bytes(UEID, Limit.UEID_BYTES);
  writer.uint(Claim.OEM_ID);
  store<u32>(fuses, fuseRead(Fuse.OEM_ID));
  writer.bytes(fuses, 3);
  writer.uint(Claim.HARDWARE_MODEL);
  store<u32>(fuses, fuseRead(Fuse.HARDWARE_MODEL));
  store<u32>(fuses, fuseRead(Fuse.HARDWARE_MODEL + 1), 4);
  writer.bytes(fuses, 8);
  writer.uint(Claim.HARDWARE_VERSION);
  store<u32>(fuses, fuseRead(Fuse.HARDWARE_VERSION));
  writer.array(1);
  writer.text(fuses, 4);
  writer.uint(Claim.UPTIME);
  writer.uint(pact.tickHz != 0 ? nominalMs(ticks()) / 1000 : 0);
  writer.uint(Claim.DEBUG_STATUS);
  writer.uint(DEBUG_DISABLED_PERMANENTLY);
  writer.uint(Claim.PROFILE);
  writeProfile();
  writer.uint(Claim.BOOT_COUNT);
  writer.uint(ledger.bootCount);
}

function writePolicy(): void {
  writer.int(Claim.AGREEMENT);
  writer.bytes(AGREEMENT_DIGEST, Limit.DIGEST_BYTES);
  writer.int(Claim.EPOCH);
  writer.uint(ledger.epoch);
  writer.int(Claim.GATE_STATE);
  writer.uint(head.gateState);
  writer.int(Claim.TAMPER);
  writer.uint(session.tamper);
}

function writeMeter(): void {
  writer.int(Claim.TOTALS);
  writeWorks(totalOf(0), ACCOUNT_BYTES);
  writer.int(Claim.BUDGET_LEFT);
  unusedBudget();
  writeWorks(unused, 16);
  writer.int(Claim.REPORT_HEAD);
  writer.array(2);
  writer.uint(ledger.reportSequence);
  writer.bytes(REPORT_HEAD, Limit.DIGEST_BYTES);
  writer.int(Claim.LICENSE_SEQUENCE);
  writer.uint(ledger.licenseSequence);
  writer.int(Claim.CHALLENGE);
  writer.bytes(CHALLENGE, Limit.NONCE_BYTES);
}

/** What the license still allows: not granted, or granted and not used. */
function unusedBudget(): void {
  const granted = session.creditSource == CreditSource.BUDGET;
  for (let c: u32 = 0; c < CLASSES; c++) {
    const left = unused + ((<usize>c) << 4);
    quantityCopy(left, budgetOf(c));
    if (granted) quantityAdd(left, load<u64>(outstandingOf(c)));
  }
}

function writeHealth(): void {
  writer.int(Claim.TIME_BOUNDS);
  writeTimeBounds();
  writer.int(Claim.WEAR);
  writer.array(2);
  writer.uint(counterWearPermille());
  writer.uint(flashWearPermille());
  writer.int(Claim.FAILURES);
  writer.array(2);
  writer.uint(ledger.failures);
  writer.uint(backOffTicksLeft());
  writer.int(Claim.SVN);
  writer.uint(Firmware.SVN);
  writer.int(Claim.AGREEMENT_VERSION);
  writer.uint(pact.version);
  writer.int(Claim.LAST_CODE);
  writer.uint(head.lastCode);
  writer.int(Claim.ORDER);
  writer.bytes(ORDER_DIGEST, Limit.DIGEST_BYTES);
}

/** The tree of the log that later proofs must continue. */
function writeLogHead(): void {
  writer.int(Claim.LOG_HEAD);
  writer.array(2);
  writer.uint(ledger.logSize);
  writer.bytes(LOG_ROOT, Limit.DIGEST_BYTES);
}
