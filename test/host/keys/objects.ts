/** One draft of each type that a party signs, small and valid. */
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import type { SignType } from "../../../host/keys/sign-names.ts";
import { encodeAgreement, type Member } from "../../../host/objects/agreement.ts";
import { encodeLicense } from "../../../host/objects/license.ts";
import { encodeOrder, NO_ORDER } from "../../../host/objects/order.ts";
import { encodeRecovery } from "../../../host/objects/recovery.ts";
import { draftSign, type VerificationKey } from "../../../host/protocol/cose.ts";

const digest = new Uint8Array(32).fill(3);
const ueid = Uint8Array.from([1, ...new Uint8Array(32).fill(9)]);

function agreementPayload(keys: readonly VerificationKey[]): Uint8Array {
  const parties: Member[] = keys.map(({ kid, publicKey }, i) => ({ kid, publicKey, name: `Party ${i + 1}` }));
  return encodeAgreement({
    version: 1,
    name: "an agreement",
    parties,
    quorums: { license: 1, pause: 1, resume: 1, update: 1, amend: 1 },
    timeAuthorities: [parties[0]!],
    timeQuorum: 1,
    caps: new Map([[EngineClass.TENSOR_FP8, { budgetMax: 1000n, rateMax: 1n }]]),
    tickHz: 1000,
    driftPpm: 100,
    leaseSeconds: 60,
    licenseTicksMax: 1000n,
    sliceTicks: 10n,
    drain: new Map(),
    drainTicksMax: 0n,
    offline: false,
    svnLeast: 1,
  });
}

const PAYLOADS: Record<Exclude<SignType, "agreement">, Uint8Array> = {
  license: encodeLicense({
    expirySeconds: 2,
    notBeforeSeconds: 1,
    nonce: digest,
    ueid,
    agreementDigest: digest,
    epoch: 0,
    sequence: 1n,
    budget: new Map([[EngineClass.TENSOR_FP8, 10n]]),
    ticksMax: 10n,
    svnLeast: 1,
  }),
  order: encodeOrder({
    notBeforeSeconds: 1,
    agreementDigest: digest,
    epoch: 1,
    action: OrderAction.PAUSE,
    previousDigest: NO_ORDER,
  }),
  recovery: encodeRecovery({
    nonce: digest,
    ueid,
    agreementDigest: digest,
    epoch: 1,
    sequence: 1n,
    action: OrderAction.PAUSE,
    totals: new Array(12).fill(0n),
    reportHead: { sequence: 0n, digest },
    orderDigest: NO_ORDER,
  }),
};

export function draftOf(type: SignType, keys: readonly VerificationKey[]): Uint8Array {
  return draftSign(type === "agreement" ? agreementPayload(keys) : PAYLOADS[type]);
}
