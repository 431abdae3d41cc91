/**
 * Takes the results of cells in any order and merges those of each run of a point as soon as they are all there, so that
 * only runs that are under way are held cell by cell.
 */
import type { Json, Outcome } from "../study.ts";
import { RunError } from "./errors.ts";
import type { Plan } from "./plan.ts";
import type { PointResult } from "./result.ts";

interface Open {
  readonly texts: (string | undefined)[];
  missing: number;
}

export class Collector {
  readonly #plan: Plan;
  /** One bit for each task. */
  readonly #seen: Uint8Array;
  readonly #open = new Map<number, Open>();
  readonly #outcomes: (Outcome | undefined)[];
  #count = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#seen = new Uint8Array(Math.ceil(plan.taskCount / 8));
    this.#outcomes = new Array(plan.groupCount);
  }

  /** Tasks whose results are in. */
  get count(): number {
    return this.#count;
  }

  /** Cells whose results are held until the rest of their run is there. */
  get held(): number {
    let held = 0;
    for (const { texts, missing } of this.#open.values()) held += texts.length - missing;
    return held;
  }

  has(index: number): boolean {
    return (this.#seen[index >> 3]! & (1 << (index & 7))) !== 0;
  }

  /** A result that is in already counts once. Throws a `RunError` where the study cannot merge what it made itself. */
  add(index: number, text: string): void {
    if (this.has(index)) return;
    this.#seen[index >> 3]! |= 1 << (index & 7);
    this.#count++;
    const task = this.#plan.task(index);
    const group = this.#plan.groupOf(task);
    const open = this.#open.get(group) ?? this.#opened(group, this.#plan.cellsOf(task.point));
    open.texts[task.cell] = text;
    open.missing--;
    if (open.missing > 0) return;
    this.#open.delete(group);
    const results = open.texts.map((one) => JSON.parse(one!) as Json);
    this.#outcomes[group] = this.#merged(task.point, results);
  }

  /** All points, when all results are in. */
  points(): PointResult[] {
    const { scenario } = this.#plan;
    return scenario.points.map(({ name, set }, point) => ({
      name,
      set,
      runs: Array.from({ length: scenario.seeds }, (_, run) => ({
        seed: this.#plan.seedOf(run),
        outcome: this.#outcomes[point * scenario.seeds + run]!,
      })),
    }));
  }

  #opened(group: number, cells: number): Open {
    const open: Open = { texts: new Array(cells), missing: cells };
    this.#open.set(group, open);
    return open;
  }

  #merged(point: number, results: readonly Json[]): Outcome {
    const { study } = this.#plan;
    const { measures, series } = study.merge(this.#plan.parametersOf(point) as never, results);
    for (const [name, value] of Object.entries(measures)) {
      if (!study.metrics.some((metric) => metric.name === name)) {
        throw new RunError("fleet/study", `the study ${study.name} gives ${name}, which is none of its metrics`);
      }
      if (!Number.isFinite(value)) {
        throw new RunError("fleet/study", `the study ${study.name} gives ${value} as ${name}`);
      }
    }
    return series === undefined ? { measures } : { measures, series };
  }
}
