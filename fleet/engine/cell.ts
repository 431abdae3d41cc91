/**
 * One cell: boards with the firmware that ships, their agents, and the office at the other end of the wire, in one order
 * of events. A board is brought up to the time of an event when one concerns it; what its own timer, its accelerator and
 * its governor do until then happens in that order, on that board alone.
 */
import { OrderAction } from "../../firmware/protocol/claims.ts";
import { GateState } from "../../firmware/protocol/states.ts";
import type { Evidence } from "../../host/objects/evidence.ts";
import { accelerator } from "../../sim-board/accelerators.ts";
import type { GovernorImage } from "../../sim-board/governor-module.ts";
import { InvariantBroken } from "../../sim-board/invariants/broken.ts";
import { Random } from "../../sim-board/random.ts";
import { Agent } from "../actors/agent.ts";
import { Office } from "../actors/office.ts";
import { isOpened, type Standing, standingOf } from "../actors/standing.ts";
import { HONEST, type Strategy, strategyOf } from "../actors/strategies.ts";
import { type Load, loadOf, TICK_HZ, termsOf } from "../actors/terms.ts";
import { BoardBank } from "../boards/bank.ts";
import type { FleetAction, FleetParameters } from "../studies/fleet/parameters.ts";
import { GateWatch } from "./gate-watch.ts";
import { EventQueue, type Ms } from "./queue.ts";
import { type CellTotals, cellTotals } from "./totals.ts";
import { World } from "./world.ts";

/** Two places for agreement and report each, and the least journal: enough for a fleet, and each sector is bytes kept. */
const FLASH_SECTORS = 6;
const NS_PER_MS = 1_000_000n;

function nsOfMs(ms: Ms): bigint {
  return BigInt(ms) * NS_PER_MS;
}

export type CellEvent =
  /** `time`: the agent asks for it. `fresh`: a beacon that was asked for comes. `cycle`: the plug is pulled. */
  | { readonly kind: "boot" | "time" | "beacon" | "fresh" | "renew" | "report" | "cycle"; readonly board: number }
  | { readonly kind: "proof"; readonly board: number; readonly nonce: Uint8Array }
  | { readonly kind: "license"; readonly board: number; readonly evidence: Evidence }
  /** The order of this place in the office's row comes to the agent. */
  | { readonly kind: "order"; readonly board: number; readonly place: number }
  | { readonly kind: "action"; readonly action: FleetAction };

export interface CellShape {
  readonly image: GovernorImage;
  readonly parameters: FleetParameters;
  readonly seed: string;
  readonly cell: number;
}

export class Cell {
  readonly boards: number;
  readonly world: World;
  readonly load: Load;
  readonly totals: CellTotals;
  readonly bank: BoardBank;
  readonly office: Office;
  readonly queue = new EventQueue<CellEvent>();
  readonly parameters: FleetParameters;
  readonly standings: readonly Standing[];
  /** What decides whom an outage concerns: 0 to 999. */
  readonly draws: readonly number[];
  readonly watch: GateWatch;
  nowMs: Ms = 0;
  readonly #seed: string;
  readonly #first: number;
  readonly #agent: Agent;

  constructor({ image, parameters, seed, cell }: CellShape) {
    const { count, perCell, regions, timerSeconds } = parameters.boards;
    this.parameters = parameters;
    this.#seed = seed;
    this.#first = cell * perCell;
    this.boards = Math.min(perCell, count - this.#first);
    this.world = new World(parameters, cell % regions);
    this.load = loadOf(parameters);
    this.totals = cellTotals(parameters.seriesPoints);
    const random = new Random(`${seed}/cell/${cell}`);
    this.office = new Office(`${seed}/cell/${cell}`, termsOf(parameters, this.load));
    this.bank = new BoardBank({
      image,
      boards: this.boards,
      phases: [this.load.work, ...(this.load.checkpoint ? [this.load.checkpoint] : [])],
      chip: accelerator(this.load.accelerator),
      tickHz: TICK_HZ,
      flashSectors: FLASH_SECTORS,
      timerSeconds,
      invariants: parameters.signaturesChecked || "work",
    });
    const cheats = random.stream("cheats");
    const strategy = strategyOf(parameters.operator.cheats);
    const draws = random.stream("outages");
    const strategies: Strategy[] = [];
    this.draws = Array.from({ length: this.boards }, () => draws.below(1000));
    for (let i = 0; i < this.boards; i++) {
      strategies.push(cheats.below(1000) < parameters.operator.cheatsPermille ? strategy : HONEST);
    }
    this.standings = strategies.map(standingOf);
    this.watch = new GateWatch(this);
    this.bank.board.subscribe(this.watch);
    this.#agent = new Agent(this);
    this.#plan(random.stream("starts"));
  }

  /** To its end. @throws InvariantBroken, with the board and the time, for one that breaks one. */
  run(): CellTotals {
    try {
      return this.#run();
    } catch (error) {
      if (!(error instanceof InvariantBroken)) throw error;
      const where = `board ${this.#first + this.watch.taken} at ${this.bank.board.nowNs} ns`;
      throw new InvariantBroken(error.id, `${where}: ${error.detail}`, { cause: error });
    }
  }

  #run(): CellTotals {
    const { world, totals } = this;
    for (;;) {
      const next = this.queue.take(world.endMs);
      if (!next) break;
      this.nowMs = next.atMs;
      this.#happen(next.what);
    }
    this.nowMs = world.endMs;
    for (let i = 0; i < this.boards; i++) this.#finish(i);
    totals.events = this.queue.taken;
    totals.checks = this.bank.board.invariants?.checked ?? 0;
    totals.bytesAtRest = this.bank.bytesAtRest;
    this.watch.writeSeries();
    return totals;
  }

  /** The board of this number, brought up to now. */
  take(index: number) {
    const board = this.bank.take(index);
    const standing = this.standings[index]!;
    const { pauseMs, resumeMs } = this.world;
    this.watch.taken = index;
    // What it had done by then is noted on the way, not at a stop of its own.
    if (standing.enrolled && standing.atPause === undefined && this.#isPast(pauseMs)) {
      board.advanceTo(nsOfMs(pauseMs!));
      this.watch.markPause(index, pauseMs!);
    }
    if (standing.enrolled && !standing.isJudged && this.#isPast(resumeMs)) {
      board.advanceTo(nsOfMs(resumeMs!));
      this.watch.judge(index, resumeMs!);
    }
    board.advanceTo(nsOfMs(this.nowMs));
    return board;
  }

  /** A board leaves the factory and is switched on now. */
  make(index: number) {
    this.watch.taken = index;
    this.watch.made(index);
    const made = this.bank.manufacture(index, `${this.#seed}/board/${this.#first + index}`);
    const board = this.take(index);
    board.powerOn();
    return { board, ...made };
  }

  /** What a board's last exchange asks of its job is done at once, and not when time next passes. */
  settle(index: number): void {
    const standing = this.standings[index]!;
    const { gateState } = this.bank.board;
    if (this.watch.taken !== index || !standing.enrolled) return;
    if (standing.flows) this.setToWork(index);
    else if (gateState === GateState.DRAINING) this.setToDrain(index);
  }

  /** The work, or what a pause left of it. */
  setToWork(index: number): void {
    const standing = this.standings[index]!;
    const { board } = this.bank;
    if (standing.runs === "work" || isOpened(standing) || !board.on) return;
    board.withdraw();
    board.submit(standing.left ?? this.load.work);
    standing.left = undefined;
    standing.runs = "work";
  }

  /** The job saves itself, if it has anything to save. */
  setToDrain(index: number): void {
    const standing = this.standings[index]!;
    const { board } = this.bank;
    if (standing.runs !== "work" || !this.load.checkpoint || board.gateState !== GateState.DRAINING) return;
    standing.left = board.withdraw();
    board.submit(this.load.checkpoint);
    standing.runs = "checkpoint";
  }

  drainDone(): void {
    if (this.bank.board.gateState === GateState.DRAINING) this.#agent.drainDone();
  }

  #isPast(atMs: Ms | undefined): boolean {
    return atMs !== undefined && atMs <= this.nowMs;
  }

  #plan(starts: Random): void {
    const { world, parameters } = this;
    const spreadMs = Math.min(parameters.operator.startSpreadSeconds * 1000, world.endMs);
    for (let board = 0; board < this.boards; board++) {
      // Evenly, and each anywhere in its own part.
      const part = (board + starts.below(1_000_000) / 1_000_000) / this.boards;
      this.queue.put(Math.floor(part * spreadMs), { kind: "boot", board });
    }
    for (const action of world.actions) this.queue.put(action.atSeconds * 1000, { kind: "action", action });
  }

  #happen(event: CellEvent): void {
    if (event.kind === "action") this.#act(event.action);
    else this.#agent.meet(event);
  }

  /** The parties do something, and whoever can be reached hears of it. */
  #act(action: FleetAction): void {
    const kinds = { pause: OrderAction.PAUSE, slow: OrderAction.SLOW, resume: OrderAction.RESUME };
    if (action.do === "stop-licenses" || action.do === "stop-beacons") return;
    // A resume after no more than a stop has nothing to lift.
    if (action.do === "resume" && this.office.orders.length === 0) return;
    const place = this.office.orders.length;
    this.office.order(kinds[action.do], this.nowMs, action.permille);
    this.totals.orders += 1;
    for (let board = 0; board < this.boards; board++) {
      const reached = this.world.reachableMs("verifier", this.draws[board]!, this.nowMs);
      const at = reached + this.parameters.operator.latencyMs;
      this.queue.put(at, { kind: "order", board, place });
    }
  }

  #finish(index: number): void {
    const standing = this.standings[index]!;
    if (!standing.enrolled) return;
    this.take(index);
    if (!standing.isJudged) this.watch.judge(index, this.nowMs);
    this.watch.finish(index);
    this.#agent.finish(index);
  }
}
