/** Runs a scenario that comes with Quiesce, as `quiesce fleet reproduce` does, and holds its expectations to what comes out. */
import { expect } from "vitest";
import { judge as verdictOn } from "../../../fleet/output/verdict.ts";
import { Plan } from "../../../fleet/run/plan.ts";
import { runScenario } from "../../../fleet/run/run-scenario.ts";
import { inlineRunner } from "../../../fleet/run/runner.ts";
import { scenarioText } from "../../../fleet/scenario/files.ts";
import { withValue } from "../../../fleet/scenario/paths.ts";
import { parametersAt, parseScenario, readScenario } from "../../../fleet/scenario/read-scenario.ts";
import type { JsonObject } from "../../../fleet/scenario/scenario.ts";
import { checked } from "../../../fleet/scenario/schema.ts";
import type { Json, Measures, Outcome, Study } from "../../../fleet/study.ts";

const IDENTITY = { version: "0.0.0", firmwareSha256: "00" };

/** Parameters with their defaults; fails the test with a field's name where one is out of range. */
export function parametersOf<P>(study: Study<P>, given: JsonObject, set: JsonObject = {}): P {
  let parameters = given;
  for (const [path, value] of Object.entries(set)) {
    const placed = withValue(parameters, path, value);
    if (typeof placed === "string") throw new Error(`${path}: ${placed}`);
    parameters = placed;
  }
  const mistakes: string[] = [];
  const whole = checked(study.parameters, parameters, "parameters", mistakes);
  expect(mistakes).toEqual([]);
  return whole as P;
}

export async function runStudy<P>(study: Study<P>, parameters: P, seed: string): Promise<Outcome> {
  const cells: Json[] = [];
  for (let cell = 0; cell < study.cells(parameters); cell++) {
    // What a cell makes crosses to other workers and into checkpoints as JSON.
    cells.push(JSON.parse(JSON.stringify(await study.run(parameters, { seed, cell }))) as Json);
  }
  const outcome = study.merge(parameters, cells);
  const named = new Set(study.metrics.map(({ name }) => name));
  for (const [name, value] of Object.entries(outcome.measures)) {
    expect(named, `${study.name} describes ${name}`).toContain(name);
    expect(Number.isFinite(value), `${name} is ${value}`).toBe(true);
  }
  return outcome;
}

/** All points of the scenario, with the measures of each seed; its expectations have been held to them. */
export async function judge<P>(study: Study<P>, name: string): Promise<Map<string, readonly Measures[]>> {
  const scenario = readScenario(parseScenario(scenarioText(name)), [study as never]);
  for (const point of scenario.points) {
    expect(study.estimate(parametersAt(scenario, point, study as never) as P).boards).toBe(0);
  }
  const plan = new Plan(scenario, study as never, "1");
  const { points } = await runScenario(plan, inlineRunner(plan), IDENTITY);
  for (const expectation of scenario.expect) {
    const { runs } = points.find((point) => point.name === expectation.point)!;
    expect(verdictOn(expectation, runs), `${expectation.figure} at "${expectation.point}"`).toMatchObject({ ok: true });
  }
  return new Map(points.map((point) => [point.name, point.runs.map(({ outcome }) => outcome.measures)]));
}
