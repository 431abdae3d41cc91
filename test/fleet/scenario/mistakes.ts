/** What a scenario's reader says is wrong. */
import { ScenarioError } from "../../../fleet/scenario/errors.ts";

/** None where it reads it. */
export function mistakesThrown(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof ScenarioError) return error.mistakes;
    throw error;
  }
  return [];
}
