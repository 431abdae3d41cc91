/** A scenario with other values than its file has, as the options of a command ask for: read again, as strictly. */
import type { Json, Study } from "../study.ts";
import { throwAny } from "./errors.ts";
import { nearestText } from "./nearest.ts";
import { withValue } from "./paths.ts";
import { readScenario } from "./read-scenario.ts";
import type { JsonObject, Scenario } from "./scenario.ts";
import { mistake } from "./schema.ts";

export interface Changes {
  readonly seeds?: number;
  /** Values by path. What the file expects is not expected of them. */
  readonly set?: JsonObject;
  /** Values of each axis, instead of the scenario's points and its sweep, or with `points` at each of these. */
  readonly sweep?: { readonly [path: string]: readonly Json[] };
  /** Names: these points alone. */
  readonly points?: readonly string[];
}

/** `value` is what the file holds. Throws a `ScenarioError`. */
export function changedScenario(value: unknown, changes: Changes, studies: readonly Study<never>[]): Scenario {
  const read = readScenario(value, studies);
  const { set = {}, sweep, seeds = read.seeds, points: wanted } = changes;
  const kept = wanted ? read.points.filter(({ name }) => wanted.includes(name)) : read.points;
  const mistakes = unknownPoints(read, wanted ?? []);
  const parameters = withAll(read.parameters, set, mistakes);
  for (const [path, one] of Object.entries(set)) {
    const sets = kept.length > 0 && kept.every((point) => Object.hasOwn(point.set, path));
    if (sets && !sweep) mistakes.push(mistake(path, one, "each point of the scenario sets it itself"));
  }
  throwAny(mistakes);
  const isChanged = sweep !== undefined || Object.keys(set).length > 0;
  const changed = {
    ...(value as object),
    parameters,
    seeds,
    ...(isChanged && { expect: [] }),
    ...(sweep && { points: wanted ? kept : [], sweep }),
  };
  const scenario = readScenario(changed, studies);
  if (!wanted || sweep) return scenario;
  return {
    ...scenario,
    axes: [],
    points: scenario.points.filter(({ name }) => wanted.includes(name)),
    expect: scenario.expect.filter(({ point }) => wanted.includes(point)),
  };
}

function unknownPoints({ name, points }: Scenario, wanted: readonly string[]): string[] {
  const names = points.map((point) => point.name);
  return wanted
    .filter((one) => !names.includes(one))
    .map((one) => mistake("point", one, `there is no such point in ${name}${nearestText(one, names)}`));
}

function withAll(parameters: JsonObject, set: JsonObject, mistakes: string[]): JsonObject {
  let all = parameters;
  for (const [path, value] of Object.entries(set)) {
    const placed = withValue(all, path, value);
    if (typeof placed === "string") mistakes.push(mistake(path, value, placed));
    else all = placed;
  }
  return all;
}
