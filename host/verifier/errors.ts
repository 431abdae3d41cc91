/**
 * Every refusal of the verifier, in one table. The class says who must act: `malformed`, the sender's software is broken;
 * `invalid`, the object is not what it claims to be; `policy`, it is, and that is not good enough; `unknown`, there is no
 * such thing here; `ahead`, what is asked about is not here yet; `unavailable`, nobody, the same request may succeed later.
 */
export type VerifierErrorClass = "malformed" | "invalid" | "policy" | "unknown" | "ahead" | "unavailable";

/** What judging objects can refuse. */
// biome-ignore format: a table, one row a code
export const JUDGEMENT_ERRORS = {
  "agreement/malformed": ["malformed", "the agreement cannot be read"],
  "agreement/signature": ["invalid", "the agreement is not signed by those who must sign it"],

  "endorsement/malformed": ["malformed", "the endorsement cannot be read"],
  "endorsement/signature": ["invalid", "no manufacturer that is trusted here signed the endorsement"],
  "endorsement/ueid": ["invalid", "the endorsement's UEID is not that of its device key"],
  "certificate/malformed": ["malformed", "the attestation key's certificate cannot be read"],
  "certificate/signature": ["invalid", "the device key did not sign the certificate"],
  "certificate/ueid": ["invalid", "the certificate is for another device"],
  "certificate/measurement": ["policy", "the governor image is not among the reference values"],
  "device/unknown": ["unknown", "the device is not enrolled"],

  "evidence/malformed": ["malformed", "the evidence cannot be read"],
  "evidence/signature": ["invalid", "the enrolled attestation key did not sign the evidence"],
  "evidence/nonce-unknown": ["policy", "the nonce was not given to this device, or was used already"],
  "evidence/nonce-expired": ["policy", "the nonce was given too long ago"],
  "evidence/hardware": ["invalid", "the hardware is not what the manufacturer endorsed"],
  "evidence/measurement": ["invalid", "the governor image is not the one that was certified"],
  "evidence/measurement-withdrawn": ["policy", "the governor image is not among the reference values any more"],
  "evidence/svn": ["policy", "the governor's security version is below the least"],
  "evidence/agreement": ["policy", "the device stands under another agreement"],
  "evidence/tampered": ["policy", "a tamper sensor fired"],
  "evidence/locked": ["policy", "the gate is locked"],
  "evidence/epoch-behind": ["policy", "the device lacks an order: deliver the orders after its epoch"],
  "evidence/epoch-ahead": ["policy", "the device knows an epoch that no order here has"],
  "evidence/order-unknown": ["policy", "the device obeys an order of this epoch that is not the one here"],
  "evidence/time-unknown": ["policy", "the device does not know the time: deliver a time proof"],
  "evidence/time-off": ["policy", "the device's bounds of the time exclude the true time: its clock is off by more than it may be"],
  "evidence/boot-regressed": ["policy", "the boot count went back: an older state of the device, or a copy of it"],
  "evidence/boot-forked": ["policy", "one boot count with two boot seeds: two devices use one identity"],
  "evidence/totals-regressed": ["policy", "the meter totals went back"],
  "evidence/license-regressed": ["policy", "the license sequence went back"],
  "evidence/license-unknown": ["policy", "the device holds a license that was not issued here"],
  "evidence/report-missing": ["policy", "the device made reports that are not here: upload them first"],
  "evidence/report-regressed": ["policy", "the device's report chain is behind what it reported already"],
  "evidence/report-forked": ["policy", "the device's report chain has another head than the one here"],
  "evidence/overrun": ["policy", "the device did more work than it was licensed"],

  "license/paused": ["policy", "a pause order is in force for this device"],
  "license/request": ["malformed", "the request for a license is not one that can be granted"],
  "license/over-cap": ["policy", "the request is over a cap of the agreement"],
  "license/sequence-exhausted": ["policy", "too many licenses were issued that the device never installed"],
  "license/quorum": ["policy", "fewer parties than the license quorum agree"],

  "report/malformed": ["malformed", "the report cannot be read"],
  "report/intervals-malformed": ["malformed", "the report's intervals cannot be read"],
  "report/signature": ["invalid", "no enrolled attestation key of the device signed the report"],
  "report/gap": ["policy", "reports before this one are missing: upload them first"],
  "report/forked": ["policy", "the report contradicts one that is here already"],
  "report/totals-regressed": ["policy", "the meter totals went back"],
  "report/key-regressed": ["policy", "an earlier governor image's key signed it, after a later one's had reported"],
  "report/boot-regressed": ["policy", "the boot count went back"],
  "report/ticks-regressed": ["policy", "the report's ticks run backward"],
  "report/license-regressed": ["policy", "the license sequence went back"],
  "report/license-unknown": ["policy", "the report names a license that was not issued here"],
  "report/agreement": ["policy", "the report stands under an agreement that is not known here"],
  "report/intervals": ["invalid", "the intervals are not those of the report, or their sums are not its totals"],

  "order/malformed": ["malformed", "there is no such order"],
  "order/signature": ["invalid", "a signature of the order does not hold, or is not of a party"],
  "order/mixed": ["policy", "the order raises some devices and lowers others, and no one number of signatures serves both"],
  "order/out-of-turn": ["policy", "only a pause may come into force before the newest active order"],
  "order/unknown": ["unknown", "there is no such draft of an order"],
  "order/stale": ["policy", "another order became active since: draft it again"],
  "order/active": ["policy", "the order is active already: a further signature would make it invalid"],
  "order/not-a-party": ["policy", "the signer is not a party to the agreement"],
  "order/signed-already": ["policy", "this party has signed the order already"],

  "recovery/not-needed": ["policy", "the device's journal is whole"],
  "recovery/quorum": ["policy", "fewer parties than the license quorum agree"],
} as const satisfies Record<string, readonly [VerifierErrorClass, string]>;

/** What the service refuses besides: what takes a registry, a store, and other verifiers. */
// biome-ignore format: a table, one row a code
export const SERVICE_ERRORS = {
  "device/suspended": ["policy", "the device is suspended"],
  "device/retired": ["policy", "the device is retired"],
  "device/suspected-fork": ["policy", "the device is suspected of being two: a registrar must look at it"],
  "certificate/key": ["policy", "the attestation key is another device's"],
  "device/registration": ["malformed", "the registration is not one that can be kept"],
  "device/query": ["malformed", "there is no such page of devices"],

  "nonces/mismatch": ["malformed", "the evidence's nonce is not that of the list of nonces"],

  "license/policy": ["policy", "the license is against the policy of the parties here"],
  "license/draft": ["invalid", "the draft is not a license that answers this evidence"],
  "license/signed-already": ["policy", "another license was signed for this evidence, or with this sequence"],
  "license/offline": ["policy", "the agreement takes no licenses without a nonce"],
  "license/malformed": ["malformed", "the license cannot be read"],
  "license/signature": ["invalid", "the license is not signed by the whole quorum of its agreement"],
  "license/agreement": ["policy", "the license stands under an agreement that is not known here"],

  "recovery/draft": ["invalid", "the draft is not the recovery that answers this evidence"],
  "recovery/malformed": ["malformed", "the recovery cannot be read"],
  "recovery/signature": ["invalid", "the recovery is not signed by the whole quorum of its agreement"],
  "recovery/agreement": ["policy", "the recovery stands under an agreement that is not known here"],
  "recovery/totals-regressed": ["policy", "the recovery makes less of what the device did than is known here"],
  "recovery/license-ahead": ["policy", "the recovery goes on from a license too far ahead of those known here: show them first"],
  "recovery/report-forked": ["policy", "the recovery goes on from a report that contradicts the one here"],

  "opening/malformed": ["malformed", "the opening cannot be read"],
  "opening/unwanted": ["unknown", "no such interval was asked for"],
  "opening/mismatch": ["invalid", "the interval does not belong to the report"],

  "time/no-authority": ["unknown", "too few time authorities of the agreement have their keys here"],
  "time/nonce": ["malformed", "a time challenge has 32 bytes"],

  "frost/group": ["unknown", "no share of this group's key is here, or the agreement does not name the group"],
  "frost/context": ["invalid", "the message is not what a signature on the draft is over"],
  "frost/commitment": ["policy", "the commitment is not this holder's, or it was used already"],
  "frost/commitments": ["malformed", "the commitments are not those of enough holders of the group, each once"],
  "frost/approval": ["policy", "nobody here has approved this order, or issued this license, for the group"],
  "frost/epoch": ["policy", "a share was given here for another order of this epoch: no second one is signed"],

  "evidence/log-forked": ["policy", "the device was shown a head of the log that this log never had: there are two of them"],

  "log/unpublished": ["unavailable", "it is in the log, and no signed head covers it yet: ask again"],
  "log/rolled-back": ["unavailable", "most witnesses have seen more of the log than there is: a backup was put back, and nothing is signed"],
  "log/not-cosigned": ["unavailable", "too few witnesses have cosigned a head of the log that covers it: ask again"],
  "log/entry-unknown": ["unknown", "no such message is in the log"],
  "log/not-agreed": ["unknown", "the message's agreement does not name this log"],
  "log/head-ahead": ["ahead", "the log has no head of that size yet"],
  "log/tile-unknown": ["unknown", "the log has no such tile, or no signed head that covers it"],

  "log/head-malformed": ["malformed", "this is no head of a log in the form of add-checkpoint"],
  "log/head-unknown": ["unknown", "no agreement here names a log of this origin"],
  "log/head-signature": ["invalid", "the log did not sign the head"],
  "log/head-path": ["invalid", "the path leads from no head that is known here to this one"],

  "verdict/unknown": ["unknown", "no such evidence was judged here"],
  "audit/query": ["malformed", "there is no such page of the audit trail"],
} as const satisfies Record<string, readonly [VerifierErrorClass, string]>;

export const VERIFIER_ERRORS = { ...JUDGEMENT_ERRORS, ...SERVICE_ERRORS } as const;

export type VerifierErrorCode = keyof typeof VERIFIER_ERRORS;

export class VerifierError extends Error {
  readonly code: VerifierErrorCode;
  readonly class: VerifierErrorClass;

  /** `detail` says with what; the phrase of the code says what was wrong. */
  constructor(code: VerifierErrorCode, detail?: string, options?: ErrorOptions) {
    const [errorClass, phrase] = VERIFIER_ERRORS[code];
    super(detail === undefined ? phrase : `${phrase} (${detail})`, options);
    this.name = "VerifierError";
    this.code = code;
    this.class = errorClass;
  }
}
