/** Watches the gate of whichever board is at work, and keeps the books of the cell on when work flowed and when not. */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { GateState } from "../../firmware/protocol/states.ts";
import { operationFactor } from "../../host/policy/counting.ts";
import type { BoardEvent, BoardView, Observer } from "../../sim-board/events.ts";
import { flows } from "../../sim-board/invariants/names.ts";
import { isOpened } from "../actors/standing.ts";
import { countedPerSecond } from "../actors/terms.ts";
import type { Cell } from "./cell.ts";
import type { Ms } from "./queue.ts";
import type { KindTotals } from "./totals.ts";

export class GateWatch implements Observer {
  /** Number of the board that is at work. */
  taken = 0;
  readonly #cell: Cell;
  readonly #factors: readonly bigint[];
  readonly #stepMs: number;
  /** By how many boards more work at a point of the series than at the one before. */
  readonly #changes: number[];

  constructor(cell: Cell) {
    this.#cell = cell;
    const { agreement, seriesPoints } = cell.parameters;
    this.#factors = Array.from({ length: EngineClass.COUNT }, (_, c) =>
      operationFactor(c as EngineClass, agreement.counting),
    );
    this.#stepMs = seriesPoints > 0 ? cell.world.endMs / seriesPoints : Number.POSITIVE_INFINITY;
    this.#changes = new Array<number>(seriesPoints).fill(0);
  }

  observe(event: BoardEvent, board: BoardView): void {
    const standing = this.#cell.standings[this.taken]!;
    if (event.kind === "completed") this.#completed(board);
    if (event.kind !== "gate" && event.kind !== "power") return;
    const [from, to] = event.kind === "gate" ? [event.from, event.to] : [undefined, board.gateState];
    const nowMs = msOf(board.nowNs);
    if (from === GateState.DRAINING) this.#drained(board, nowMs);
    if (flows(to) === standing.flows) return;
    if (flows(to)) this.#started(nowMs);
    else this.#ended(nowMs, event.kind === "power");
  }

  /** Counted operations that the board at work has done since it was made. */
  operations(board: BoardView): bigint {
    let sum = 0n;
    this.#factors.forEach((factor, c) => {
      if (factor > 0n) sum += board.accelerator.lifetimeOf(c) * factor;
    });
    return sum;
  }

  /** What its load comes to in so long, where nothing holds it back. */
  operationsIn(ms: Ms): bigint {
    const { load, parameters } = this.#cell;
    return (countedPerSecond(load, parameters.agreement) * BigInt(Math.round(ms))) / 1000n;
  }

  /** Whether the board has done more of anything than these totals say. */
  doneMoreThan(index: number, totals: readonly bigint[] | undefined): boolean {
    const { standings, bank, nowMs } = this.#cell;
    const standing = standings[index]!;
    if (isOpened(standing) && this.operationsIn(nowMs - standing.madeMs) > 0n) return true;
    return totals?.some((total, c) => total < bank.board.accelerator.lifetimeOf(c)) ?? true;
  }

  /** A board that is switched on after the pause counts for the leak from then on. */
  made(index: number): void {
    const { standings, world, nowMs } = this.#cell;
    const standing = standings[index]!;
    standing.madeMs = nowMs;
    if (isOpened(standing)) this.#change(nowMs, 1);
    if (world.pauseMs !== undefined && nowMs >= world.pauseMs) standing.atPause = 0n;
    standing.isJudged = world.resumeMs !== undefined && nowMs >= world.resumeMs;
  }

  kindOf(index: number): KindTotals {
    const { totals, standings } = this.#cell;
    return standings[index]!.strategy.size > 0 ? totals.cheating : totals.honest;
  }

  markPause(index: number, nowMs: Ms): void {
    const standing = this.#cell.standings[index]!;
    const kind = this.kindOf(index);
    standing.atPause = this.operations(this.#cell.bank.board);
    standing.workedAtPause = standing.flows || isOpened(standing);
    if (standing.flows) kind.workedMs += nowMs - standing.sinceMs;
    else if (standing.everWorked) this.#stopped(kind, nowMs - standing.endedMs);
  }

  /** At the resume, or at the end of the run: what came of the pause. */
  judge(index: number, nowMs: Ms): void {
    const { world, standings } = this.#cell;
    const standing = standings[index]!;
    standing.isJudged = true;
    if (standing.atPause === undefined || world.pauseMs === undefined) return;
    const kind = this.kindOf(index);
    const after = isOpened(standing)
      ? this.operationsIn(nowMs - Math.max(world.pauseMs, standing.madeMs))
      : this.operations(this.#cell.bank.board) - standing.atPause;
    kind.operationsAfter += after;
    if (after > kind.operationsAfterMost) kind.operationsAfterMost = after;
    if (!standing.workedAtPause) return;
    kind.workedAtPause += 1;
    kind.stopsAfter += standing.stopsAfter;
    kind.fullAfter += this.operationsIn(nowMs - world.pauseMs);
    if (standing.flows || isOpened(standing)) {
      kind.neverClosed += 1;
      return;
    }
    const closedMs = standing.endedMs - world.pauseMs;
    kind.closed += 1;
    kind.closedFirstMs = Math.min(kind.closedFirstMs, closedMs);
    kind.closedLastMs = Math.max(kind.closedLastMs, closedMs);
    kind.closedSumMs += closedMs;
    kind.quietLastMs = Math.max(kind.quietLastMs, closedMs, standing.quietMs - world.pauseMs);
  }

  /** At the end of the run. */
  finish(index: number): void {
    const { standings, world, nowMs, bank } = this.#cell;
    const standing = standings[index]!;
    const kind = this.kindOf(index);
    kind.boards += 1;
    kind.operations += isOpened(standing) ? this.operationsIn(nowMs - standing.madeMs) : this.operations(bank.board);
    kind.counterStepsMost = Math.max(kind.counterStepsMost, bank.board.counter.read());
    if (world.pauseMs !== undefined) return;
    if (standing.flows) kind.workedMs += nowMs - standing.sinceMs;
    else if (standing.everWorked) this.#stopped(kind, nowMs - standing.endedMs);
  }

  /** Of the whole cell. */
  writeSeries(): void {
    let atWork = 0;
    this.#changes.forEach((change, i) => {
      atWork += change;
      this.#cell.totals.atWork[i] = atWork;
    });
  }

  #started(nowMs: Ms): void {
    const { standings, world } = this.#cell;
    const standing = standings[this.taken]!;
    const kind = this.kindOf(this.taken);
    const isBefore = world.pauseMs === undefined || nowMs < world.pauseMs;
    if (standing.everWorked && nowMs > standing.endedMs && isBefore) this.#stopped(kind, nowMs - standing.endedMs);
    const { resumeMs } = world;
    if (resumeMs !== undefined && nowMs >= resumeMs && standing.workedAtPause && standing.resumedMs === undefined) {
      standing.resumedMs = nowMs - resumeMs;
      kind.resumed += 1;
      kind.resumedSumMs += standing.resumedMs;
      kind.resumedLastMs = Math.max(kind.resumedLastMs, standing.resumedMs);
    }
    standing.flows = true;
    standing.everWorked = true;
    standing.sinceMs = nowMs;
    if (!isOpened(standing)) this.#change(nowMs, 1);
    this.#cell.bank.board.after(0, () => this.#cell.setToWork(this.taken));
  }

  #ended(nowMs: Ms, isPowerLost: boolean): void {
    const { standings, world } = this.#cell;
    const standing = standings[this.taken]!;
    const untilMs = Math.min(nowMs, world.pauseMs ?? nowMs);
    if (untilMs > standing.sinceMs && standing.atPause === undefined) {
      this.kindOf(this.taken).workedMs += untilMs - standing.sinceMs;
    }
    standing.flows = false;
    standing.endedMs = nowMs;
    if (standing.atPause !== undefined) standing.stopsAfter += 1;
    standing.quietMs = nowMs;
    if (!isOpened(standing)) this.#change(nowMs, -1);
    const { board } = this.#cell.bank;
    if (board.gateState === GateState.DRAINING) board.after(0, () => this.#cell.setToDrain(this.taken));
    else if (!isPowerLost && this.#cell.load.checkpoint && world.isPaused(nowMs)) this.#shutUnsaved(board);
  }

  /** What the job had in memory is gone with the power. */
  lostPower(index: number): void {
    const standing = this.#cell.standings[index]!;
    if (standing.runs === "nothing" && standing.left === undefined) return;
    this.kindOf(index).operationsUnsaved += this.#unsaved(this.#cell.bank.board);
    standing.saved = this.operations(this.#cell.bank.board);
    standing.runs = "nothing";
    standing.left = undefined;
  }

  #drained(board: BoardView, nowMs: Ms): void {
    const standing = this.#cell.standings[this.taken]!;
    standing.quietMs = nowMs;
    if (standing.runs !== "checkpoint") return;
    // Where the gate opens instead, the job goes on and nothing was at stake.
    if (!flows(board.gateState)) this.#shutUnsaved(board);
    standing.runs = "nothing";
    this.#cell.bank.board.withdraw();
  }

  /** Nothing is lost as long as the board keeps its power. */
  #shutUnsaved(board: BoardView): void {
    const kind = this.kindOf(this.taken);
    kind.checkpointsMissed += 1;
    kind.operationsUnsaved += this.#unsaved(board);
    // Counted once, however often its gate shuts.
    this.#cell.standings[this.taken]!.saved = this.operations(board);
  }

  /** Of the work itself no run ever sees the end. */
  #completed(board: BoardView): void {
    const standing = this.#cell.standings[this.taken]!;
    if (standing.runs !== "checkpoint") return;
    standing.runs = "nothing";
    standing.saved = this.operations(board);
    this.kindOf(this.taken).checkpointsSaved += 1;
    this.#cell.bank.board.after(0, () => this.#cell.drainDone());
  }

  /** What was done since the job last saved itself. */
  #unsaved(board: BoardView): bigint {
    const since = this.operations(board) - this.#cell.standings[this.taken]!.saved;
    const everySeconds = this.#cell.parameters.load.checkpointEverySeconds;
    const between = this.operationsIn(everySeconds * 1000);
    return between > 0n ? since % between : since;
  }

  #stopped(kind: KindTotals, ms: Ms): void {
    kind.falseStops += 1;
    kind.stoppedMs += ms;
  }

  #change(nowMs: Ms, by: 1 | -1): void {
    const at = Math.ceil(nowMs / this.#stepMs);
    if (at < this.#changes.length) this.#changes[at]! += by;
  }
}

function msOf(ns: bigint): Ms {
  return Number(ns) / 1e6;
}
