/** Runs a scenario on this machine, on one thread or many: the result has the same bytes. */
import { scenarioSha256 } from "../scenario/canonical.ts";
import { Checkpoint, type RunIdentity } from "./checkpoint.ts";
import { Collector } from "./collector.ts";
import type { Plan, Task } from "./plan.ts";
import type { RunResult } from "./result.ts";
import type { CellRunner } from "./runner.ts";

export interface Progress {
  /** Cells. */
  readonly done: number;
  readonly total: number;
  /** By the pace so far, which what a checkpoint had is no part of; undefined before there is one. */
  readonly secondsLeft: number | undefined;
}

export interface RunOptions {
  readonly version: string;
  readonly firmwareSha256: string;
  /** Path of a file by which a run that was broken off goes on. */
  readonly checkpoint?: string;
  readonly progress?: (progress: Progress) => void;
  /** Of a checkpoint: cells that it had, and lines in it that were not whole. */
  readonly resumed?: (cells: number, damaged: number) => void;
}

/** A batch that took less is followed by a larger one: what a message costs is not felt then. */
const BATCH_MS_MIN = 20;
const BATCH_MS_MAX = 200;
const BATCH_CELLS_MAX = 1_024;

export function identityOf({ scenario, seed }: Plan, { version, firmwareSha256 }: RunOptions): RunIdentity {
  return { scenarioSha256: scenarioSha256(scenario), seed, version, firmwareSha256 };
}

/** Throws a `RunError`. Closes the runner. */
export async function runScenario(plan: Plan, runner: CellRunner, options: RunOptions): Promise<RunResult> {
  const identity = identityOf(plan, options);
  const collector = new Collector(plan);
  let checkpoint: Checkpoint | undefined;
  try {
    if (options.checkpoint !== undefined)
      checkpoint = openCheckpoint(options.checkpoint, identity, collector, plan, options);
    await new Lanes(plan, runner, collector, checkpoint, options.progress).run();
    return resultOf(plan, identity, collector);
  } finally {
    try {
      checkpoint?.close();
    } finally {
      await runner.close();
    }
  }
}

export function resultOf(plan: Plan, identity: RunIdentity, collector: Collector): RunResult {
  return { scenario: plan.scenario, ...identity, points: collector.points() };
}

function openCheckpoint(
  path: string,
  identity: RunIdentity,
  collector: Collector,
  { taskCount }: Plan,
  { resumed }: RunOptions,
): Checkpoint {
  const checkpoint = Checkpoint.open(path, identity, (index, text) => {
    if (index < taskCount) collector.add(index, text);
  });
  if (collector.count + checkpoint.damaged > 0) resumed?.(collector.count, checkpoint.damaged);
  return checkpoint;
}

/** Takes tasks in their order, a batch to each lane of the runner. */
class Lanes {
  readonly #plan: Plan;
  readonly #runner: CellRunner;
  readonly #collector: Collector;
  readonly #checkpoint: Checkpoint | undefined;
  readonly #pace: Pace;
  #next = 0;
  #isStopped = false;

  constructor(
    plan: Plan,
    runner: CellRunner,
    collector: Collector,
    checkpoint: Checkpoint | undefined,
    progress: RunOptions["progress"],
  ) {
    this.#plan = plan;
    this.#runner = runner;
    this.#collector = collector;
    this.#checkpoint = checkpoint;
    this.#pace = new Pace(plan.taskCount, collector.count, progress);
  }

  async run(): Promise<void> {
    const lanes = Array.from({ length: this.#runner.lanes }, () => this.#lane());
    const ended = await Promise.allSettled(lanes);
    const failed = ended.find((one) => one.status === "rejected");
    if (failed) throw failed.reason;
  }

  async #lane(): Promise<void> {
    try {
      for (let size = 1; !this.#isStopped; ) {
        const tasks = this.#batch(size);
        if (tasks.length === 0) return;
        const begunMs = performance.now();
        const texts = await this.#runner.run(tasks);
        const tookMs = performance.now() - begunMs;
        if (tookMs < BATCH_MS_MIN) size = Math.min(size * 2, BATCH_CELLS_MAX);
        else if (tookMs > BATCH_MS_MAX) size = Math.max(1, size >> 1);
        this.#take(tasks, texts);
      }
    } catch (error) {
      this.#isStopped = true;
      throw error;
    }
  }

  #take(tasks: readonly Task[], texts: readonly string[]): void {
    this.#checkpoint?.add(tasks.map(({ index }, i) => [index, texts[i]!]));
    for (const [i, { index }] of tasks.entries()) this.#collector.add(index, texts[i]!);
    this.#pace.tell(this.#collector.count);
  }

  /** Smaller towards the end, so that no lane waits long for another. */
  #batch(size: number): Task[] {
    const left = this.#plan.taskCount - this.#next;
    const count = Math.min(size, Math.ceil(left / (2 * this.#runner.lanes)));
    const tasks: Task[] = [];
    for (; this.#next < this.#plan.taskCount && tasks.length < count; this.#next++) {
      if (!this.#collector.has(this.#next)) tasks.push(this.#plan.task(this.#next));
    }
    return tasks;
  }
}

/** How long the rest will take. */
export class Pace {
  readonly #total: number;
  readonly #before: number;
  readonly #progress: RunOptions["progress"];
  readonly #begunMs = performance.now();

  constructor(total: number, before: number, progress: RunOptions["progress"]) {
    this.#total = total;
    this.#before = before;
    this.#progress = progress;
    progress?.({ done: before, total, secondsLeft: undefined });
  }

  tell(done: number): void {
    const seconds = (performance.now() - this.#begunMs) / 1000;
    const secondsLeft = done > this.#before ? (seconds / (done - this.#before)) * (this.#total - done) : undefined;
    this.#progress?.({ done, total: this.#total, secondsLeft });
  }
}
