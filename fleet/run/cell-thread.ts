/** The inside of a thread that runs cells: it plans the run as everybody does, and takes tasks by their numbers. */
import { parentPort, workerData } from "node:worker_threads";
import { runCell } from "./cell.ts";
import { RunError } from "./errors.ts";
import { Plan } from "./plan.ts";
import { studiesOf, studyOf } from "./study-modules.ts";
import type { Asked, ThreadData, Told } from "./thread-wire.ts";

const { modules, scenario, seed } = workerData as ThreadData;
const plan = new Plan(scenario, studyOf(await studiesOf(modules), scenario.study), seed);

parentPort!.on("message", async (indexes: Asked) => {
  parentPort!.postMessage(await answer(indexes));
});

async function answer(indexes: Asked): Promise<Told> {
  const texts: string[] = [];
  for (const index of indexes) {
    try {
      texts.push(await runCell(plan, plan.task(index)));
    } catch (error) {
      const cause = error instanceof RunError && error.cause !== undefined ? error.cause : error;
      const { name, message, stack } = cause instanceof Error ? cause : new Error(String(cause));
      return { failed: { index, name, message, ...(stack !== undefined && { stack }) } };
    }
  }
  return { texts };
}
