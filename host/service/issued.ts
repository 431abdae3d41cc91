/** What a device's state says once a license was issued to it, by this verifier or by others. */
import type { Transaction } from "kysely";
import type { License } from "../objects/license.ts";
import type { Tables } from "../store/store.ts";
import type { DeviceBooks } from "../verifier/books.ts";
import { hexOf } from "../verifier/bytes.ts";
import { VerifierError } from "../verifier/errors.ts";
import { writeAnswers } from "./answer-rows.ts";
import { type DeviceRow, writeDevices } from "./device-rows.ts";
import type { AnswerKind, DeviceState } from "./device-state.ts";

/** Uninstalled offline licenses of one device that are remembered: with one more the device is sent no further one. */
const OFFLINE_HELD_MAX = 16;

export function checkOfflineRoom({ record, offline }: DeviceState): void {
  if (offline.length >= OFFLINE_HELD_MAX) throw new VerifierError("license/sequence-exhausted", hexOf(record.ueid));
}

/** A license below the newest changes only what is counted: others may have signed a later one by then. */
export function issuedTo(state: DeviceState, license: License, nowMs: number): DeviceState {
  const { sequence, expirySeconds, budget, drain, nonce } = license;
  const record = { ...state.record, books: booksWith(license, state.record.books) };
  const isNewest = sequence >= record.sequenceIssued;
  const issued = { sequence, issuedSeconds: Math.floor(nowMs / 1000), expirySeconds, nonce, budget, drain };
  return {
    ...state,
    record: isNewest ? { ...record, sequenceIssued: sequence } : record,
    issued: isNewest ? issued : state.issued,
    offline: nonce === undefined ? [...state.offline, { sequence, expirySeconds }] : state.offline,
    licenses: state.licenses + 1,
  };
}

/** What others issued since the newest evidence, with a sequence that was issued here before it, may be installed too. */
function booksWith({ sequence, nonce }: License, books: DeviceBooks): DeviceBooks {
  if (nonce === undefined || sequence > books.sequenceIssued) return books;
  return { ...books, sequenceIssued: sequence - 1n };
}

/** A license that answers no evidence here, with the devices that it is for: one row for each, and their states. */
export async function writeIssued(
  tx: Transaction<Tables>,
  devices: readonly DeviceRow[],
  { kind, license, bytes }: { readonly kind: AnswerKind; readonly license: License; readonly bytes: Uint8Array },
  issuedMs: number,
): Promise<void> {
  const { sequence, expirySeconds } = license;
  const answer = { kind, sequence, evidenceDigest: undefined, issuedMs, expirySeconds, bytes };
  await writeAnswers(
    tx,
    devices.map(({ id }) => ({ deviceId: id, ...answer })),
  );
  await writeDevices(
    tx,
    devices.map((before) => ({ before, after: { ...before, state: issuedTo(before.state, license, issuedMs) } })),
  );
}
