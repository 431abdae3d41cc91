/**
 * Replays a trace of the model on a real board: the governor that ships, messages signed by the host's encoders. After
 * each step gate state, verdict, epoch, license sequence, budget, credit and what is counted ahead must be the model's.
 * A unit of the model is a million operations or bytes, a slice period one second.
 */
import { OrderAction } from "../../firmware/protocol/claims.ts";
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { gateStates } from "../../host/docs/tables.ts";
import { NO_ORDER, type Order, orderDigest, signOrder } from "../../host/objects/order.ts";
import { errorPhrase } from "../../host/protocol/error-phrases.ts";
import { PowerCut } from "../../sim-board/errors.ts";
import type { FlashImage } from "../../sim-board/parts/flash.ts";
import { PARTIES, phaseOf, Rig } from "../rig.ts";
import type { Step } from "./trace.ts";

const UNIT = 1_000_000n;
const BUDGET = 3n * UNIT;
const RATE = 2_000n;
const TENSOR_BF16 = EngineClass.TENSOR_BF16;
const COPY = EngineClass.COPY;
const STATE_NAMES = new Map(gateStates().map(({ name, value }) => [value, name]));
const ACTIONS: Record<string, OrderAction> = {
  PAUSE: OrderAction.PAUSE,
  ELSEWHERE: OrderAction.PAUSE,
  SLOW: OrderAction.SLOW,
  RESUME: OrderAction.RESUME,
};

/** Model and board part: at which step, and in what. */
export class Disagreement extends Error {
  override readonly name = "Disagreement";
}

/** @throws Disagreement */
export function replay(steps: readonly Step[]): void {
  const bench = new Bench();
  for (const [at, step] of steps.entries()) {
    const verdict = bench.take(step);
    if (!step.says) continue;
    const [said, model] = [bench.says(verdict), step.says.join(" ")];
    if (said !== model) {
      throw new Disagreement(
        `step ${at + 1}, ${[step.verb, ...step.words].join(" ")}: the model says "${model}", the board "${said}"`,
      );
    }
  }
}

class Bench {
  readonly #rig: Rig;
  readonly #orders: { order: Order; bytes: Uint8Array }[] = [];
  readonly #licenses: Uint8Array[] = [];
  readonly #flashOfBefore: FlashImage;
  #kept: FlashImage | undefined;
  #signed = 0n;

  constructor() {
    this.#rig = Rig.ready({
      leaseSeconds: 3,
      sliceTicks: 1000n,
      driftPpm: 0,
      drainTicksMax: 1000n,
      caps: new Map([
        [TENSOR_BF16, { budgetMax: BUDGET, rateMax: RATE }],
        [COPY, { budgetMax: BUDGET, rateMax: RATE }],
      ]),
      drain: new Map([[COPY, UNIT]]),
    });
    this.#flashOfBefore = this.#rig.board.flash.image();
    this.#rig.powerCycle();
    this.#rig.board.cutPower();
  }

  /** The verdict's name, where there is one. */
  take(step: Step): string {
    const { board } = this.#rig;
    if (step.cut) this.#arm(step, step.cut.records, step.cut.stage);
    try {
      const verdict = this.#do(step);
      if (step.cut) board.cutPower();
      return verdict;
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      return "OFF";
    } finally {
      board.supply.clear();
      if (!board.on) board.flash.mend();
    }
  }

  /** What the model's line says, of the board. */
  says(verdict: string): string {
    const { board } = this.#rig;
    if (!board.on) return "OFF";
    const state = STATE_NAMES.get(board.gateState)!;
    if (state === "LOCKED" || state === "TAMPERED") return `${verdict} ${state}`;
    const info = this.#rig.info();
    const credit = board.accelerator.creditOf(TENSOR_BF16) + board.accelerator.creditOf(COPY);
    const counted = info.totals[TENSOR_BF16]! + info.totals[COPY]!;
    const ahead = counted + credit - this.#done;
    const budget = info.budgetLeft[TENSOR_BF16]! - board.accelerator.creditOf(TENSOR_BF16);
    const amounts = [budget, credit, ahead].map((amount) => Number(amount) / Number(UNIT));
    return [verdict, state, info.epoch, info.licenseSequence, ...amounts].join(" ");
  }

  get #done(): bigint {
    return this.#rig.done(TENSOR_BF16) + this.#rig.done(COPY);
  }

  /** Runs the call once to see its operations, puts everything back, and has the power go at the one meant. */
  #arm(step: Step, records: number, stage: number): void {
    const { board } = this.#rig;
    const before = board.snapshot();
    const [orders, licenses] = [this.#orders.length, this.#licenses.length];
    board.supply.log = [];
    this.#do(step);
    const names = board.supply.log.map(({ name }) => name);
    board.supply.log = undefined;
    board.restore(before);
    this.#orders.length = orders;
    this.#licenses.length = licenses;
    const steps = names.flatMap((name, at) => (name === "counter step" ? [at] : []));
    const first = records === 0 ? 0 : steps[records - 1]! + 1;
    // Stage 0: before the record; 1: between record and step; 2: after the step, which has been counted.
    const at =
      stage === 0
        ? names.findIndex((name, i) => i >= first && name.startsWith("flash"))
        : stage === 1
          ? steps[records]!
          : first;
    if (at === undefined || at < 0) throw new Disagreement(`the board writes no record ${records + 1} in ${step.verb}`);
    board.supply.cutAfterOperations(at);
  }

  #do({ verb, words }: Step): string {
    const rig = this.#rig;
    const { board } = rig;
    const [first, second] = words;
    switch (verb) {
      case "power-on":
        return errorPhrase(board.powerOn()).name;
      case "power-cut":
        board.cutPower();
        return "OFF";
      case "tick":
        return this.#tick();
      case "work":
        return this.#work();
      case "drain-done":
        return rig.verdict(Command.DRAIN_DONE);
      case "tamper":
        board.trip(1);
        return "OK";
      case "copy-flash":
        this.#kept = board.flash.image();
        return "";
      case "swap-flash": {
        const image = board.flash.image();
        board.flash.replace(this.#kept!);
        this.#kept = image;
        return "";
      }
      case "old-flash":
        board.flash.replace(this.#flashOfBefore);
        return "";
      case "defect":
        this.#breakFlash();
        return "";
      case "sign-order":
        this.#signOrder(Number(first), second!);
        return "";
      case "sign-license":
        this.#signLicense(second === "1");
        return "";
      case "license":
        return rig.verdict(Command.LICENSE, this.#licenses[Number(first)]!);
      case "license-by-one":
        return rig.verdict(Command.LICENSE, this.#licenseOf(false, 1));
      case "order":
        return rig.verdict(Command.ORDER, this.#orders[Number(first)]!.bytes);
      case "order-by-one":
        return rig.verdict(Command.ORDER, this.#orderByOne(Number(first), second!));
      case "proof":
        return rig.verdict(Command.TIME_PROOF, rig.timeProof(this.#heard(Number(first))));
      case "beacon": {
        const issuedAtSeconds = rig.nowSeconds - Number(first);
        return rig.verdict(Command.BEACON, rig.beacon({ issuedAtSeconds, ...this.#heard(Number(second)) }));
      }
      case "recovery":
        return rig.verdict(Command.RECOVER, this.#recovery(Number(first)));
      default:
        throw new Disagreement(`no board can do "${verb}"`);
    }
  }

  #tick(): string {
    const { board } = this.#rig;
    if (board.on) board.advanceTicks(1000 - Number(board.ticks % 1000n));
    else board.advance(1);
    return board.on ? "OK" : "OFF";
  }

  #work(): string {
    const { board } = this.#rig;
    const engineClass = board.accelerator.creditOf(COPY) > 0n ? COPY : TENSOR_BF16;
    const before = this.#done;
    board.run(phaseOf(0, { work: new Map([[engineClass, UNIT]]) }));
    if (this.#done - before !== UNIT) throw new Disagreement("the board does no work where the model does");
    return board.on ? "OK" : "OFF";
  }

  /** No cell of the flash can be programmed any more. */
  #breakFlash(): void {
    const { board } = this.#rig;
    for (let page = 0; page < board.flash.bytes; page += 256) board.flash.stick(page + 8, 0, 0);
  }

  #heard(epoch: number) {
    const named = this.#orders[epoch];
    return { epoch, orderDigest: named ? orderDigest(named.order) : NO_ORDER };
  }

  #signOrder(epoch: number, what: string): void {
    const previous = this.#orders.slice(0, epoch).findLast((order) => order !== undefined);
    const order = this.#orderOf(epoch, what, previous ? orderDigest(previous.order) : NO_ORDER, 1);
    this.#orders[epoch] = { order, bytes: signOrder(order, PARTIES.slice(0, what === "PAUSE" ? 1 : 2)) };
  }

  #orderByOne(epoch: number, what: string): Uint8Array {
    const elsewhere =
      what === "ELSEWHERE" ? { scope: [this.#rig.ueid.map((byte, i) => (i === 32 ? byte ^ 1 : byte))] } : {};
    const order = { ...this.#orderOf(epoch, what, this.#rig.info().orderDigest, 2), ...elsewhere };
    return signOrder(order, PARTIES.slice(0, 1));
  }

  #orderOf(epoch: number, what: string, previousDigest: Uint8Array, age: number): Order {
    return {
      notBeforeSeconds: this.#rig.nowSeconds - age,
      agreementDigest: this.#rig.digest,
      epoch,
      previousDigest,
      action: ACTIONS[what]!,
      permille: what === "SLOW" ? 500 : undefined,
    };
  }

  #signLicense(offline: boolean): void {
    this.#licenses.push(this.#licenseOf(offline, 2));
    const sequence = this.#rig.info().licenseSequence + 1n;
    if (sequence > this.#signed) this.#signed = sequence;
  }

  #licenseOf(offline: boolean, voices: number): Uint8Array {
    const who = offline ? { ueid: undefined, nonce: undefined, cohort: [this.#rig.ueid] } : {};
    const amounts = { budget: new Map([[TENSOR_BF16, BUDGET]]), drain: new Map([[COPY, UNIT]]) };
    return this.#rig.license({ ...amounts, ...who }, PARTIES.slice(0, voices));
  }

  #recovery(voices: number): Uint8Array {
    const newest = this.#orders.length - 1;
    const { epoch, orderDigest: digest } = this.#heard(Math.max(newest, 0));
    const action = this.#orders[newest]?.order.action ?? OrderAction.RESUME;
    const totals = this.#rig.info().totals.map((_, c) => this.#rig.done(c));
    const permille = action === OrderAction.SLOW ? 500 : undefined;
    const change = { epoch, orderDigest: digest, action, permille, totals, sequence: this.#signed };
    return this.#rig.recovery(change, PARTIES.slice(0, voices));
  }
}
