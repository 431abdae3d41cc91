/**
 * What gate, meter and credit must come to, written a second time from the design (docs/protocol.md) and not from the
 * firmware: 128-bit amounts are bigint, registers are plain arrays. The governor is held against it, to the last operation
 * and tick.
 */
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { Limit } from "../../../firmware/protocol/limits.ts";
import { GateState } from "../../../firmware/protocol/states.ts";

const CLASSES: readonly number[] = Array.from({ length: EngineClass.COUNT }, (_, c) => c);
const PERMILLE = 1000n;
const zeros = (): bigint[] => CLASSES.map(() => 0n);
const least = (...values: bigint[]) => values.reduce((a, b) => (a < b ? a : b));

export type Terms = { budget: bigint[]; drain: bigint[]; rate: (bigint | undefined)[]; ticksMax: bigint };
export type Pact = {
  rateMax: bigint[];
  sliceTicks: bigint;
  drainTicksMax: bigint;
  /** Records until the counter has no steps left for grants. */
  commitsForGrants: number;
};
type Move = { tick: bigint; from: GateState; to: GateState; code: number };
type Leaf = { endTick: bigint; work: bigint[] };
type Source = "none" | "budget" | "drain";

export class ExactMeter {
  readonly pact: Pact;
  gate: GateState = GateState.IDLE;
  totals = zeros();
  /** What the registers hold. */
  credit = zeros();
  commits = 0;
  moves: Move[] = [];
  leaves: Leaf[] = [];
  #budget = zeros();
  #drain = zeros();
  #rate: (bigint | undefined)[] = CLASSES.map(() => undefined);
  #permille = PERMILLE;
  #source: Source = "none";
  #tokens: bigint[];
  /** Done, and not settled yet. */
  #unsettled = zeros();
  #grantTick: bigint | undefined;
  #refillTick: bigint;
  #commitTick = 0n;
  #licenseEndTick = 0n;
  #drainEndTick = 0n;
  #reported = zeros();
  #reportTick: bigint;
  #slices = 0;
  #width = 1;

  /** An idle board whose buckets are full, and which has just reported. */
  constructor(pact: Pact, now: bigint) {
    this.pact = pact;
    this.#tokens = pact.rateMax.map((rate) => rate * pact.sliceTicks);
    this.#refillTick = now;
    this.#reportTick = now;
  }

  /** Not done yet of the license's work, in the registers or not. */
  get budgetLeft(): bigint[] {
    return this.#budget.map((left, c) => left + (this.#source === "budget" ? this.#outstanding(c) : 0n));
  }

  /** Ticks at which something comes to be due. */
  get dueTicks(): bigint[] {
    const { sliceTicks } = this.pact;
    const granted = this.#grantTick === undefined ? [] : [this.#grantTick + sliceTicks / 2n];
    const recorded = this.#commitTick + sliceTicks - sliceTicks / 8n;
    return [...granted, recorded, this.#licenseEndTick, this.#drainEndTick];
  }

  get flows(): boolean {
    return this.gate === GateState.OPEN || this.gate === GateState.SLOWED;
  }

  work(engineClass: number, amount: bigint): void {
    this.credit[engineClass]! -= amount;
    this.#unsettled[engineClass]! += amount;
  }

  license(terms: Terms, now: bigint): void {
    this.#close(now);
    this.#budget = [...terms.budget];
    this.#drain = [...terms.drain];
    this.#rate = [...terms.rate];
    this.#licenseEndTick = now + terms.ticksMax;
    this.#commit(now);
    if (this.flows) {
      this.#changeRate(now);
      this.#refill(now);
    } else if (this.#canGrant) {
      this.#open("budget", now);
      this.#move(this.#isCapped ? GateState.SLOWED : GateState.OPEN, ErrorCode.OK, now);
      this.#refill(now);
    }
  }

  order(action: OrderAction, permille: bigint, now: bigint, drain?: bigint[], drainTicks?: bigint): void {
    if (action === OrderAction.PAUSE) {
      this.#pause(now, drain, drainTicks);
      return;
    }
    this.#permille = permille;
    if (this.flows) this.#changeRate(now);
    else if (this.gate === GateState.PAUSED) this.#move(GateState.IDLE, ErrorCode.OK, now);
    this.#commit(now);
    if (this.flows && !this.#isOver(now)) this.#refill(now);
  }

  tick(now: bigint): void {
    if (this.flows && this.#isOver(now)) this.#endFlow(ErrorCode.GATE_LICENSE_ENDED, now);
    else if (this.flows) this.#refill(now);
    else if (this.gate === GateState.DRAINING) this.#keepDraining(now);
  }

  creditLow(now: bigint): void {
    const drains = this.gate === GateState.DRAINING && now < this.#drainEndTick;
    if (drains || (this.flows && !this.#isOver(now))) this.#refill(now);
  }

  drainDone(now: bigint): void {
    this.#endDrain(now);
  }

  settle(now: bigint): void {
    for (const c of CLASSES) {
      const done = this.#unsettled[c]!;
      if (done === 0n) continue;
      this.#unsettled[c] = 0n;
      this.totals[c]! += done;
      if (this.leaves.length === 0) this.#newLeaf(now);
      const leaf = this.leaves.at(-1)!;
      leaf.work[c]! += done;
      leaf.endTick = now;
    }
  }

  /** What a report lists, which begins a new one; undefined if nothing is new, and it is the newest once more. */
  report(now: bigint): { leaves: Leaf[]; moves: Move[] } | undefined {
    this.settle(now);
    const isSoon = now - this.#reportTick < this.pact.sliceTicks;
    const isIdle = this.totals.every((total, c) => total === this.#reported[c]);
    if (this.moves.length === 0 && isSoon && isIdle) return undefined;
    const listed = { leaves: this.leaves, moves: this.moves };
    this.#commit(now);
    [this.leaves, this.moves, this.#slices, this.#width] = [[], [], 0, 1];
    [this.#reportTick, this.#reported] = [now, [...this.totals]];
    return listed;
  }

  get #canGrant(): boolean {
    return this.commits < this.pact.commitsForGrants;
  }

  /** A license ends by its ticks, or with the last of its work. */
  #isOver(now: bigint): boolean {
    return now >= this.#licenseEndTick || CLASSES.every((c) => this.#budget[c] === 0n && this.#outstanding(c) === 0n);
  }

  get #isCapped(): boolean {
    return this.#permille !== PERMILLE || this.#rate.some((rate) => rate !== undefined);
  }

  /** Work a tick: the agreement's, the license's or the order's share of the agreement's, whichever is least. */
  #rateOf(c: number): bigint {
    const most = this.pact.rateMax[c]!;
    return least(most, this.#rate[c] ?? most, (most * this.#permille) / PERMILLE);
  }

  #pause(now: bigint, drain: bigint[] | undefined, drainTicks = this.pact.drainTicksMax): void {
    const flowed = this.flows;
    this.#close(now);
    // A pause takes the place of a slow order: from here on the buckets fill at the rate of before.
    this.#permille = PERMILLE;
    if (drain) this.#drain = this.#drain.map((left, c) => least(left, drain[c]!));
    if (!flowed) {
      this.#move(GateState.PAUSED, ErrorCode.OK, now);
      this.#commit(now);
      return;
    }
    this.#move(GateState.DRAINING, ErrorCode.OK, now);
    this.#drainEndTick = now + least(drainTicks, this.pact.drainTicksMax);
    this.#open("drain", now);
    this.#commit(now);
    this.#keepDraining(now);
  }

  #keepDraining(now: bigint): void {
    if (now < this.#drainEndTick) this.#refill(now);
    if (this.gate !== GateState.DRAINING) return;
    const isUsedUp = CLASSES.every((c) => this.#outstanding(c) === 0n && this.#drain[c] === 0n);
    if (now >= this.#drainEndTick || isUsedUp) this.#endDrain(now);
  }

  #endDrain(now: bigint): void {
    this.#end(GateState.PAUSED, ErrorCode.GATE_DRAINED, now);
  }

  #endFlow(code: number, now: bigint): void {
    this.#end(GateState.IDLE, code, now);
  }

  /** Recorded only if there is something to record: that credit was given. */
  #end(to: GateState, code: number, now: bigint): void {
    const hasGranted = this.#grantTick !== undefined;
    const gaveBack = this.#close(now);
    this.#move(to, code, now);
    if (hasGranted || gaveBack) this.#commit(now);
  }

  #changeRate(now: bigint): void {
    this.#close(now);
    this.#open("budget", now);
    this.#move(this.#isCapped ? GateState.SLOWED : GateState.OPEN, ErrorCode.OK, now);
  }

  #open(source: Source, now: bigint): void {
    this.#source = source;
    this.#grantTick = undefined;
    this.#collect(now);
  }

  /** What was not used goes back to where it came from. True if anything did. */
  #close(now: bigint): boolean {
    this.settle(now);
    const given = this.credit.some((unused) => unused > 0n);
    for (const c of CLASSES) {
      const unused = this.credit[c]!;
      if (this.#source === "budget") {
        this.#budget[c]! += unused;
        this.#tokens[c]! += unused;
      } else this.#drain[c]! += unused;
    }
    this.credit = zeros();
    this.#source = "none";
    return given;
  }

  /** As the governor knows it: what is done and not settled is still out. */
  #outstanding(c: number): bigint {
    return this.credit[c]! + this.#unsettled[c]!;
  }

  #collect(now: bigint): void {
    const ticks = least(now - this.#refillTick, this.pact.sliceTicks);
    this.#refillTick = now;
    for (const c of CLASSES) {
      const rate = this.#rateOf(c);
      this.#tokens[c] = least(this.#tokens[c]! + rate * ticks, rate * this.pact.sliceTicks);
    }
  }

  #refill(now: bigint): void {
    const { sliceTicks, rateMax } = this.pact;
    this.settle(now);
    if (this.#grantTick !== undefined && now - this.#grantTick < sliceTicks / 2n) return;
    if (!this.#canGrant) {
      if (this.flows) this.#endFlow(ErrorCode.JOURNAL_COUNTER_WORN, now);
      else this.#endDrain(now);
      return;
    }
    this.#collect(now);
    const isBudget = this.#source === "budget";
    const source = isBudget ? this.#budget : this.#drain;
    const sliceOf = (c: number) => (isBudget ? this.#rateOf(c) : rateMax[c]!) * sliceTicks;
    const grants = CLASSES.map((c) => {
      const room = sliceOf(c) - this.credit[c]!;
      return room <= 0n ? 0n : least(room, source[c]!, ...(isBudget ? [this.#tokens[c]!] : []));
    });
    const isNeeded = CLASSES.some((c) => grants[c]! > 0n && this.credit[c]! <= sliceOf(c) / 2n);
    // Without a grant the license's ticks are still spent, and a record says so once in a slice period.
    if (!isNeeded) {
      if (now - this.#commitTick >= sliceTicks - sliceTicks / 8n) this.#commit(now);
      return;
    }
    for (const c of CLASSES) {
      source[c]! -= grants[c]!;
      if (isBudget) this.#tokens[c]! -= grants[c]!;
      this.credit[c]! += grants[c]!;
    }
    this.#commit(now);
    this.#grantTick = now;
    if (this.leaves.length === 0) return;
    this.#slices++;
    if (this.#slices >= this.#width) this.#newLeaf(now);
  }

  #newLeaf(now: bigint): void {
    if (this.leaves.length === Limit.INTERVALS_MAX) {
      // Neighbors merge, and each leaf holds twice the slices from now on.
      this.leaves = this.leaves.flatMap((left, i) => {
        const right = this.leaves[i + 1];
        if (i % 2 === 1 || right === undefined) return [];
        return [{ endTick: right.endTick, work: right.work.map((amount, c) => amount + left.work[c]!) }];
      });
      this.#width *= 2;
    }
    this.leaves.push({ endTick: now, work: zeros() });
    this.#slices = 0;
  }

  #move(to: GateState, code: number, tick: bigint): void {
    if (to !== this.gate) this.moves.push({ tick, from: this.gate, to, code });
    this.gate = to;
  }

  #commit(now: bigint): void {
    this.commits++;
    this.#commitTick = now;
  }
}
