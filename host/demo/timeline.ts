/** What a board did over time, in few enough samples for a screen: gate, work, credit, and marks. */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { GateState } from "../../firmware/protocol/states.ts";
import type { BoardEvent, BoardView, Observer } from "../../sim-board/events.ts";
import type { Work } from "../../sim-board/workloads/types.ts";

export type MarkKind = "license" | "report" | "pause" | "resume";

export type Sample = {
  seconds: number;
  gate: number;
  /** Total of the main class. */
  done: number;
  /** Credit of the main class, as a part of one slice. */
  credit: number;
};

/** One cell of a drawing. */
export type Cell = { gate: number; done: number; credit: number; marks: ReadonlySet<MarkKind>; isPast: boolean };

/** States that must be seen even if they lasted only a moment, the most striking first. */
const STRIKING: readonly number[] = [
  GateState.TAMPERED,
  GateState.DRAINING,
  GateState.PAUSED,
  GateState.LOCKED,
  GateState.SLOWED,
  GateState.OPEN,
  GateState.IDLE,
];

export class Timeline implements Observer {
  /** The class that most of the job's work is in. */
  readonly mainClass: number;
  /** How long the story will be, as far as is known. */
  readonly horizonSeconds: number;
  /** Work of the main class that the whole job is. */
  readonly goal: number;
  readonly samples: Sample[] = [];
  readonly marks: { seconds: number; kind: MarkKind }[] = [];
  /** Told after each sample. */
  onSample: (() => void) | undefined;
  /** Off while the operator tries things on a copy of the board. */
  isOn = true;
  readonly #slice: number;

  constructor(options: { work: Work; slice: ReadonlyMap<number, bigint>; horizonSeconds: number }) {
    this.mainClass = mainClassOf(options.work);
    this.goal = Number(options.work.get(this.mainClass) ?? 0n);
    this.horizonSeconds = options.horizonSeconds;
    this.#slice = Number(options.slice.get(this.mainClass) ?? 1n);
  }

  get now(): Sample | undefined {
    return this.samples.at(-1);
  }

  observe(event: BoardEvent, board: BoardView): void {
    if (!this.isOn) return;
    if (event.kind !== "tick" && event.kind !== "gate" && event.kind !== "completed" && event.kind !== "power") return;
    this.samples.push({
      seconds: Number(board.nowNs) / 1e9,
      gate: board.gateState,
      done: Number(board.accelerator.lifetimeOf(this.mainClass)),
      credit: Math.min(1, Number(board.accelerator.creditOf(this.mainClass)) / this.#slice),
    });
    this.onSample?.();
  }

  mark(seconds: number, kind: MarkKind): void {
    this.marks.push({ seconds, kind });
  }

  /** The timeline in `count` cells of equal length over the whole horizon. */
  cells(count: number): Cell[] {
    const end = Math.max(this.horizonSeconds, this.now?.seconds ?? 0);
    const indexOf = (seconds: number) => Math.min(count - 1, Math.floor((seconds / end) * count));
    const groups: Sample[][] = Array.from({ length: count }, () => []);
    for (const sample of this.samples) groups[indexOf(sample.seconds)]!.push(sample);
    const marks = Array.from({ length: count }, () => new Set<MarkKind>());
    for (const { seconds, kind } of this.marks) marks[indexOf(seconds)]!.add(kind);
    const last = this.now ? indexOf(this.now.seconds) : -1;
    let before: Sample = { seconds: 0, gate: GateState.LOCKED, done: 0, credit: 0 };
    return groups.map((group, i) => {
      const newest = group.at(-1) ?? before;
      const gate = STRIKING.find((state) => group.some((sample) => sample.gate === state)) ?? before.gate;
      const cell = {
        gate,
        done: newest.done - before.done,
        credit: newest.credit,
        marks: marks[i]!,
        isPast: i <= last,
      };
      before = newest;
      return cell;
    });
  }
}

/** The class with the most operations; of a job without operations, the one with the most bytes. */
function mainClassOf(work: Work): number {
  const rank = ([engineClass, amount]: [number, bigint]): bigint =>
    engineClass <= EngineClass.VECTOR ? amount + 2n ** 100n : amount;
  const sorted = [...work].sort((a, b) => (rank(b) > rank(a) ? 1 : -1));
  return sorted[0]?.[0] ?? EngineClass.TENSOR_BF16;
}
