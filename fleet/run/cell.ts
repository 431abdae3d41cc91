/** One cell run here. What it gives is kept as text from the start: the same whichever way it takes to the merge. */
import type { Json } from "../study.ts";
import { RunError } from "./errors.ts";
import type { Plan, Task } from "./plan.ts";

/** In characters of JSON. */
export const RESULT_CHARACTERS_MAX = 32 * 1024 * 1024;

/** The cell's result as JSON. Throws a `RunError` that names the cell. */
export async function runCell(plan: Plan, task: Task): Promise<string> {
  const { study } = plan;
  try {
    const place = { seed: plan.seedOf(task.run), cell: task.cell };
    return textOf(await study.run(plan.parametersOf(task.point) as never, place));
  } catch (cause) {
    throw cellError(plan, task, cause);
  }
}

export function cellError(plan: Plan, task: Task, cause: unknown): RunError {
  const id = plan.idOf(task);
  const place = `seed ${plan.seedOf(task.run)}`;
  const { name, message } = cause instanceof Error ? cause : new Error(String(cause));
  return new RunError("fleet/cell", `cell ${id} (${place}) failed: ${message}`, { cause, cell: id, causeName: name });
}

function textOf(result: Json): string {
  const text = JSON.stringify(result, refuseOdd);
  if (text === undefined) throw new RunError("fleet/study", "the cell gives nothing");
  if (text.length > RESULT_CHARACTERS_MAX) {
    const most = `at most ${RESULT_CHARACTERS_MAX} are kept`;
    throw new RunError("fleet/study", `the cell gives a result of ${text.length} characters, and ${most}`);
  }
  return text;
}

/** JSON has no place for these, and would take another value for them. */
function refuseOdd(name: string, value: unknown): unknown {
  const isOdd =
    typeof value === "number" ? !Number.isFinite(value) : !["string", "boolean", "object"].includes(typeof value);
  if (isOdd) throw new RunError("fleet/study", `the cell's ${name || "result"} is ${String(value)}, which is no JSON`);
  return value;
}
