/** What a device's state says once a license was issued to it, by this verifier or by others. */
import type { License } from "../objects/license.ts";
import { hexOf } from "../verifier/bytes.ts";
import { VerifierError } from "../verifier/errors.ts";
import type { DeviceState } from "./device-state.ts";

/** Uninstalled offline licenses of one device that are remembered: with one more the device is sent no further one. */
const OFFLINE_HELD_MAX = 16;

export function checkOfflineRoom({ record, offline }: DeviceState): void {
  if (offline.length >= OFFLINE_HELD_MAX) throw new VerifierError("license/sequence-exhausted", hexOf(record.ueid));
}

/** A license below the newest changes only what is counted: others may have signed a later one by then. */
export function issuedTo(state: DeviceState, license: License, nowMs: number): DeviceState {
  const { sequence, expirySeconds, budget, drain, nonce } = license;
  const isNewest = sequence >= state.record.sequenceIssued;
  const issued = { sequence, issuedSeconds: Math.floor(nowMs / 1000), expirySeconds, nonce, budget, drain };
  return {
    ...state,
    record: isNewest ? { ...state.record, sequenceIssued: sequence } : state.record,
    issued: isNewest ? issued : state.issued,
    offline: nonce === undefined ? [...state.offline, { sequence, expirySeconds }] : state.offline,
    licenses: state.licenses + 1,
  };
}

/** Of what it was issued, or shows to have installed. */
export function newestSequence({ record }: DeviceState): bigint {
  const { sequenceIssued, books } = record;
  return sequenceIssued > books.licenseSequence ? sequenceIssued : books.licenseSequence;
}
