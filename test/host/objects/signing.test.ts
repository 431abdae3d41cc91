import { describe, expect, it } from "vitest";
import { ObjectType, OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { Limit } from "../../../firmware/protocol/limits.ts";
import { objectAad } from "../../../host/objects/aad.ts";
import {
  type Agreement,
  agreementDigest,
  encodeAgreement,
  signAgreement,
  verifyAgreement,
} from "../../../host/objects/agreement.ts";
import { encodeLicense, type License, signLicense, verifyLicense } from "../../../host/objects/license.ts";
import { type Order, orderQuorum, signOrder, verifyOrder } from "../../../host/objects/order.ts";
import { signTime, verifyTime } from "../../../host/objects/time.ts";
import { addSignature, draftSign, ed25519Signer } from "../../../host/protocol/cose.ts";
import { Refusal } from "../../../host/protocol/refusal.ts";

const signers = [1, 2, 3, 4].map((fill) => ed25519Signer(new Uint8Array(32).fill(fill)));
const [a, b, c, time] = signers as [(typeof signers)[0], (typeof signers)[0], (typeof signers)[0], (typeof signers)[0]];
const time2 = ed25519Signer(new Uint8Array(32).fill(5));
const member = (signer: typeof a, name: string) => ({ kid: signer.kid, publicKey: signer.publicKey, name });

const agreement: Agreement = {
  version: 1,
  name: "Example",
  parties: [member(a, "A"), member(b, "B"), member(c, "C")],
  quorums: { license: 2, pause: 1, resume: 2, update: 2, amend: 2 },
  timeAuthorities: [member(time, "Time")],
  timeQuorum: 1,
  caps: new Map([[EngineClass.TENSOR_BF16, { budgetMax: 10n ** 21n, rateMax: 10n ** 12n }]]),
  tickHz: 1000,
  driftPpm: 100,
  leaseSeconds: 60,
  licenseTicksMax: 3_600_000n,
  sliceTicks: 100n,
  drain: new Map([[EngineClass.TENSOR_BF16, 10n ** 15n]]),
  drainTicksMax: 10_000n,
  baseline: undefined,
  offline: false,
  svnLeast: 1,
};
const digest = agreementDigest(agreement);
const license: License = {
  expirySeconds: 2000,
  notBeforeSeconds: 1000,
  nonce: new Uint8Array(32),
  ueid: new Uint8Array(33),
  cohort: undefined,
  agreementDigest: digest,
  epoch: 1,
  sequence: 1n,
  budget: new Map([[EngineClass.TENSOR_BF16, 5n]]),
  rate: undefined,
  ticksMax: 10n,
  drain: undefined,
  svnLeast: 1,
};
const pause: Order = {
  notBeforeSeconds: 1000,
  agreementDigest: digest,
  epoch: 2,
  drain: undefined,
  action: OrderAction.PAUSE,
  scope: undefined,
  drainTicks: undefined,
  permille: undefined,
  previousDigest: new Uint8Array(32),
};
const statement = { issuedAtSeconds: 1000, nonce: undefined, agreementDigest: digest, epoch: 1, orderDigest: digest };

function codeOf(action: () => unknown): number | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return undefined;
}

describe("an agreement", () => {
  it("is in force when all its parties signed, and no fewer", () => {
    expect(verifyAgreement(signAgreement(agreement, [a, b, c])).digest).toEqual(digest);
    expect(codeOf(() => verifyAgreement(signAgreement(agreement, [a, b])))).toBe(ErrorCode.COSE_QUORUM);
  });

  it("is amended by the amend quorum of the one in force, with a higher version", () => {
    const next = {
      ...agreement,
      version: 2,
      parties: [member(c, "C")],
      quorums: { ...agreement.quorums, license: 1, resume: 1, update: 1, amend: 1 },
    };
    expect(verifyAgreement(signAgreement(next, [a, b]), agreement).agreement.version).toBe(2);
    expect(codeOf(() => verifyAgreement(signAgreement(next, [c]), agreement))).toBe(ErrorCode.COSE_QUORUM);
    const same = { ...agreement, name: "Other" };
    expect(codeOf(() => verifyAgreement(signAgreement(same, [a, b]), agreement))).toBe(ErrorCode.AGREEMENT_VERSION);
  });

  const bf16 = agreement.caps.get(EngineClass.TENSOR_BF16)!;
  it.each([
    ["version 0", { version: 0 }, ErrorCode.AGREEMENT_LIMIT],
    ["no party", { parties: [] }, ErrorCode.AGREEMENT_LIMIT],
    [
      "nine parties",
      { parties: Array.from({ length: 9 }, (_, i) => member(ed25519Signer(new Uint8Array(32).fill(i)), "x")) },
      ErrorCode.AGREEMENT_CLAIM,
    ],
    ["no name", { name: "" }, ErrorCode.AGREEMENT_CLAIM],
    ["a name of 65 bytes", { name: "x".repeat(65) }, ErrorCode.AGREEMENT_CLAIM],
    ["no caps", { caps: new Map(), drain: new Map() }, ErrorCode.AGREEMENT_CLAIM],
    ["a class that does not exist", { caps: new Map([[12, bf16]]) }, ErrorCode.AGREEMENT_CLAIM],
    ["a tick rate over 1 MHz", { tickHz: 1_000_001 }, ErrorCode.AGREEMENT_LIMIT],
    ["a drift over a tenth", { driftPpm: 100_001 }, ErrorCode.AGREEMENT_LIMIT],
    ["a lease of nothing", { leaseSeconds: 0 }, ErrorCode.AGREEMENT_LIMIT],
    ["a lease over a year", { leaseSeconds: 31_536_001 }, ErrorCode.AGREEMENT_LIMIT],
    ["a slice of nothing", { sliceTicks: 0n }, ErrorCode.AGREEMENT_LIMIT],
    ["a slice of more work than 2^62", { sliceTicks: 2n ** 40n }, ErrorCode.AGREEMENT_LIMIT],
    [
      "a class with a cap and no rate",
      { caps: new Map([[EngineClass.TENSOR_BF16, { ...bf16, rateMax: 0n }]]) },
      ErrorCode.AGREEMENT_LIMIT,
    ],
    ["a drain in a class without a cap", { drain: new Map([[EngineClass.COPY, 1n]]) }, ErrorCode.AGREEMENT_LIMIT],
    ["a baseline in a class without a cap", { baseline: new Map([[EngineClass.COPY, 1n]]) }, ErrorCode.AGREEMENT_LIMIT],
    ["a drain over 64 bits", { drain: new Map([[EngineClass.TENSOR_BF16, 2n ** 64n]]) }, ErrorCode.AGREEMENT_CLAIM],
    ["a quorum of none", { quorums: { ...agreement.quorums, pause: 0 } }, ErrorCode.AGREEMENT_QUORUM_RULE],
    ["a quorum of more than all", { quorums: { ...agreement.quorums, resume: 4 } }, ErrorCode.AGREEMENT_QUORUM_RULE],
    ["a time quorum of more than all", { timeQuorum: 2 }, ErrorCode.AGREEMENT_QUORUM_RULE],
    ["one key twice", { parties: [member(a, "A"), member(a, "B"), member(c, "C")] }, ErrorCode.AGREEMENT_PARTY],
    [
      "a kid of another key",
      {
        parties: [{ ...member(a, "A"), kid: b.kid }],
        quorums: { license: 1, pause: 1, resume: 1, update: 1, amend: 1 },
      },
      ErrorCode.AGREEMENT_PARTY,
    ],
  ] as const)("is refused with %s", (_name, change, code) => {
    expect(codeOf(() => encodeAgreement({ ...agreement, ...change } as Agreement))).toBe(code);
  });

  it("of the largest size, signed by all, fits one message", () => {
    const parties = Array.from({ length: 8 }, (_, i) => ed25519Signer(new Uint8Array(32).fill(i + 50)));
    const caps = new Map(Array.from({ length: 12 }, (_, i) => [i, { budgetMax: 2n ** 128n - 1n, rateMax: 2n ** 50n }]));
    const allowance = new Map(Array.from({ length: 12 }, (_, i) => [i, 2n ** 64n - 1n]));
    const largest: Agreement = {
      ...agreement,
      name: "x".repeat(64),
      parties: parties.map((signer) => member(signer, "x".repeat(32))),
      timeAuthorities: parties.slice(0, 4).map((signer) => member(signer, "x".repeat(32))),
      caps,
      drain: allowance,
      baseline: allowance,
    };
    expect(signAgreement(largest, parties).length).toBeLessThanOrEqual(Limit.MESSAGE_BYTES_MAX);
  });
});

describe("a license", () => {
  it("holds with exactly the license quorum's signatures", () => {
    expect(verifyLicense(signLicense(license, [a, c]), agreement)).toEqual(license);
    expect(codeOf(() => verifyLicense(signLicense(license, [a]), agreement))).toBe(ErrorCode.COSE_QUORUM);
    expect(codeOf(() => verifyLicense(signLicense(license, [a, b, c]), agreement))).toBe(
      ErrorCode.COSE_SIGNATURES_SURPLUS,
    );
    expect(codeOf(() => verifyLicense(signLicense(license, [a, time]), agreement))).toBe(ErrorCode.COSE_QUORUM);
  });

  it.each([
    ["no device and no cohort", { ueid: undefined }],
    ["a device and a cohort", { cohort: [new Uint8Array(33)] }],
    ["a cohort and a nonce", { ueid: undefined, cohort: [new Uint8Array(33)] }],
    ["an empty cohort", { ueid: undefined, nonce: undefined, cohort: [] }],
    ["a cohort of 33", { ueid: undefined, nonce: undefined, cohort: new Array(33).fill(new Uint8Array(33)) }],
    ["a nonce of 31 bytes", { nonce: new Uint8Array(31) }],
    ["a class that does not exist", { budget: new Map([[12, 1n]]) }],
    ["a sequence over 64 bits", { sequence: 2n ** 64n - 1n, expirySeconds: 2 ** 40 + 1 }],
    ["a drain over 64 bits", { drain: new Map([[0, 2n ** 64n]]) }],
  ] as const)("is refused with %s", (_name, change) => {
    expect(codeOf(() => encodeLicense({ ...license, ...change } as License))).toBe(ErrorCode.LICENSE_CLAIM);
  });
});

describe("an order", () => {
  it("that lowers the rate takes the pause quorum, one that raises it the resume quorum", () => {
    const slow = { ...pause, action: OrderAction.SLOW, permille: 500 };
    const resume = { ...pause, action: OrderAction.RESUME };
    expect(orderQuorum(agreement, pause, 1000)).toBe(1);
    expect(orderQuorum(agreement, slow, 1000)).toBe(1);
    expect(orderQuorum(agreement, slow, 400)).toBe(2);
    expect(orderQuorum(agreement, resume, 0)).toBe(2);
    expect(verifyOrder(signOrder(pause, [b]), agreement, 1)).toEqual(pause);
    expect(codeOf(() => verifyOrder(signOrder(resume, [b]), agreement, 2))).toBe(ErrorCode.COSE_QUORUM);
  });

  it.each([
    ["slow without a rate", { action: OrderAction.SLOW }],
    ["slow to nothing", { action: OrderAction.SLOW, permille: 0 }],
    ["slow to all", { action: OrderAction.SLOW, permille: 1000 }],
    ["pause with a rate", { permille: 500 }],
    ["pause with a rate of nothing", { permille: 0 }],
    ["an unknown action", { action: 4 }],
    ["an empty scope", { scope: [] }],
    ["resume with a drain", { action: OrderAction.RESUME, drain: new Map() }],
    ["slow with a time to drain", { action: OrderAction.SLOW, permille: 500, drainTicks: 1n }],
  ])("is refused with %s", (_name, change) => {
    expect(codeOf(() => signOrder({ ...pause, ...change } as Order, [a]))).toBe(ErrorCode.ORDER_CLAIM);
  });
});

describe("a beacon", () => {
  it("is a COSE_Sign1 of one authority or a COSE_Sign of several", () => {
    const one = signTime(ObjectType.BEACON, statement, [time]);
    expect(one[0]).toBe(0xd2);
    expect(verifyTime(ObjectType.BEACON, one, agreement)).toEqual(statement);
    const two = { ...agreement, timeAuthorities: [member(time, "T"), member(time2, "U")], timeQuorum: 2 };
    const several = signTime(ObjectType.BEACON, statement, [time, time2]);
    expect(verifyTime(ObjectType.BEACON, several, two)).toEqual(statement);
    expect(codeOf(() => verifyTime(ObjectType.BEACON, one, two))).toBe(ErrorCode.COSE_TAG);
  });

  it("carries no nonce, and a time proof must", () => {
    const nonce = new Uint8Array(32);
    expect(codeOf(() => signTime(ObjectType.BEACON, { ...statement, nonce }, [time]))).toBe(ErrorCode.TIME_CLAIM);
    expect(codeOf(() => signTime(ObjectType.TIME_PROOF, statement, [time]))).toBe(ErrorCode.TIME_CLAIM);
  });

  it("of a key that is no time authority counts for nothing", () => {
    const bytes = signTime(ObjectType.BEACON, statement, [a]);
    expect(codeOf(() => verifyTime(ObjectType.BEACON, bytes, agreement))).toBe(ErrorCode.COSE_KID);
  });
});

describe("a signature on one type of object", () => {
  const types = [ObjectType.AGREEMENT, ObjectType.ORDER, ObjectType.RECOVERY, ObjectType.BEACON, ObjectType.EVIDENCE];
  it.each(types)("(type %i) never serves as one on a license", (type) => {
    const payload = encodeLicense(license);
    const bytes = [a, b].reduce((draft, signer) => addSignature(draft, signer, objectAad(type)), draftSign(payload));
    expect(codeOf(() => verifyLicense(bytes, agreement))).toBe(ErrorCode.COSE_SIGNATURE);
  });

  it("is refused everywhere when one bit of the object is flipped", () => {
    const bytes = signLicense(license, [a, b]);
    for (let bit = 0; bit < bytes.length * 8; bit += 7) {
      const flipped = Uint8Array.from(bytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(
        codeOf(() => verifyLicense(flipped, agreement)),
        `bit ${bit}`,
      ).toBeGreaterThan(0);
    }
  });
});
