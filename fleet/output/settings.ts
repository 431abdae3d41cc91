/** Which parameters differ between the points of a run, and what each point has there. */
import type { PointResult, RunResult } from "../run/result.ts";
import type { JsonObject, Scenario } from "../scenario/scenario.ts";
import type { Json } from "../study.ts";

/** The paths that any point sets: of the sweep's axes first, then the others by name, as a result that was read back has them. */
export function pathsSet({ scenario, points }: Pick<RunResult, "scenario" | "points">): string[] {
  const axes = scenario.axes.map(({ path }) => path);
  const others = new Set(points.flatMap(({ set }) => Object.keys(set)));
  for (const path of axes) others.delete(path);
  return [...axes, ...[...others].sort()];
}

/** What the point ran with: what it sets, or else what the scenario says. */
export function settingOf(point: Pick<PointResult, "set">, path: string, { parameters }: Scenario): Json | undefined {
  return Object.hasOwn(point.set, path) ? point.set[path] : valueAt(parameters, path);
}

function valueAt(parameters: JsonObject, path: string): Json | undefined {
  let value: Json | undefined = parameters;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as JsonObject)[name];
  }
  return value;
}
