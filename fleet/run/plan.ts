/**
 * A run's work as one row of tasks: by point, then by seed, then by cell. Their numbers are the same on every machine, and
 * results are put together by them.
 */
import { parametersAt } from "../scenario/read-scenario.ts";
import type { JsonObject, Scenario } from "../scenario/scenario.ts";
import type { Study } from "../study.ts";
import { RunError } from "./errors.ts";

/** One cell of one run of one point. */
export interface Task {
  readonly index: number;
  /** Of the scenario's points. */
  readonly point: number;
  /** 0 for the first seed. */
  readonly run: number;
  readonly cell: number;
}

const CELLS_MAX = 100_000_000;

export class Plan {
  readonly scenario: Scenario;
  readonly study: Study<never>;
  readonly seed: string;
  readonly taskCount: number;
  /** Number of the first task of each point, and at the end the number of all. */
  readonly #starts: readonly number[];
  readonly #cells: readonly number[];
  #last: { readonly point: number; readonly parameters: JsonObject } | undefined;

  /** Throws a `RunError` where the study says how many cells there are, and it is no number that can be run. */
  constructor(scenario: Scenario, study: Study<never>, seed: string) {
    this.scenario = scenario;
    this.study = study;
    this.seed = seed;
    this.#cells = scenario.points.map((_, i) => this.#cellsAt(i));
    let count = 0;
    const starts = [0];
    for (const cells of this.#cells) {
      count += cells * scenario.seeds;
      starts.push(count);
    }
    if (count > CELLS_MAX) {
      throw new RunError("fleet/study", `the run would have ${count} cells, and at most ${CELLS_MAX} are run at once`);
    }
    this.#starts = starts;
    this.taskCount = count;
  }

  /** Runs of points, each of which has one outcome. */
  get groupCount(): number {
    return this.scenario.points.length * this.scenario.seeds;
  }

  groupOf({ point, run }: Task): number {
    return point * this.scenario.seeds + run;
  }

  cellsOf(point: number): number {
    return this.#cells[point]!;
  }

  parametersOf(point: number): JsonObject {
    if (this.#last?.point !== point) {
      this.#last = { point, parameters: parametersAt(this.scenario, this.scenario.points[point]!, this.study) };
    }
    return this.#last.parameters;
  }

  seedOf(run: number): string {
    return `${this.seed}-${run + 1}`;
  }

  task(index: number): Task {
    let [low, high] = [0, this.#cells.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#starts[middle]! <= index) low = middle;
      else high = middle - 1;
    }
    const within = index - this.#starts[low]!;
    const cells = this.#cells[low]!;
    return { index, point: low, run: Math.floor(within / cells), cell: within % cells };
  }

  /** `90d:2:0`: the point, which of the seeds, the cell. */
  idOf({ point, run, cell }: Task): string {
    return `${this.scenario.points[point]!.name}:${run + 1}:${cell}`;
  }

  /** Throws a `RunError`. */
  taskOf(id: string): Task {
    const { points, seeds } = this.scenario;
    const [, name, runText, cellText] = /^(.+):([0-9]{1,9}):([0-9]{1,9})$/s.exec(id) ?? [];
    if (name === undefined) {
      throw new RunError("fleet/unknown-cell", `'${id}' is no id of a cell: one is ${this.idOf(this.task(0))}`);
    }
    const [point, run, cell] = [points.findIndex((one) => one.name === name), Number(runText) - 1, Number(cellText)];
    if (point < 0) throw new RunError("fleet/unknown-cell", `there is no point '${name}' in ${this.scenario.name}`);
    if (run < 0 || run >= seeds || cell >= this.cellsOf(point)) {
      const allowed = `seeds 1 to ${seeds} and cells 0 to ${this.cellsOf(point) - 1}`;
      throw new RunError("fleet/unknown-cell", `${name} has ${allowed}, not ${runText} and ${cellText}`);
    }
    return { index: this.#starts[point]! + run * this.cellsOf(point) + cell, point, run, cell };
  }

  #cellsAt(point: number): number {
    const cells = this.study.cells(this.parametersOf(point) as never);
    if (Number.isSafeInteger(cells) && cells >= 1) return cells;
    throw new RunError("fleet/study", `the study ${this.study.name} has ${cells} cells: there must be at least one`);
  }
}
