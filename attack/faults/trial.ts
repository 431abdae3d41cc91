/**
 * One scene on one machine, played again and again: whole, or with a fault in its call. Whatever credit the hardware is
 * given beyond what the scene allows, in the call or in those that a board makes after it, is an opening; and where the
 * scene says that its call is refused, so is whatever moves the device's agreement, epoch or order.
 */
import { StateHead } from "../../firmware/protocol/board.ts";
import { Claim, ObjectType } from "../../firmware/protocol/claims.ts";
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { GateState } from "../../firmware/protocol/states.ts";
import { signTime } from "../../host/objects/time.ts";
import { type CborMap, type CborValue, decode, encode } from "../../host/protocol/cbor.ts";
import { bareHal, type Knobs, knobsOf } from "../bare-governor.ts";
import { AttackSucceeded } from "../campaign.ts";
import { CLOCK, type Rig } from "../rig.ts";
import type { Call, Contents, Fault, Machine, Outcome } from "./machine.ts";
import type { Scene, Stage } from "./scenes.ts";

/** Past the end of any lease and drain that a scene leaves. */
const LATER_TICKS = 450_000n;
/** A call may turn its loops this many times as often as without a fault, and some more, before it counts as hung. */
const PATIENCE = 4n;
const TURNS_LEAST = 100_000n;
const CLASSES: readonly number[] = Array.from({ length: EngineClass.COUNT }, (_, c) => c);
const AFTER: readonly Call[] = [{ entry: "tick" }, { entry: "creditLow" }];

/** A bit of the State block that is another before the call. */
export type Flip = { byte: number; bit: number };

/** The code of an answer, where the gate stands, and the answer itself in hex. */
type Look = { code: number; gate: number; answer: string };

/** What the device stands under, as it says, and whether its gate is locked. */
type Standing = { under: string; isLocked: boolean };

/** What a run came to. */
export type Verdict = "no effect" | "refused" | "closed" | "trapped" | "hung";

export class Trial {
  readonly scene: string;
  /** Places that the call passes without a fault. */
  readonly passed: bigint;
  /** Whether the call finds a State block that something is in: a boot does not. */
  readonly hasState: boolean;
  readonly machine: Machine;
  readonly #stage: Stage;
  readonly #start: Contents;
  readonly #knobs: Knobs;
  readonly #turnsMax: bigint;
  readonly #whole: Look;
  /** `#standing` after the call without a fault. */
  readonly #stood: Standing;
  readonly #proofs = new Map<string, Uint8Array>();
  #granted: bigint[] = [];
  #retract: () => void;
  /** Set once a scene's allowance is passed. */
  #excess: string | undefined;

  constructor(machine: Machine, scene: Scene) {
    this.machine = machine;
    this.scene = scene.name;
    this.#stage = scene.prepare();
    const { rig, later = 0n } = this.#stage;
    this.#knobs = { ...knobsOf(rig), ticks: rig.board.ticks + later };
    this.#retract = restorerOf(rig, this.#knobs);
    machine.hal = {
      ...bareHal(rig, this.#knobs),
      gateGrant: (engineClass, amount) => this.#grant(engineClass, amount),
    };
    machine.put(machine.pristine);
    const state = rig.board.state();
    this.hasState = state !== undefined;
    if (state) machine.stateBlock().set(state);
    this.#start = machine.contents();
    this.#reset();
    const outcome = machine.learn(this.#stage.call);
    this.passed = machine.passed;
    this.#turnsMax = machine.turns * PATIENCE + TURNS_LEAST;
    this.#whole = this.#looks(outcome);
    this.#stood = this.#standing();
    if (outcome.end !== "returned") throw new Error(`scene ${this.scene} ${outcome.end} without a fault`);
    this.#goOn();
    this.#judge();
  }

  /** Plays it. @throws AttackSucceeded if the gate opens. */
  run(faults: readonly Fault[], flip?: Flip): Verdict {
    this.#reset();
    if (flip) this.machine.stateBlock()[flip.byte]! ^= 1 << flip.bit;
    const outcome = this.machine.run(this.#stage.call, faults, this.#turnsMax);
    const { code, gate, answer } = this.#looks(outcome);
    // What is not taken leaves the license that it would end in force.
    if (this.#stage.ends && code !== this.#whole.code) return outcome.end === "returned" ? "refused" : outcome.end;
    // Who says of the end of a license that it is done took its credit away.
    if (this.#stage.ends && outcome.end === "returned" && answer === this.#whole.answer) this.#lookForCredit();
    if (outcome.end === "returned" && this.#stage.refuses) this.#lookForMoves();
    if (outcome.end === "returned") this.#goOn();
    this.#judge();
    if (outcome.end !== "returned") return outcome.end;
    if (code === this.#whole.code) return gate === this.#whole.gate ? "no effect" : "closed";
    return code === 0 ? "closed" : "refused";
  }

  #reset(): void {
    this.machine.put(this.#start);
    this.#retract();
    this.#granted = CLASSES.map(() => 0n);
    this.#excess = undefined;
  }

  #allowed(engineClass: number): bigint {
    return this.#stage.allowed?.get(engineClass) ?? 0n;
  }

  #grant(engineClass: number, amount: bigint): void {
    this.#knobs.registers.grant(engineClass, amount);
    this.#granted[engineClass]! += amount;
    const allowed = this.#allowed(engineClass);
    if (this.#granted[engineClass]! > allowed) {
      this.#excess ??= `class ${engineClass} was granted ${this.#granted[engineClass]} where ${allowed} is allowed`;
    }
  }

  /** The calls after it, each without a fault; one that traps ends them, as it ends a governor. */
  #goOn(): void {
    if (this.#stage.proof) this.#proveTime(this.#stage.proof);
    for (const call of AFTER) this.machine.run(call, [], this.#turnsMax);
    this.#knobs.ticks += LATER_TICKS;
    for (const call of AFTER) this.machine.run(call, [], this.#turnsMax);
    this.#lookForCredit();
  }

  /** Agreement, epoch and order are what they were, and what waits for a recovery waits. To be locked is no harm. */
  #lookForMoves(): void {
    const { under, isLocked } = this.#standing();
    if (under !== this.#stood.under) this.#excess ??= `it was taken: ${under} after ${this.#stood.under}`;
    if (this.#stood.isLocked && !isLocked) this.#excess ??= "it was taken: the device is no longer locked";
  }

  #standing(): Standing {
    const info = this.#ask([Command.INFO])?.[1] as CborMap | undefined;
    const says = [Claim.AGREEMENT, Claim.EPOCH, Claim.ORDER].map((claim) => info?.get(claim));
    const under = says
      .map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value))
      .join();
    return { under, isLocked: info?.get(Claim.GATE_STATE) === GateState.LOCKED };
  }

  /** What is left that must not be is judged in the end. */
  #lookForCredit(): void {
    const { registers } = this.#knobs;
    const left = CLASSES.find((c) => registers.creditOf(c) > this.#allowed(c));
    if (left !== undefined) this.#excess ??= `class ${left} keeps a credit of ${registers.creditOf(left)}`;
  }

  #proveTime(said: { epoch: number; orderDigest: Uint8Array }): void {
    const { rig } = this.#stage;
    const answer = this.#ask([Command.TIME_CHALLENGE]);
    const nonce = answer?.[1];
    if (!(nonce instanceof Uint8Array)) return;
    const key = Buffer.from(nonce).toString("hex");
    const proof = this.#proofs.get(key) ?? proofOf(rig, { ...said, nonce });
    this.#proofs.set(key, proof);
    this.#ask([Command.TIME_PROOF, proof]);
  }

  #ask(request: CborValue): CborValue[] | undefined {
    const { end, value } = this.machine.run({ entry: "doorbell", message: encode(request) }, [], this.#turnsMax);
    return end === "returned" ? (decode(this.machine.answer(value)) as CborValue[]) : undefined;
  }

  #looks({ end, value }: Outcome): Look {
    const gate = this.machine.stateBlock().readUInt32LE(StateHead.GATE_STATE);
    const { entry } = this.#stage.call;
    if (end !== "returned" || entry === "boot") return { code: value, gate, answer: "" };
    if (entry !== "doorbell") return { code: 0, gate, answer: "" };
    const answer = this.machine.answer(value);
    return { code: codeIn(answer), gate, answer: Buffer.from(answer).toString("hex") };
  }

  #judge(): void {
    if (this.#excess) throw new AttackSucceeded(this.#excess);
  }
}

/** The first item of an answer; an answer that is none is a refusal. */
function codeIn(answer: Uint8Array): number {
  try {
    return (decode(answer) as CborValue[])[0] as number;
  } catch {
    return -1;
  }
}

/** Of the time that is true. */
function proofOf(rig: Rig, said: { epoch: number; orderDigest: Uint8Array; nonce: Uint8Array }): Uint8Array {
  const statement = { issuedAtSeconds: rig.nowSeconds, agreementDigest: rig.digest, ...said };
  return signTime(ObjectType.TIME_PROOF, statement, [CLOCK]);
}

/** Puts the silicon back to where it is now. */
export function restorerOf({ board }: Rig, knobs: Knobs): () => void {
  const { flash, fuses, counter, trng } = board;
  const parts = {
    flash: flash.snapshot(),
    fuses: fuses.snapshot(),
    counter: counter.snapshot(),
    trng: trng.snapshot(),
    registers: knobs.registers.snapshot(),
  };
  const { ticks } = knobs;
  return () => {
    flash.restore(parts.flash);
    fuses.restore(parts.fuses);
    counter.restore(parts.counter);
    trng.restore(parts.trng);
    knobs.registers.restore(parts.registers);
    knobs.ticks = ticks;
  };
}
