/**
 * The paths that can open the gate, each where it must not: a board brought to where it begins, the call that is
 * faulted, what credit may come of it, and the calls after it that a board would go on to make.
 */
import { FlashShape, Fuse, Lifecycle } from "../../firmware/protocol/board.ts";
import { ObjectType, OrderAction } from "../../firmware/protocol/claims.ts";
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { signAgreement } from "../../host/objects/agreement.ts";
import { decodeLogProof, encodeLogProof } from "../../host/objects/log-proof.ts";
import { encode } from "../../host/protocol/cbor.ts";
import { handoffOf } from "../bare-governor.ts";
import { BenchLog, logTermsOf } from "../log.ts";
import { agreementOf, CLOCK, PARTIES, phaseOf, Rig, STRANGER, signerOf } from "../rig.ts";
import type { Call } from "./machine.ts";

export type Scene = {
  name: string;
  prepare(): Stage;
};

/** Where a scene begins. */
export type Stage = {
  rig: Rig;
  /** Ticks that have passed since the rig's board was looked at. */
  later?: bigint;
  call: Call;
  /** Most credit that may be granted in the call and after it, by class; none where it is not named. */
  allowed?: ReadonlyMap<number, bigint>;
  /** The call must leave agreement, epoch and order as they are, and a locked board locked. */
  refuses?: boolean;
  /** The call ends what a license allows, if it is taken: work may go on where it is refused. */
  ends?: boolean;
  /** What the time authorities say of orders when the time is proven after it; it is not proven without. */
  proof?: { epoch: number; orderDigest: Uint8Array };
};

const OPTIONS = { flashSectors: 8, invariants: false };
const DRAIN = new Map([[EngineClass.COPY as number, 10n ** 11n]]);
const LEASE_TICKS = 301_000n;
const TICK: Call = { entry: "tick" };
const CREDIT_LOW: Call = { entry: "creditLow" };

const send = (command: Command, argument: Uint8Array, ...proof: readonly Uint8Array[]): Call => ({
  entry: "doorbell",
  message: encode([command, argument, ...proof]),
});

const ready = () => Rig.ready({}, OPTIONS);
const open = () => Rig.open({}, OPTIONS);

/** A license that must be refused, or must not open. */
function licenseOf(name: string, bytesOf: (rig: Rig) => Uint8Array, rigOf: () => Rig = ready, later = 0n): Scene {
  return {
    name: `license-${name}`,
    prepare() {
      const rig = rigOf();
      return { rig, later, call: send(Command.LICENSE, bytesOf(rig)) };
    },
  };
}

/** A license that is good, under an agreement with a log, but for the proof that comes with it. */
function unloggedOf(
  name: string,
  prove: (rig: Rig, log: BenchLog, license: Uint8Array) => readonly Uint8Array[],
): Scene {
  return {
    name: `license-${name}`,
    prepare() {
      const { rig, log } = logged();
      const license = rig.license();
      return { rig, call: send(Command.LICENSE, license, ...prove(rig, log, license)) };
    },
  };
}

/** A board that has seen its log once. */
function logged(): { rig: Rig; log: BenchLog } {
  const rig = Rig.ready({ log: logTermsOf() }, OPTIONS);
  const log = new BenchLog(5);
  const license = rig.license({ ticksMax: 1n });
  rig.must(rig.send(Command.LICENSE, license, log.prove(rig, ObjectType.LICENSE, license)));
  rig.board.advance(1);
  return { rig, log };
}

function sceneOf(name: string, rigOf: () => Rig, rest: (rig: Rig) => Omit<Stage, "rig">): Scene {
  return {
    name,
    prepare() {
      const rig = rigOf();
      return { rig, ...rest(rig) };
    },
  };
}

/** An object that must be refused, or what the device stands under would move. */
function refusedOf(name: string, rigOf: () => Rig, command: Command, bytesOf: (rig: Rig) => Uint8Array): Scene {
  return sceneOf(name, rigOf, (rig) => ({ call: send(command, bytesOf(rig)), refuses: true }));
}

/** Boots on what is in flash and fuses. */
function bootOf(name: string, rigOf: () => Rig, proves: boolean): Scene {
  return sceneOf(name, rigOf, (rig) => {
    const { epoch, orderDigest } = rig.info();
    rig.board.cutPower();
    return { call: { entry: "boot", message: handoffOf(rig) }, ...(proves && { proof: { epoch, orderDigest } }) };
  });
}

/** The license of a minute has run out. */
function licensedBefore(): Rig {
  const rig = ready();
  rig.must(rig.send(Command.LICENSE, rig.license({ ticksMax: 60_000n })));
  rig.board.advance(70);
  return rig;
}

function paused(): Rig {
  const rig = open();
  rig.obey(OrderAction.PAUSE);
  rig.must(rig.send(Command.DRAIN_DONE));
  return rig;
}

/** Under a license that was logged, and then a pause. */
function pausedUnderLog(): Rig {
  const { rig, log } = logged();
  const license = rig.license();
  rig.must(rig.send(Command.LICENSE, license, log.prove(rig, ObjectType.LICENSE, license)));
  rig.obey(OrderAction.PAUSE);
  rig.must(rig.send(Command.DRAIN_DONE));
  return rig;
}

/** The journal is gone: a recovery is all that brings it back. */
function withoutJournal(rig: Rig): Rig {
  rig.board.cutPower();
  for (let sector = FlashShape.JOURNAL_SECTOR; sector < rig.board.flash.sectors; sector++)
    rig.board.flash.erase(sector);
  rig.board.powerOn();
  return rig;
}

function draining(): Rig {
  const rig = open();
  rig.obey(OrderAction.PAUSE);
  return rig;
}

function withoutTime(): Rig {
  const rig = open();
  rig.board.cutPower();
  rig.must(rig.board.powerOn());
  return rig;
}

/** All of a small budget is done. */
function spent(): Rig {
  const rig = ready();
  const budget = new Map([[EngineClass.TENSOR_BF16, 10n ** 14n]]);
  rig.must(rig.send(Command.LICENSE, rig.license({ budget, drain: new Map() })));
  rig.board.run(phaseOf(1, { work: new Map([[EngineClass.TENSOR_BF16, 10n ** 14n]]) }));
  return rig;
}

/** The last byte of a COSE_Sign is the last of its last signature. */
const forged = (message: Uint8Array) => message.with(message.length - 1, message.at(-1)! ^ 1);

/** A known party's signature without its key: R is the neutral point, S is zero. It holds wherever k is zero. */
function neutral(message: Uint8Array): Uint8Array {
  const signature = new Uint8Array(64);
  signature[0] = 1;
  const changed = message.slice();
  changed.set(signature, message.length - signature.length);
  return changed;
}

/** A flash of before, when more of the budget was left. */
function rolledBack(): Rig {
  const rig = open();
  const before = rig.board.flash.snapshot();
  rig.board.run(phaseOf(150));
  rig.board.flash.restore(before);
  return rig;
}

/** A flash with a license in force that another device wrote, of the right sequence. */
function transplanted(): Rig {
  const rig = ready();
  const donor = Rig.open({}, { ...OPTIONS, seed: 2 });
  rig.board.flash.replace(donor.board.flash.image());
  return rig;
}

function tampered(): Rig {
  const rig = open();
  rig.board.fuses.burn(Fuse.LIFECYCLE, Lifecycle.TAMPERED);
  return rig;
}

const three = { license: 3, pause: 1, resume: 3, update: 3, amend: 3 };

export const SCENES: readonly Scene[] = [
  licenseOf("of-one", (rig) => rig.license({}, PARTIES.slice(0, 1))),
  licenseOf(
    "of-one-for-three",
    (rig) => rig.license({}, PARTIES.slice(0, 1)),
    () => Rig.ready({ quorums: three }, OPTIONS),
  ),
  licenseOf("of-strangers", (rig) => rig.license({}, [STRANGER, signerOf("stranger 2")])),
  licenseOf("of-one-and-a-stranger", (rig) => rig.license({}, [PARTIES[0]!, STRANGER])),
  licenseOf("forged", (rig) => forged(rig.license())),
  licenseOf("neutral-signature", (rig) => neutral(rig.license())),
  licenseOf("old-sequence", (rig) => rig.license({ sequence: rig.info().licenseSequence }), licensedBefore),
  licenseOf("wrong-epoch", (rig) => rig.license({ epoch: rig.info().epoch + 1 })),
  licenseOf("wrong-nonce", (rig) => rig.license({ nonce: new Uint8Array(32).fill(9) })),
  licenseOf("wrong-device", (rig) => rig.license({ ueid: new Uint8Array(33).fill(1) })),
  licenseOf("wrong-agreement", (rig) => rig.license({ agreementDigest: new Uint8Array(32) })),
  licenseOf("expired", (rig) => rig.license({ expirySeconds: rig.nowSeconds - 30 })),
  licenseOf("not-yet-valid", (rig) => rig.license({ notBeforeSeconds: rig.nowSeconds + 3600 })),
  licenseOf("over-ticks", (rig) => rig.license({ ticksMax: 86_400_001n })),
  licenseOf("while-paused", (rig) => rig.license(), paused),
  licenseOf("without-lease", (rig) => rig.license(), ready, LEASE_TICKS),
  licenseOf("without-time", (rig) => rig.license(), withoutTime),
  unloggedOf("in-no-log", () => []),
  unloggedOf("of-another-entry", (rig, log) => [log.prove(rig, ObjectType.LICENSE, rig.license({ ticksMax: 2n }))]),
  unloggedOf("cosigned-by-one", (rig, log, license) => [log.prove(rig, ObjectType.LICENSE, license, { by: [1] })]),
  unloggedOf("cosigned-by-one-twice", (rig, log, license) => {
    return [log.prove(rig, ObjectType.LICENSE, license, { by: [1, 1] })];
  }),
  unloggedOf("with-forged-cosignature", (rig, log, license) => {
    const proof = log.prove(rig, ObjectType.LICENSE, license);
    const { cosignatures } = decodeLogProof(proof);
    const changed = cosignatures.map((one) => ({ ...one, signature: forged(one.signature) }));
    return [encodeLogProof({ ...decodeLogProof(proof), cosignatures: [cosignatures[0]!, changed[1]!] })];
  }),
  unloggedOf("in-a-forked-log", (rig, _log, license) => {
    const fork = new BenchLog(9);
    return [fork.prove(rig, ObjectType.LICENSE, license)];
  }),
  unloggedOf("in-a-log-that-the-log-did-not-sign", (rig, log, license) => {
    return [log.prove(rig, ObjectType.LICENSE, license, { checkpointSignature: new Uint8Array(64) })];
  }),
  bootOf("boot-licensed", open, false),
  bootOf("boot-paused", paused, true),
  bootOf("boot-rolled-back", rolledBack, true),
  bootOf("boot-of-another-flash", transplanted, true),
  bootOf("boot-tampered", tampered, false),
  sceneOf("tick-lease-lapsed", open, () => ({ call: TICK, later: LEASE_TICKS, allowed: DRAIN })),
  sceneOf("credit-low-lease-lapsed", open, () => ({ call: CREDIT_LOW, later: LEASE_TICKS, allowed: DRAIN })),
  sceneOf("tick-ticks-spent", licensedBefore, () => ({ call: TICK })),
  sceneOf("tick-budget-spent", spent, () => ({ call: TICK, later: 60_000n })),
  sceneOf("tick-unlicensed", ready, () => ({ call: TICK })),
  sceneOf("tick-without-time", withoutTime, () => ({ call: TICK })),
  sceneOf("order-pause", open, (rig) => {
    return { call: send(Command.ORDER, rig.order(OrderAction.PAUSE)), allowed: DRAIN, ends: true };
  }),
  sceneOf("tick-draining", draining, () => ({ call: TICK, later: 40_000n, allowed: DRAIN })),
  sceneOf("tick-paused", paused, () => ({ call: TICK })),
  refusedOf("order-resume-of-one", paused, Command.ORDER, (rig) =>
    rig.order(OrderAction.RESUME, {}, PARTIES.slice(0, 1)),
  ),
  refusedOf("order-resume-in-no-log", pausedUnderLog, Command.ORDER, (rig) => rig.order(OrderAction.RESUME)),
  refusedOf(
    "recovery-in-no-log",
    () => withoutJournal(pausedUnderLog()),
    Command.RECOVER,
    (rig) => rig.recovery(),
  ),
  refusedOf(
    "recovery-of-one",
    () => withoutJournal(paused()),
    Command.RECOVER,
    (rig) => rig.recovery({}, PARTIES.slice(0, 1)),
  ),
  refusedOf("amendment-in-no-log", pausedUnderLog, Command.AGREEMENT, () =>
    signAgreement(agreementOf({ version: 2 }), PARTIES.slice(0, 2)),
  ),
  refusedOf("amendment-of-one", paused, Command.AGREEMENT, () =>
    signAgreement(agreementOf({ version: 2 }), PARTIES.slice(0, 1)),
  ),
  sceneOf("time-proof-of-a-stranger", withoutTime, (rig) => ({
    call: send(Command.TIME_PROOF, rig.timeProof({}, [STRANGER])),
  })),
  sceneOf("beacon-of-a-stranger", open, (rig) => {
    const call = send(Command.BEACON, rig.beacon({ issuedAtSeconds: rig.nowSeconds + 301 }, [STRANGER]));
    return { call, later: LEASE_TICKS, allowed: DRAIN };
  }),
  sceneOf("beacon-stale", open, (rig) => ({
    call: send(Command.BEACON, rig.beacon({}, [CLOCK])),
    later: LEASE_TICKS,
    allowed: DRAIN,
  })),
];
