import { describe, expect, it } from "vitest";
import { FlashShape } from "../../../firmware/protocol/board.ts";
import { ObjectType, OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { signAgreement } from "../../../host/objects/agreement.ts";
import { type CborValue, decode, encode, Tagged } from "../../../host/protocol/cbor.ts";
import { ERROR_PHRASES, errorPhrase } from "../../../host/protocol/error-phrases.ts";
import { Governor } from "../../../sim-board/governor-module.ts";
import { BenchLog, logTermsOf, type ProofChange } from "../../log.ts";
import { hex } from "../../refusals.ts";
import { agreementOf, CLOCK, governorImage, PARTIES, phaseOf, Rig, STRANGER } from "../../rig.ts";
import { altered, wear } from "./bench.ts";

const BF16 = EngineClass.TENSOR_BF16;
const PAUSE = OrderAction.PAUSE;
const nameOf = (code: number) => errorPhrase(code).name;

/** The answer's code to raw bytes. */
const raw = (bytes: string) => (rig: Rig) => nameOf((decode(rig.board.request(hex(bytes))) as number[])[0]!);

/** The license with the parts of its COSE_Sign changed. */
const reshaped = (change: (parts: CborValue[]) => CborValue) => (rig: Rig) => {
  const message = decode(rig.license()) as Tagged;
  return rig.verdict(Command.LICENSE, encode(new Tagged(98, change([...(message.value as CborValue[])]))));
};
/** The same with its first signature changed. */
const resigned = (change: (signature: CborValue[]) => CborValue) =>
  reshaped((parts) => {
    const [first, ...others] = parts[3] as CborValue[];
    parts[3] = [change([...(first as CborValue[])]), ...others];
    return parts;
  });
const license = (change: object) => (rig: Rig) => rig.verdict(Command.LICENSE, rig.license(change));
const order =
  (change: object, action = PAUSE) =>
  (rig: Rig) =>
    rig.verdict(Command.ORDER, rig.order(action, change));
const beacon = (change: object) => (rig: Rig) => rig.verdict(Command.BEACON, rig.beacon(change));
const alone = (act: (rig: Rig) => string) => ({ act, from: () => new Rig() });
const ready = (act: (rig: Rig) => string) => ({ act, from: () => Rig.ready() });
const open = (act: (rig: Rig) => string) => ({ act, from: () => Rig.open() });
/** A code that no answer carries: it stands in the State block as the reason why the gate moved. */
const reason = (act: (rig: Rig) => void) =>
  open((rig) => {
    act(rig);
    return rig.lastReason;
  });
const recovering = (act: (rig: Rig) => string) => ({
  act,
  from: () => {
    const rig = Rig.open();
    rig.board.cutPower();
    for (let sector = FlashShape.JOURNAL_SECTOR; sector < 64; sector++) rig.board.flash.erase(sector);
    rig.board.powerOn();
    return rig;
  },
});

const logged = (act: (rig: Rig) => string) => ({ act, from: () => Rig.ready({ log: logTermsOf() }) });
/** A license with its proof from this log, which has it just so. */
const show = (rig: Rig, log: BenchLog, change: ProofChange = {}) => {
  const object = rig.license();
  return rig.verdict(Command.LICENSE, object, log.prove(rig, ObjectType.LICENSE, object, change));
};
const shown = (change: ProofChange) => logged((rig) => show(rig, new BenchLog(5), change));

/** How each refusal is met. */
const MEET: Record<string, { act: (rig: Rig) => string; from: () => Rig }> = {
  OK: ready((rig) => rig.verdict(Command.INFO)),

  MAILBOX_LENGTH: ready(raw("")),
  MAILBOX_FORM: ready(raw("01")),
  MAILBOX_COMMAND: ready(raw("8118ff")),
  MAILBOX_ARGUMENT: ready((rig) => rig.verdict(Command.INFO, new Uint8Array(1))),
  MAILBOX_NOT_BOOTED: alone(() => {
    const governor = new Governor(governorImage(), {} as never);
    return nameOf((decode(governor.doorbell(encode([Command.INFO]))) as number[])[0]!);
  }),

  CBOR_TRUNCATED: ready(raw("8201")),
  CBOR_TRAILING: ready(raw("810100")),
  CBOR_NOT_SHORTEST: ready(raw("811801")),
  CBOR_INDEFINITE: ready(raw("9f01ff")),
  CBOR_RESERVED: ready(raw("811c")),
  CBOR_SIMPLE: ready(raw("82 01 f7")),
  CBOR_FLOAT: ready(raw("82 01 f93c00")),
  CBOR_UTF8: ready(raw("82 01 61ff")),
  CBOR_KEY_ORDER: ready(raw("82 01 a2 02 00 01 00")),
  CBOR_KEY_DUPLICATE: ready(raw("82 01 a2 01 00 01 00")),
  CBOR_DEPTH: ready(raw("82 01 81 81 81 81 81 81 81 81 00")),
  CBOR_TYPE: ready(raw("82 01 c2 00")),

  COSE_TAG: ready((rig) => rig.verdict(Command.LICENSE, rig.beacon())),
  COSE_FORM: ready(reshaped((parts) => parts.slice(0, 3))),
  COSE_ALGORITHM: ready(resigned((s) => [encode(new Map([[1, -8]])), s[1]!, s[2]!])),
  COSE_HEADER: ready(resigned((s) => [s[0]!, new Map([...(s[1] as Map<CborValue, CborValue>), [33, 0]]), s[2]!])),
  COSE_HEADER_TWICE: ready(
    resigned((s) => [
      s[0]!,
      new Map<CborValue, CborValue>([
        [1, -19],
        [4, new Uint8Array(8)],
      ]),
      s[2]!,
    ]),
  ),
  COSE_CRITICAL: ready(
    resigned((s) => [
      encode(
        new Map<CborValue, CborValue>([
          [1, -19],
          [2, [1]],
        ]),
      ),
      s[1]!,
      s[2]!,
    ]),
  ),
  COSE_KID: ready(resigned((s) => [s[0]!, new Map([[4, new Uint8Array(7)]]), s[2]!])),
  COSE_SIGNATURE: ready(resigned((s) => [s[0]!, s[1]!, new Uint8Array(64)])),
  COSE_QUORUM: ready((rig) => rig.verdict(Command.LICENSE, rig.license({}, [PARTIES[0]!, STRANGER]))),
  COSE_SIGNER_TWICE: ready(reshaped((parts) => [...parts.slice(0, 3), Array(2).fill((parts[3] as CborValue[])[0]!)])),
  COSE_SIGNATURES_SURPLUS: ready((rig) => rig.verdict(Command.LICENSE, rig.license({}, PARTIES))),
  COSE_PAYLOAD: ready(reshaped((parts) => [parts[0]!, parts[1]!, null, parts[3]!])),

  BOOT_TRNG: ready((rig) => {
    rig.board.trng.stuckAt = 1;
    return rig.powerCycle();
  }),
  BOOT_HANDOFF: ready((rig) => {
    // A hand-off without a certificate that names this key and this image.
    const hal = new Proxy({}, { get: (_, name) => (to: unknown) => halValue(String(name), to) });
    expect(rig.board.on).toBe(true);
    return nameOf(new Governor(governorImage(), hal as never).boot(new Uint8Array(140)));
  }),
  BOOT_NOT_PROVISIONED: alone((rig) => nameOf(rig.board.powerOn())),
  BOOT_SVN: ready((rig) => {
    rig.board.fuses.burn(9, 3);
    return rig.powerCycle();
  }),

  JOURNAL_ROLLBACK: ready((rig) => {
    const old = rig.board.flash.image();
    rig.must(rig.send(Command.REPORT));
    rig.board.cutPower();
    rig.board.flash.replace(old);
    return rig.powerCycle();
  }),
  JOURNAL_MISSING: recovering((rig) => rig.powerCycle()),
  JOURNAL_WRITE: { act: (rig) => nameOf(rig.board.powerOn()), from: () => new Rig({}, { flashSectors: 5 }) },
  JOURNAL_COUNTER: ready((rig) => {
    rig.board.counter.step = () => undefined;
    return rig.verdict(Command.LICENSE, rig.license());
  }),
  JOURNAL_COUNTER_WORN: {
    act: (rig) => {
      wear(rig, 261);
      return rig.lastReason;
    },
    from: () => Rig.ready({ sliceTicks: 1000n }, { counterLifeSteps: 260 }),
  },

  AGREEMENT_MISSING: alone((rig) => {
    rig.board.powerOn();
    return rig.verdict(Command.REPORT);
  }),
  AGREEMENT_CLAIM: ready((rig) =>
    rig.verdict(
      Command.AGREEMENT,
      altered(signAgreement(rig.agreement, PARTIES), ObjectType.AGREEMENT, (c) => c.set(99, 0)),
    ),
  ),
  AGREEMENT_LIMIT: ready((rig) =>
    rig.verdict(
      Command.AGREEMENT,
      altered(signAgreement(rig.agreement, PARTIES), ObjectType.AGREEMENT, (c) => c.set(8, 0)),
    ),
  ),
  AGREEMENT_QUORUM_RULE: ready((rig) =>
    rig.verdict(
      Command.AGREEMENT,
      altered(signAgreement(rig.agreement, PARTIES), ObjectType.AGREEMENT, (c) => c.set(6, 2)),
    ),
  ),
  AGREEMENT_PARTY: ready((rig) =>
    rig.verdict(
      Command.AGREEMENT,
      altered(signAgreement(rig.agreement, PARTIES), ObjectType.AGREEMENT, (c) =>
        c.set(5, [...(c.get(5) as CborValue[]), ...(c.get(5) as CborValue[])]),
      ),
    ),
  ),
  AGREEMENT_VERSION: ready((rig) => rig.verdict(Command.AGREEMENT, signAgreement(rig.agreement, PARTIES.slice(0, 2)))),
  AGREEMENT_OTHER: ready((rig) => {
    rig.board.cutPower();
    rig.board.flash.erase(FlashShape.AGREEMENT_SECTOR);
    rig.board.powerOn();
    return rig.verdict(Command.AGREEMENT, signAgreement(agreementOf({ name: "other" }), PARTIES));
  }),
  AGREEMENT_FUSES_FULL: ready((rig) => {
    for (let version = 2; version < 20; version++) {
      const verdict = rig.verdict(Command.AGREEMENT, signAgreement(agreementOf({ version }), PARTIES.slice(0, 2)));
      if (verdict !== "OK") return verdict;
    }
    return "OK";
  }),
  AGREEMENT_BUSY: open((rig) =>
    rig.verdict(Command.AGREEMENT, signAgreement(agreementOf({ version: 2 }), PARTIES.slice(0, 2))),
  ),

  LICENSE_CLAIM: ready((rig) =>
    rig.verdict(
      Command.LICENSE,
      altered(rig.license(), ObjectType.LICENSE, (c) => c.delete(-75005)),
    ),
  ),
  LICENSE_DEVICE: ready(license({ ueid: new Uint8Array(33) })),
  LICENSE_AGREEMENT: ready(license({ agreementDigest: new Uint8Array(32) })),
  LICENSE_EPOCH: ready(license({ epoch: 1 })),
  LICENSE_SEQUENCE_REPLAYED: open(license({ sequence: 1n })),
  LICENSE_SEQUENCE_JUMP: ready(license({ sequence: 1025n })),
  LICENSE_NONCE: ready(license({ nonce: new Uint8Array(32) })),
  LICENSE_OFFLINE_NOT_ALLOWED: { act: license({ nonce: undefined }), from: () => Rig.ready({ offline: false }) },
  LICENSE_NOT_YET_VALID: ready((rig) =>
    rig.verdict(Command.LICENSE, rig.license({ notBeforeSeconds: rig.nowSeconds + 9 })),
  ),
  LICENSE_EXPIRED: ready((rig) => rig.verdict(Command.LICENSE, rig.license({ expirySeconds: rig.nowSeconds }))),
  LICENSE_BUDGET_OVER_CAP: ready(license({ budget: new Map([[BF16, 10n ** 20n + 1n]]) })),
  LICENSE_TICKS_OVER_CAP: ready(license({ ticksMax: 86_400_001n })),
  LICENSE_SVN: ready(license({ svnLeast: 2 })),
  LICENSE_CLASS: ready(license({ budget: new Map([[0, 1n]]) })),
  LICENSE_BACK_OFF: ready((rig) => {
    for (let i = 0; i < 4; i++) rig.send(Command.LICENSE, new Uint8Array(1));
    return rig.verdict(Command.LICENSE, rig.license());
  }),
  LICENSE_PAUSED: ready((rig) => {
    rig.obey(PAUSE);
    return rig.verdict(Command.LICENSE, rig.license());
  }),
  LICENSE_TIME_UNKNOWN: ready((rig) => {
    rig.powerCycle();
    return rig.verdict(Command.LICENSE, rig.license());
  }),
  LICENSE_RATE_OVER_CAP: ready(license({ rate: new Map([[BF16, 10n ** 12n + 1n]]) })),
  LICENSE_DRAIN_OVER_CAP: ready(license({ drain: new Map([[BF16, 1n]]) })),

  ORDER_CLAIM: ready((rig) =>
    rig.verdict(
      Command.ORDER,
      altered(rig.order(PAUSE), ObjectType.ORDER, (c) => c.set(-75999, 5), PARTIES.slice(0, 1)),
    ),
  ),
  ORDER_PREVIOUS: ready(order({ previousDigest: new Uint8Array(32).fill(1), permille: 5 }, OrderAction.SLOW)),
  ORDER_AGREEMENT: ready(order({ agreementDigest: new Uint8Array(32) })),
  ORDER_EPOCH_OLD: ready(order({ epoch: 0 })),
  ORDER_EPOCH_JUMP: ready(order({ epoch: 1025 })),
  ORDER_NOT_YET: ready((rig) => rig.verdict(Command.ORDER, rig.order(PAUSE, { notBeforeSeconds: rig.nowSeconds + 9 }))),

  TIME_CLAIM: ready((rig) =>
    rig.verdict(
      Command.BEACON,
      altered(rig.beacon(), ObjectType.BEACON, (c) => c.delete(6), [CLOCK]),
    ),
  ),
  TIME_AGREEMENT: ready(beacon({ agreementDigest: new Uint8Array(32) })),
  TIME_NONCE: ready((rig) => rig.verdict(Command.TIME_PROOF, rig.timeProof({ nonce: new Uint8Array(32) }))),
  TIME_STALE: ready((rig) => rig.verdict(Command.BEACON, rig.beacon({ issuedAtSeconds: rig.nowSeconds - 300 }))),
  TIME_UNKNOWN: ready((rig) => {
    rig.powerCycle();
    return rig.verdict(Command.BEACON, rig.beacon());
  }),
  TIME_EPOCH_JUMP: ready(beacon({ epoch: 1025 })),
  TIME_EPOCH_OLD: ready((rig) => {
    rig.obey(PAUSE);
    return rig.verdict(Command.BEACON, rig.beacon({ epoch: 0 }));
  }),

  GATE_NOT_OPEN: ready((rig) => rig.verdict(Command.DRAIN_DONE)),
  GATE_LOCKED: recovering((rig) => rig.verdict(Command.REPORT)),
  GATE_LEASE_LAPSED: reason((rig) => rig.board.advance(302)),
  GATE_LICENSE_ENDED: reason((rig) => {
    rig.must(rig.send(Command.LICENSE, rig.license({ ticksMax: 1n })));
    rig.board.advance(2);
  }),
  GATE_ORDER_WITHHELD: reason((rig) => rig.must(rig.send(Command.BEACON, rig.beacon({ epoch: 1 })))),
  GATE_STATE_INVALID: open((rig) => {
    rig.obey(PAUSE);
    rig.must(rig.send(Command.DRAIN_DONE));
    // Somebody writes over the gate's state.
    const snapshot = rig.board.snapshot();
    new DataView(snapshot.state!.buffer).setUint32(8, 0x12345678, true);
    rig.board.restore(snapshot);
    return rig.verdict(Command.ORDER, rig.order(OrderAction.RESUME)) && rig.lastReason;
  }),
  GATE_BASELINE: ready((rig) => rig.verdict(Command.DIAGNOSE)),
  GATE_REPORT_DUE: {
    act: (rig) => {
      rig.must(rig.send(Command.LICENSE, rig.license({ budget: new Map([[BF16, 2n ** 80n]]), drain: undefined })));
      rig.board.submit(phaseOf(600, { measured: true, work: new Map([[BF16, 2n ** 65n]]) }));
      rig.board.advance(290);
      return rig.lastReason;
    },
    from: () =>
      Rig.ready({ caps: new Map([[BF16, { budgetMax: 2n ** 80n, rateMax: 2n ** 62n / 60_000n }]]), drain: new Map() }),
  },
  GATE_DRAINED: reason((rig) => {
    rig.obey(PAUSE);
    rig.must(rig.send(Command.DRAIN_DONE));
  }),
  METER_SATURATED: recovering((rig) => {
    const totals = Array.from({ length: 12 }, (_, c) => (c === BF16 ? 2n ** 128n - 2n : 0n));
    rig.must(rig.send(Command.RECOVER, rig.recovery({ totals })));
    rig.must(rig.syncTime());
    rig.must(rig.send(Command.LICENSE, rig.license()));
    rig.board.submit(phaseOf(10));
    rig.board.advance(10);
    return rig.lastReason;
  }),
  METER_REGRESSED: reason((rig) => {
    rig.board.run(phaseOf(10, { work: new Map([[BF16, 1000n]]) }));
    rig.board.accelerator.retiredOf = (engineClass) => (engineClass === BF16 ? 1n : 0n);
    rig.board.advance(2);
  }),
  METER_UNCOUNTED: reason((rig) => {
    rig.board.accelerator.retiredOf = () => 0n;
    rig.board.run(phaseOf(2));
  }),
  METER_OVERRUN: reason((rig) => {
    rig.board.accelerator.retiredOf = () => 10n ** 18n;
    rig.board.advance(2);
  }),

  EVIDENCE_NONCE: ready((rig) => rig.verdict(Command.EVIDENCE, new Uint8Array(7))),
  REPORT_NONE: ready((rig) => rig.verdict(Command.REPORT_AGAIN)),
  REPORT_STORE: ready((rig) => {
    rig.must(rig.send(Command.REPORT));
    rig.board.flash.erase(FlashShape.REPORT_SECTOR + 1);
    return rig.verdict(Command.REPORT_AGAIN);
  }),

  RECOVERY_NOT_NEEDED: ready((rig) => rig.verdict(Command.RECOVER, rig.recovery())),
  RECOVERY_CLAIM: recovering((rig) =>
    rig.verdict(
      Command.RECOVER,
      altered(rig.recovery(), ObjectType.RECOVERY, (c) => c.delete(-75002)),
    ),
  ),
  RECOVERY_DEVICE: recovering((rig) => rig.verdict(Command.RECOVER, rig.recovery({ ueid: new Uint8Array(33) }))),
  RECOVERY_NONCE: recovering((rig) => rig.verdict(Command.RECOVER, rig.recovery({ nonce: new Uint8Array(32) }))),
  RECOVERY_AGREEMENT: recovering((rig) =>
    rig.verdict(Command.RECOVER, rig.recovery({ agreementDigest: new Uint8Array(32) })),
  ),

  LOG_PROOF_MISSING: logged((rig) => rig.verdict(Command.LICENSE, rig.license())),
  LOG_PROOF_FORM: logged((rig) => rig.verdict(Command.LICENSE, rig.license(), new Uint8Array(1))),
  LOG_NOT_AGREED: ready((rig) => rig.verdict(Command.LICENSE, rig.license(), new Uint8Array(1))),
  LOG_KEY: shown({ kid: STRANGER.kid }),
  LOG_TREE_SIZE: shown({ checkpointSize: 9 }),
  LOG_INCLUSION: shown({ index: 0 }),
  LOG_ROLLED_BACK: logged((rig) => {
    show(rig, new BenchLog(9));
    return show(rig, new BenchLog(3));
  }),
  LOG_FORKED: logged((rig) => {
    show(rig, new BenchLog(9));
    return show(rig, new BenchLog(9));
  }),
  LOG_RECEIPT: shown({ receiptSignature: new Uint8Array(64) }),
  LOG_CHECKPOINT: shown({ checkpointSignature: new Uint8Array(64) }),
  LOG_WITNESS_MISSING: shown({ by: [] }),
  LOG_WITNESS_QUORUM: shown({ by: [2] }),
  LOG_WITNESS_UNKNOWN: shown({ by: [1, 0] }),
  LOG_COSIGNATURE: logged((rig) => {
    const { cosignatures } = new BenchLog(3).proofOf(0);
    return show(rig, new BenchLog(9), { cosignatures });
  }),
  LOG_STALE: shown({ at: 0 }),

  TAMPERED: open((rig) => {
    rig.board.trip(1);
    return rig.verdict(Command.EVIDENCE, new Uint8Array(8));
  }),
};

/** Codes that no test can meet on a board, each with its reason. */
const OUT_OF_REACH = new Map([
  [
    "MAILBOX_ANSWER_TOO_LONG",
    "the longest answer, a report with eight intervals, fits the mailbox by far; the check is there for later ones",
  ],
  [
    "CBOR_LENGTH",
    "an object over 4,096 bytes does not fit the request that carries it; primitives.wasm shows the code",
  ],
  ["ATTESTATION_KEY", "needs a fault in the State block: identity.test.ts flips each bit of the key"],
  ["BOOT_SELF_TEST_SHA256", "needs a broken module"],
  ["BOOT_SELF_TEST_SHA512", "needs a broken module"],
  ["BOOT_SELF_TEST_HMAC", "needs a broken module"],
  ["BOOT_SELF_TEST_HKDF", "needs a broken module"],
  ["BOOT_SELF_TEST_ED25519_SIGN", "needs a broken module"],
  ["BOOT_SELF_TEST_ED25519_VERIFY", "needs a broken module"],
  ["BOOT_SELF_TEST_CBOR", "needs a broken module"],
]);

/** A board without parts: random bytes differ, time stands, the rest reads as nothing. */
function halValue(name: string, to: unknown): unknown {
  if (to instanceof Uint8Array) for (let i = 0; i < to.length; i++) to[i] = (i * 73 + 5) & 0xff;
  return name === "ticks" || name === "workRead" ? 0n : 0;
}

describe("each refusal", () => {
  it.each(Object.keys(MEET))("%s is met, and said by its code", (name) => {
    const { act, from } = MEET[name]!;
    expect(act(from())).toBe(name);
  });

  it("of the table is either met here or out of reach for a stated reason", () => {
    const known = Object.values(ERROR_PHRASES).map(({ name }) => name);
    expect(known.filter((name) => !(name in MEET) && !OUT_OF_REACH.has(name))).toEqual([]);
    expect([...OUT_OF_REACH.keys()].filter((name) => name in MEET || !known.includes(name))).toEqual([]);
  });
});
