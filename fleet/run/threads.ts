/** Runs cells on threads of their own, a batch on each at a time. */
import { Worker } from "node:worker_threads";
import { cellError } from "./cell.ts";
import { RunError } from "./errors.ts";
import type { Plan, Task } from "./plan.ts";
import type { CellRunner } from "./runner.ts";
import type { ThreadData, Told } from "./thread-wire.ts";

export const THREADS_MAX = 64;
const SCRIPT = new URL("./cell-thread.mjs", import.meta.url);

/** `modules`: where the threads find the plan's study. `count` from 1 to 64. */
export function threadRunner(plan: Plan, modules: readonly string[], count: number): CellRunner {
  const { scenario, seed } = plan;
  const data: ThreadData = { modules, scenario, seed };
  const threads = Array.from({ length: count }, () => new Thread(plan, data));
  const free = [...threads];
  const waiting: ((thread: Thread) => void)[] = [];
  return {
    lanes: count,
    async run(tasks) {
      const thread = free.pop() ?? (await new Promise<Thread>((resolve) => waiting.push(resolve)));
      try {
        return await thread.run(tasks);
      } finally {
        const next = waiting.shift();
        if (next) next(thread);
        else free.push(thread);
      }
    },
    async close() {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

class Thread {
  readonly #plan: Plan;
  readonly #worker: Worker;
  #asked:
    | {
        readonly tasks: readonly Task[];
        readonly resolve: (texts: readonly string[]) => void;
        readonly reject: (error: RunError) => void;
      }
    | undefined;
  #gone: unknown;

  constructor(plan: Plan, workerData: ThreadData) {
    this.#plan = plan;
    this.#worker = new Worker(SCRIPT, { workerData });
    this.#worker.on("message", (told: Told) => this.#hear(told));
    this.#worker.on("error", (error) => this.#end(error));
    this.#worker.on("exit", (code) => this.#end(new Error(`it ended with ${code}`)));
  }

  run(tasks: readonly Task[]): Promise<readonly string[]> {
    return new Promise((resolve, reject) => {
      this.#asked = { tasks, resolve, reject };
      if (this.#gone === undefined) this.#worker.postMessage(tasks.map(({ index }) => index));
      else this.#end(this.#gone);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #hear(told: Told): void {
    const asked = this.#asked!;
    this.#asked = undefined;
    if ("texts" in told) {
      asked.resolve(told.texts);
      return;
    }
    const { index, name, message, stack } = told.failed;
    const cause = Object.assign(new Error(message), { name, stack });
    asked.reject(cellError(this.#plan, this.#plan.task(index), cause));
  }

  /** Whatever ended the thread, which of the cells it was in is not known. */
  #end(cause: unknown): void {
    this.#gone ??= cause;
    const asked = this.#asked;
    this.#asked = undefined;
    if (!asked) return;
    const [first, last] = [asked.tasks[0]!, asked.tasks.at(-1)!].map((task) => this.#plan.idOf(task));
    const which = first === last ? `cell ${first}` : `one of the cells ${first} to ${last}`;
    const { name, message } = this.#gone instanceof Error ? this.#gone : new Error(String(this.#gone));
    asked.reject(new RunError("fleet/thread", `${which} ended its thread: ${message}`, { cause, causeName: name }));
  }
}
