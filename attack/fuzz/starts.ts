/** Where inputs begin: boards in every state that a governor can stand in. */
import { Fuse, Lifecycle } from "../../firmware/protocol/board.ts";
import { ObjectType, OrderAction } from "../../firmware/protocol/claims.ts";
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import type { Order } from "../../host/objects/order.ts";
import { handoffOf } from "../bare-governor.ts";
import { BenchLog, logTermsOf } from "../log.ts";
import { CLOCK, phaseOf, Rig, signerOf } from "../rig.ts";

export type Start = {
  name: string;
  rig: Rig;
  handoff: Uint8Array;
  /** Whether the governor has been called at all. */
  booted: boolean;
  /** Whether a license stands behind it, whose drain allowance may come. */
  drains: boolean;
  /** What its agreement names, if it does, as the board has seen it. */
  log?: BenchLog;
};

const OPTIONS = { flashSectors: 8, invariants: false };
const WORK = new Map<EngineClass, bigint>([[EngineClass.COPY, 10n ** 10n]]);
const TERMS = { baseline: WORK };

export const CLOCK_2 = signerOf("clock 2");
const CLOCKS = [CLOCK, CLOCK_2];

const open = () => Rig.open(TERMS, OPTIONS);

function factory(): Rig {
  const rig = new Rig(TERMS, OPTIONS);
  rig.board.powerOn();
  return rig;
}

function timeless(): Rig {
  const rig = open();
  rig.powerCycle();
  return rig;
}

function worked(): Rig {
  const rig = open();
  rig.board.run(phaseOf(90));
  rig.report();
  return rig;
}

function ordered(action: OrderAction, change: Partial<Order> = {}): Rig {
  const rig = open();
  rig.obey(action, change);
  return rig;
}

function paused(): Rig {
  const rig = ordered(OrderAction.PAUSE);
  rig.must(rig.send(Command.DRAIN_DONE));
  return rig;
}

/** Its time is told by two authorities together. */
function twoClocks(): Rig {
  const timeAuthorities = CLOCKS.map(({ kid, publicKey }, i) => ({ kid, publicKey, name: `clock ${i}` }));
  const rig = new Rig({ ...TERMS, timeAuthorities, timeQuorum: 2 }, OPTIONS);
  rig.board.powerOn();
  rig.must(rig.provision());
  rig.must(rig.send(Command.TIME_PROOF, rig.timeProof({}, CLOCKS)));
  return rig;
}

/** A flash of before: the boot finds it out, and a recovery is needed. */
function rolledBack(): Rig {
  const rig = open();
  const before = rig.board.flash.snapshot();
  rig.board.run(phaseOf(150));
  rig.board.flash.restore(before);
  rig.powerCycle();
  return rig;
}

function tampered(): Rig {
  const rig = open();
  rig.board.fuses.burn(Fuse.LIFECYCLE, Lifecycle.TAMPERED);
  rig.powerCycle();
  return rig;
}

/** Under an agreement whose log it has seen, with its license in it. */
function logged(): { rig: Rig; log: BenchLog } {
  const rig = Rig.ready({ ...TERMS, log: logTermsOf() }, OPTIONS);
  const log = new BenchLog(5);
  const license = rig.license();
  rig.must(rig.send(Command.LICENSE, license, log.prove(rig, ObjectType.LICENSE, license)));
  return { rig, log };
}

const RIGS: Readonly<Record<string, () => Rig>> = {
  factory,
  ready: () => Rig.ready(TERMS, OPTIONS),
  timeless,
  open,
  worked,
  slowed: () => ordered(OrderAction.SLOW, { permille: 500 }),
  draining: () => ordered(OrderAction.PAUSE),
  paused,
  clocks: twoClocks,
  locked: rolledBack,
  tampered,
  /** Under power, and not called yet. */
  unbooted: open,
};

const UNLICENSED: readonly string[] = ["factory", "ready", "clocks"];

const LOGGED = "logged";

export const START_NAMES: readonly string[] = [...Object.keys(RIGS), LOGGED];

export function startOf(name: string): Start {
  const { rig, ...log } = name === LOGGED ? logged() : { rig: RIGS[name]!() };
  const drains = !UNLICENSED.includes(name);
  return { name, rig, handoff: handoffOf(rig), booted: name !== "unbooted", drains, ...log };
}
