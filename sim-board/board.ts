/**
 * The board: the parts, the accelerator, and the governor between them. Time is simulated and exact; nothing happens
 * but at the events of `advance` (a class runs low or dry, a phase ends, the timer fires, a scheduled action is due)
 * and in the calls of a host. Nothing takes time in the governor itself: see docs/simulator.md.
 */
import { StateHead } from "../firmware/protocol/board.ts";
import { Limit } from "../firmware/protocol/limits.ts";
import { GateState } from "../firmware/protocol/states.ts";
import { accelerator, type Accelerator as Chip } from "./accelerators.ts";
import { runBootRom } from "./boot-rom.ts";
import { BoardError, PowerCut } from "./errors.ts";
import type { BoardEvent, BoardView, Observer } from "./events.ts";
import { type DeviceModel, type Manufactured, manufacture } from "./factory.ts";
import { Governor, type GovernorImage, type Hal } from "./governor-module.ts";
import { halOf } from "./hal.ts";
import { Invariants } from "./invariants/invariants.ts";
import { Accelerator, type AcceleratorSnapshot } from "./parts/accelerator.ts";
import { Counter } from "./parts/counter.ts";
import { Flash, type FlashSnapshot } from "./parts/flash.ts";
import { type FuseSnapshot, Fuses } from "./parts/fuses.ts";
import { type Drift, Oscillator, type OscillatorSnapshot } from "./parts/oscillator.ts";
import { Supply } from "./parts/supply.ts";
import { Tamper } from "./parts/tamper.ts";
import { Trng, type TrngSnapshot } from "./parts/trng.ts";
import { Random } from "./random.ts";
import { nsOf, secondsOf } from "./time.ts";
import type { Phase } from "./workloads/types.ts";

/** 2026-01-01T00:00:00Z: agreement time as boards begin, unless they are told otherwise. */
export const START_SECONDS = 1_767_225_600;
const NS_PER_MS = 1_000_000n;
const TIMER_SECONDS_MAX = 86_400;

export type BoardOptions = {
  image: GovernorImage;
  /** Everything random on the board comes from it. */
  seed: string | number | bigint;
  /** Default: one H100. */
  chip?: Chip;
  /** Nominal; must be the agreement's. Default 1,000. */
  tickHz?: number;
  drift?: Drift;
  /** Sectors of 4 KiB that belong to the governor. Default 64. */
  flashSectors?: number;
  flashEnduranceErases?: number;
  counterLifeSteps?: number;
  /** Agreement time at simulated time zero, in seconds since 1970-01-01T00:00Z. */
  startSeconds?: number;
  /** S1 to S7 and S9 as observers that throw at once; `work`: without the signatures of S7 and S9. Default true. */
  invariants?: boolean | "work";
  /** Nominal seconds from one timer interrupt to the next, 1 to 86,400. Default 1, as the leak bound takes it. */
  timerSeconds?: number;
  /**
   * Power-up finds the governor's memory as the last one left it, but for its State block. Nothing else in it changes an
   * answer, and keys that signed before are known still. For fleets: default false.
   */
  keepsMemory?: boolean;
};

export type RunOptions = {
  /** Gives up when the phase made no progress for so long. Default 600. */
  stallSeconds?: number;
};

export type RunResult = {
  completed: boolean;
  seconds: number;
  /** What was not done, if the phase stood still or lost its power; undefined also if somebody withdrew it. */
  remaining: Phase | undefined;
};

type Action = { atNs: bigint; act: () => void };

export type BoardSnapshot = {
  nowNs: bigint;
  on: boolean;
  fault: unknown;
  gate: number;
  nextTickNs: bigint | undefined;
  state: Uint8Array | undefined;
  image: GovernorImage;
  flash: FlashSnapshot;
  fuses: FuseSnapshot;
  counter: number;
  oscillator: OscillatorSnapshot;
  trng: TrngSnapshot;
  tamper: number;
  accelerator: AcceleratorSnapshot;
  actions: readonly Action[];
  observers: Map<Observer, unknown>;
};

export class Board implements BoardView {
  #random: Random;
  readonly supply = new Supply();
  readonly flash: Flash;
  readonly fuses: Fuses;
  readonly counter: Counter;
  readonly oscillator: Oscillator;
  readonly trng: Trng;
  readonly tamper = new Tamper();
  readonly accelerator: Accelerator;
  /** Undefined if they were switched off. */
  readonly invariants: Invariants | undefined;
  readonly timerSeconds: number;
  readonly #startMs: bigint;
  readonly #hal: Hal;
  readonly #keepsMemory: boolean;
  /** Without power: what the next power-up finds, if memory is kept. */
  #idle: Governor | undefined;
  #observers: Observer[] = [];
  #image: GovernorImage;
  #governor: Governor | undefined;
  #nowNs = 0n;
  #on = false;
  #fault: unknown;
  #gate: number = GateState.LOCKED;
  #nextTickNs: bigint | undefined;
  #actions: Action[] = [];
  /** Events of the governor call under way: observers see them when it is over. */
  #during: BoardEvent[] | undefined;
  #completed: Phase | undefined;
  #lost: Phase | undefined;

  constructor(options: BoardOptions) {
    this.#random = new Random(options.seed);
    this.#image = options.image;
    this.#startMs = BigInt(options.startSeconds ?? START_SECONDS) * 1000n;
    const supply = this.supply;
    this.flash = new Flash({
      sectors: options.flashSectors ?? 64,
      enduranceErases: options.flashEnduranceErases,
      random: this.random.stream("flash"),
      supply,
    });
    this.fuses = new Fuses({ random: this.random.stream("fuses"), supply });
    this.counter = new Counter({ lifeSteps: options.counterLifeSteps, supply });
    this.oscillator = new Oscillator({ hz: options.tickHz ?? 1000, drift: options.drift });
    this.trng = new Trng(this.random.stream("trng"));
    this.accelerator = new Accelerator(options.chip ?? accelerator("h100"));
    this.timerSeconds = options.timerSeconds ?? 1;
    if (!Number.isInteger(this.timerSeconds) || this.timerSeconds < 1 || this.timerSeconds > TIMER_SECONDS_MAX) {
      throw new BoardError(
        "board/option",
        `a timer of ${this.timerSeconds} s: 1 to ${TIMER_SECONDS_MAX} are supported`,
      );
    }
    this.#keepsMemory = options.keepsMemory ?? false;
    this.#hal = halOf(this, (event) => this.#during?.push(event));
    if (options.invariants !== false) {
      this.invariants = new Invariants({ signatures: options.invariants !== "work" });
      this.subscribe(this.invariants);
    }
  }

  get random(): Random {
    return this.#random;
  }

  /** Becomes the board of another seed, which has never been used: for whoever makes many of one. */
  reseed(seed: string | number | bigint): void {
    this.#random = new Random(seed);
    this.flash.reseed(this.#random.stream("flash"));
    this.fuses.reseed(this.#random.stream("fuses"));
    this.trng.reseed(this.#random.stream("trng"));
  }

  /** The factory's turn: secret, model, lifecycle. Once, and before the first power-up. */
  manufacture(model?: DeviceModel): Manufactured {
    return manufacture(this.fuses, this.random.stream("factory"), model);
  }

  // --- what can be seen from outside -----------------------------------------------------------------------------

  get nowNs(): bigint {
    return this.#nowNs;
  }

  /** Simulated seconds since the board was made. */
  get seconds(): number {
    return secondsOf(this.#nowNs);
  }

  get agreementMs(): bigint {
    return this.#startMs + this.#nowNs / NS_PER_MS;
  }

  /** True agreement time in whole seconds: what an honest time authority would sign now. */
  get agreementSeconds(): number {
    return Number(this.agreementMs / 1000n);
  }

  /** Oscillator ticks since power-up. */
  get ticks(): bigint {
    return this.#on ? this.oscillator.ticksAt(this.#nowNs) : 0n;
  }

  get on(): boolean {
    return this.#on;
  }

  /** Why the governor hangs; undefined while it does not. */
  get fault(): unknown {
    return this.#fault;
  }

  get gateState(): number {
    return this.#gate;
  }

  get image(): GovernorImage {
    return this.#image;
  }

  /** `BootProgress`, the last step that this power-up reached. */
  get bootProgress(): number {
    return this.#governor?.stateWord(StateHead.BOOT_PROGRESS) ?? 0;
  }

  /** The governor's last refusal, or the reason of its last transition. */
  get lastCode(): number {
    return this.#governor?.stateWord(StateHead.LAST_CODE) ?? 0;
  }

  /** A copy of the governor's State block; undefined without power. */
  state(): Uint8Array | undefined {
    return this.#governor?.state();
  }

  /** Bytes of State block and memory; 0 without power. */
  get governorBytes(): { state: number; memory: number } {
    return { state: this.#governor?.stateBytes ?? 0, memory: this.#governor?.memoryBytes ?? 0 };
  }

  /** Returns what ends the subscription. */
  subscribe(observer: Observer): () => void {
    this.#observers = [...this.#observers, observer];
    return () => {
      this.#observers = this.#observers.filter((other) => other !== observer);
    };
  }

  // --- power -----------------------------------------------------------------------------------------------------

  /** Boot ROM, then governor. Returns 0 or the governor's code. @throws BoardError if it hangs; PowerCut. */
  powerOn(): number {
    if (this.#on) throw new BoardError("board/on", "the board has power already");
    const governor = this.#freshGovernor();
    this.#governor = governor;
    this.#on = true;
    this.#fault = undefined;
    this.fuses.reset();
    this.oscillator.reset(this.#nowNs);
    this.#emit({ kind: "power", change: "on" });
    const handoff = runBootRom(this.fuses, this.#image.sha256);
    const code = this.#call("boot", () => governor.boot(handoff));
    this.#emit({ kind: "boot", code });
    this.#scheduleTick();
    return code;
  }

  /** Switches off between two operations. */
  powerOff(): void {
    if (this.#on) this.#losePower("off");
  }

  /** Pulls the plug. What the accelerator was doing is lost, and so is all RAM. */
  cutPower(): void {
    if (this.#on) this.#losePower("cut");
  }

  /** Puts another governor image into the board. @throws BoardError while it has power. */
  setImage(image: GovernorImage): void {
    if (this.#on) throw new BoardError("board/on", "an image is changed without power");
    this.#image = image;
  }

  // --- what the host does ----------------------------------------------------------------------------------------

  /** One mailbox exchange. @throws BoardError off, hung, too long; PowerCut if the supply fails in the middle. */
  request(request: Uint8Array): Uint8Array {
    const governor = this.#running();
    if (request.length > Limit.MESSAGE_BYTES_MAX) {
      throw new BoardError(
        "board/message-too-long",
        `a request of ${request.length} bytes: the mailbox holds ${Limit.MESSAGE_BYTES_MAX}`,
      );
    }
    const asked = request.slice();
    return this.#call("doorbell", () => governor.doorbell(request), asked);
  }

  /** Gives the accelerator a phase; it goes on as time is advanced. */
  submit(phase: Phase): void {
    if (!this.#on) throw new BoardError("board/off", "the board has no power");
    this.accelerator.submit(phase);
  }

  /** Takes the running phase off; what is left of it. */
  withdraw(): Phase | undefined {
    return this.accelerator.withdraw();
  }

  /** Submits a phase and lets time pass until it is done, or stands still for too long, or the power goes. */
  run(phase: Phase, options: RunOptions = {}): RunResult {
    const stallNs = nsOf(options.stallSeconds ?? 600);
    const startNs = this.#nowNs;
    this.#completed = undefined;
    this.#lost = undefined;
    this.submit(phase);
    const over = () => this.accelerator.phase !== phase;
    for (;;) {
      const before = this.accelerator.elapsedNs;
      this.#advanceTo(this.#nowNs + stallNs, over);
      const stuck = !over() && this.accelerator.elapsedNs === before;
      if (!over() && !stuck) continue;
      const remaining = stuck ? this.withdraw() : this.#lost;
      return { completed: this.#completed === phase, seconds: secondsOf(this.#nowNs - startNs), remaining };
    }
  }

  /** Lets simulated time pass, event by event. */
  advance(seconds: number): void {
    this.#advanceTo(this.#nowNs + nsOf(seconds));
  }

  /** The same, to a simulated time that is not over yet. */
  advanceTo(atNs: bigint): void {
    this.#advanceTo(atNs);
  }

  /** Lets time pass until the oscillator has made `count` more ticks. @throws BoardError if it stands still. */
  advanceTicks(count: number): void {
    this.#running();
    const until = this.oscillator.nsAtTicks(this.ticks + BigInt(count));
    if (until === undefined) throw new BoardError("board/option", "the oscillator stands still");
    this.#advanceTo(until);
  }

  /** Does something on the host after so many simulated seconds. */
  after(seconds: number, act: () => void): void {
    const atNs = this.#nowNs + nsOf(seconds);
    const index = this.#actions.findIndex((other) => other.atNs > atNs);
    this.#actions.splice(index < 0 ? this.#actions.length : index, 0, { atNs, act });
  }

  // --- what others do to it --------------------------------------------------------------------------------------

  /** A tamper sensor fires. */
  trip(bits: number): void {
    this.tamper.trip(bits);
    this.#emit({ kind: "tamper", bits });
    this.#serve("tamper", (governor) => governor.tamper());
  }

  /** The clock is heated, cooled or replaced: 1000 permille is nominal, 0 stands still. */
  setClockSpeed(permille: number): void {
    this.oscillator.setSpeed(permille, this.#nowNs);
    if (this.#on) this.#scheduleTick();
    this.#emit({ kind: "clock", permille });
  }

  // --- whole boards ----------------------------------------------------------------------------------------------

  /**
   * Everything, observers' memories included; flash sectors are shared until they change. `onLoan`: observers' memories are
   * theirs still, so whoever asks copies them before the board goes on.
   */
  snapshot(onLoan = false): BoardSnapshot {
    return {
      nowNs: this.#nowNs,
      on: this.#on,
      fault: this.#fault,
      gate: this.#gate,
      nextTickNs: this.#nextTickNs,
      state: this.#governor?.state(),
      image: this.#image,
      flash: this.flash.snapshot(),
      fuses: this.fuses.snapshot(),
      counter: this.counter.snapshot(),
      oscillator: this.oscillator.snapshot(),
      trng: this.trng.snapshot(),
      tamper: this.tamper.snapshot(),
      accelerator: this.accelerator.snapshot(),
      actions: [...this.#actions],
      observers: new Map(this.#observers.map((observer) => [observer, observer.snapshot?.(onLoan)])),
    };
  }

  /** Back to a snapshot of this board. `onLoan`: nobody else will use it. */
  restore(snapshot: BoardSnapshot, onLoan = false): void {
    this.#nowNs = snapshot.nowNs;
    this.#on = snapshot.on;
    this.#gate = snapshot.gate;
    this.#nextTickNs = snapshot.nextTickNs;
    this.flash.restore(snapshot.flash);
    this.fuses.restore(snapshot.fuses);
    this.counter.restore(snapshot.counter);
    this.oscillator.restore(snapshot.oscillator);
    this.trng.restore(snapshot.trng);
    this.tamper.restore(snapshot.tamper);
    this.accelerator.restore(snapshot.accelerator);
    this.#actions = [...snapshot.actions];
    if (snapshot.state) {
      // All else in the governor's memory changes no answer, unless the last call did not end.
      if (!this.#governor || this.#fault !== undefined || this.#image !== snapshot.image) {
        this.#governor = this.#freshGovernor(snapshot.image);
      }
      this.#governor.setState(snapshot.state);
    } else {
      if (this.#governor && this.#fault === undefined) this.#idle = this.#governor;
      this.#governor = undefined;
    }
    this.#image = snapshot.image;
    this.#fault = snapshot.fault;
    for (const [observer, state] of snapshot.observers) observer.restore?.(state, onLoan);
  }

  // --- inside ----------------------------------------------------------------------------------------------------

  #running(): Governor {
    if (!this.#on || !this.#governor) throw new BoardError("board/off", "the board has no power");
    if (this.#fault !== undefined) this.#throwHung();
    return this.#governor;
  }

  #freshGovernor(image = this.#image): Governor {
    const idle = this.#idle;
    this.#idle = undefined;
    if (!this.#keepsMemory || idle?.image !== image) return new Governor(image, this.#hal);
    idle.clearState();
    return idle;
  }

  #throwHung(): never {
    const why = this.#fault instanceof Error ? this.#fault.message : String(this.#fault);
    throw new BoardError("board/hung", `the governor hangs until the next power-up: ${why}`, { cause: this.#fault });
  }

  #advanceTo(untilNs: bigint, stop?: () => boolean): void {
    while (this.#nowNs < untilNs && !stop?.()) {
      let next = untilNs;
      const work = this.#on ? this.accelerator.untilNextNs() : undefined;
      if (work !== undefined && this.#nowNs + work < next) next = this.#nowNs + work;
      if (this.#nextTickNs !== undefined && this.#nextTickNs < next) next = this.#nextTickNs;
      const action = this.#actions[0];
      if (action && action.atNs < next) next = action.atNs;
      this.#passTo(next > this.#nowNs ? next : this.#nowNs);
    }
  }

  /** Goes to the next event and does what is due there. */
  #passTo(atNs: bigint): void {
    const spanNs = atNs - this.#nowNs;
    this.#nowNs = atNs;
    if (this.#on && this.accelerator.busy) {
      const progress = this.accelerator.pass(spanNs);
      if (progress.retired) this.#emit({ kind: "retired", work: progress.retired });
      for (const stall of progress.stalled) this.#emit({ kind: "stalled", ...stall });
      if (progress.completed) {
        this.#completed = progress.completed;
        this.#emit({ kind: "completed", phase: progress.completed });
      }
      if (progress.creditLow) this.#serve("creditLow", (governor) => governor.creditLow());
    }
    if (this.#nextTickNs !== undefined && this.#nowNs >= this.#nextTickNs) {
      this.#serve("tick", (governor) => governor.tick());
      if (this.#on) {
        this.#scheduleTick();
        this.#emit({ kind: "tick" });
      }
    }
    while (this.#actions.length > 0 && this.#actions[0]!.atNs <= this.#nowNs) this.#actions.shift()!.act();
  }

  /** The timer fires once in its period of nominal seconds; not at all while the oscillator stands or the governor hangs. */
  #scheduleTick(): void {
    const period = BigInt(this.oscillator.hz * this.timerSeconds);
    const next = (this.oscillator.ticksAt(this.#nowNs) / period + 1n) * period;
    this.#nextTickNs = this.#fault === undefined ? this.oscillator.nsAtTicks(next) : undefined;
  }

  /** An interrupt: nobody waits for it, so a power cut or a hang in it shows in the events only. */
  #serve(during: string, body: (governor: Governor) => void): void {
    const governor = this.#governor;
    if (!governor || this.#fault !== undefined) return;
    try {
      this.#call(during, () => body(governor));
    } catch (error) {
      if (error instanceof PowerCut || (error instanceof BoardError && error.code === "board/hung")) return;
      throw error;
    }
  }

  /** One call into the governor. Its events reach the observers when it is over, a mailbox exchange before its effects. */
  #call<T>(during: string, body: () => T, request?: Uint8Array): T {
    const events: BoardEvent[] = [];
    this.#during = events;
    let result: T | undefined;
    let failure: unknown;
    try {
      result = body();
    } catch (error) {
      failure = error;
    } finally {
      this.#during = undefined;
    }
    if (failure !== undefined && !(failure instanceof PowerCut)) this.#hang(during, failure);
    if (request) {
      this.#emit({ kind: "request", request, answer: result instanceof Uint8Array ? result : undefined });
    }
    for (const event of events) this.#emit(event);
    if (failure instanceof PowerCut) {
      this.#losePower("cut");
      this.#idle = undefined;
      throw failure;
    }
    this.#readGate();
    if (failure !== undefined) {
      this.#emit({ kind: "hung", during, cause: failure });
      this.#throwHung();
    }
    return result as T;
  }

  #hang(during: string, cause: unknown): void {
    this.#fault = cause ?? new Error(`hung in ${during}`);
    this.#nextTickNs = undefined;
  }

  #readGate(): void {
    const from = this.#gate;
    const to = this.#governor!.stateWord(StateHead.GATE_STATE);
    if (to === from) return;
    this.#gate = to;
    this.#emit({ kind: "gate", from, to, code: this.#governor!.stateWord(StateHead.LAST_CODE) });
  }

  #losePower(change: "off" | "cut"): void {
    this.#on = false;
    // One that hangs, or that a cut stops in a call, may have been in the middle of anything.
    this.#idle = this.#fault === undefined ? this.#governor : undefined;
    this.#governor = undefined;
    this.#fault = undefined;
    this.#gate = GateState.LOCKED;
    this.#nextTickNs = undefined;
    this.#lost = this.accelerator.withdraw();
    this.accelerator.reset();
    this.#emit({ kind: "power", change });
  }

  #emit(event: BoardEvent): void {
    for (const observer of this.#observers) observer.observe(event, this);
  }
}
