/** Who runs cells: this thread, or threads of its own (fleet/run/threads.ts). */
import { runCell } from "./cell.ts";
import type { Plan, Task } from "./plan.ts";

export interface CellRunner {
  /** So many batches at a time are worth while. */
  readonly lanes: number;
  /** The results of a batch, in its order, as JSON. Throws a `RunError` that names the cell that failed. */
  run(tasks: readonly Task[]): Promise<readonly string[]>;
  close(): Promise<void>;
}

export function inlineRunner(plan: Plan): CellRunner {
  return {
    lanes: 1,
    async run(tasks) {
      const texts: string[] = [];
      for (const task of tasks) texts.push(await runCell(plan, task));
      // Timers and streams have their turn too.
      await new Promise((resolve) => setImmediate(resolve));
      return texts;
    },
    close: async () => {},
  };
}
