/**
 * Tasks that are done one after the other, each when it is due: again after a while where it went well, sooner or later
 * by back-off where it did not, and at once when something happens. Nothing that a task throws ends the lane.
 */
import { backOffMs } from "../../client/retry.ts";
import { MACHINE_TIME, type Timing } from "../../timing.ts";
import { AgentError } from "../errors.ts";
import { type Failure, failureOf, type Outcome } from "../outcome.ts";
import { Sleeper } from "./sleeper.ts";

export interface Task {
  readonly name: string;
  /** Until it is looked at again. */
  readonly everyMs: number;
  /** Does what there is to do; undefined where there was nothing. */
  run(): Promise<Outcome | undefined>;
}

export interface LaneOptions {
  /** After each run that did something or failed. */
  readonly onOutcome: (task: string, outcome: Outcome) => void;
  readonly onFault: (task: string, error: unknown) => void;
  readonly random?: () => number;
  readonly timing?: Timing;
}

interface Timed {
  readonly task: Task;
  dueMs: number;
  failures: number;
  failure: Failure | undefined;
}

const RETRY_FIRST_MS = 500;
const RETRY_LONGEST_MS = 30_000;

export class Lane {
  readonly #tasks: readonly Timed[];
  readonly #options: LaneOptions;
  readonly #random: () => number;
  readonly #timing: Timing;
  readonly #sleeper: Sleeper;

  /** In this order where several are due. */
  constructor(tasks: readonly Task[], options: LaneOptions) {
    this.#tasks = tasks.map((task) => ({ task, dueMs: 0, failures: 0, failure: undefined }));
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#timing = options.timing ?? MACHINE_TIME;
    this.#sleeper = new Sleeper(this.#timing);
  }

  /** The first task's failure, in their order: what stands in the way of the others too. */
  get failure(): Failure | undefined {
    return this.#tasks.find(({ failure }) => failure !== undefined)?.failure;
  }

  /** Everything is due, or this task. */
  wake(name?: string): void {
    for (const timed of this.#tasks) if (name === undefined || timed.task.name === name) timed.dueMs = 0;
    this.#sleeper.wake();
  }

  async run(): Promise<void> {
    while (!this.#sleeper.isOver) {
      const nowMs = this.#timing.nowMs();
      const due = this.#tasks.find(({ dueMs }) => dueMs <= nowMs);
      if (due) await this.#do(due);
      else await this.#sleeper.sleep(Math.min(...this.#tasks.map(({ dueMs }) => dueMs)) - nowMs);
    }
  }

  stop(): void {
    this.#sleeper.stop();
  }

  async #do(timed: Timed): Promise<void> {
    const { task } = timed;
    // What wakes it while it runs makes it due again.
    timed.dueMs = Number.POSITIVE_INFINITY;
    const outcome = await this.#outcomeOf(task);
    if (outcome?.ok === false) {
      timed.failures += 1;
      timed.failure = outcome;
    } else {
      timed.failures = 0;
      timed.failure = undefined;
    }
    const delayMs =
      timed.failures > 0 ? backOffMs(timed.failures, this.#random, RETRY_FIRST_MS, RETRY_LONGEST_MS) : task.everyMs;
    timed.dueMs = Math.min(timed.dueMs, this.#timing.nowMs() + delayMs);
    if (outcome) this.#options.onOutcome(task.name, outcome);
  }

  async #outcomeOf(task: Task): Promise<Outcome | undefined> {
    try {
      return await task.run();
    } catch (error) {
      const failure = failureOf(error);
      if (failure) return failure;
      this.#options.onFault(task.name, error);
      return failureOf(new AgentError("agent/fault", task.name));
    }
  }
}
