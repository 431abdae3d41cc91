/** Runs a scenario file through its study, point by point and seed by seed, and holds its expectations to what comes out. */
import { readFileSync } from "node:fs";
import { Value } from "@sinclair/typebox/value";
import { expect } from "vitest";
import type { Json, Measures, Outcome, Study } from "../../../fleet/study.ts";

type Tolerance = { relative: number } | { absolute: number } | "atMost" | "atLeast" | { from: number; to: number };

interface Expectation {
  figure: string;
  metric: string;
  point?: string;
  of: "mean" | "max" | "min" | "each";
  published: number;
  tolerance: Tolerance;
  source: string;
}

interface ScenarioFile {
  format: number;
  name: string;
  title: string;
  question: string;
  sources: string[];
  study: string;
  parameters: Record<string, Json>;
  points?: { name: string; set: Record<string, Json> }[];
  sweep?: Record<string, Json[]>;
  seeds: number;
  expect: Expectation[];
}

type Point = { name: string; set: Record<string, Json> };

function readScenario(name: string): ScenarioFile {
  const url = new URL(`../../../fleet/scenarios/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf8")) as ScenarioFile;
}

function pointsOf(scenario: ScenarioFile): Point[] {
  if (!scenario.sweep) return scenario.points ?? [{ name: "", set: {} }];
  let points: Point[] = [{ name: "", set: {} }];
  for (const [path, values] of Object.entries(scenario.sweep)) {
    points = points.flatMap(({ name, set }) =>
      values.map((value) => {
        const part = `${path.split(".").at(-1)}=${value}`;
        return { name: name === "" ? part : `${name}, ${part}`, set: { ...set, [path]: value } };
      }),
    );
  }
  return points;
}

/** Parameters with their defaults; fails the test with a field's name where one is out of range. */
export function parametersOf<P>(study: Study<P>, parameters: Record<string, Json>, set: Record<string, Json> = {}): P {
  const written = structuredClone(parameters) as Record<string, Json>;
  for (const [path, value] of Object.entries(set)) {
    const steps = path.split(".");
    const last = steps.pop()!;
    let at = written as Record<string, unknown>;
    for (const step of steps) {
      at[step] ??= {};
      at = at[step] as Record<string, unknown>;
    }
    at[last] = value;
  }
  const whole = Value.Default(study.parameters, written);
  const wrong = [...Value.Errors(study.parameters, whole)].map(
    ({ path, value, message }) => `${path} ${value}: ${message}`,
  );
  expect(wrong).toEqual([]);
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
export async function judge<P>(study: Study<P>, name: string): Promise<Map<string, Measures[]>> {
  const scenario = readScenario(name);
  expect(scenario.format).toBe(1);
  expect(scenario.name).toBe(name);
  expect(scenario.study).toBe(study.name);
  expect(scenario.sources.length).toBeGreaterThan(0);
  const found = new Map<string, Measures[]>();
  for (const { name: point, set } of pointsOf(scenario)) {
    const parameters = parametersOf(study, scenario.parameters, set);
    expect(study.estimate(parameters).boards).toBe(0);
    const measures: Measures[] = [];
    for (let seed = 1; seed <= scenario.seeds; seed++) {
      measures.push((await runStudy(study, parameters, String(seed))).measures);
    }
    found.set(point, measures);
  }
  for (const expectation of scenario.expect) hold(expectation, found);
  return found;
}

function hold(expectation: Expectation, found: ReadonlyMap<string, Measures[]>): void {
  const { figure, metric, of, published, tolerance } = expectation;
  const point = expectation.point ?? [...found.keys()][0]!;
  const seeds = found.get(point);
  expect(seeds, `${figure}: there is a point "${point}" among ${[...found.keys()].join(" | ")}`).toBeDefined();
  const values = seeds!.flatMap((measures) => measures[metric] ?? []);
  expect(values.length, `${figure}: "${metric}" came about`).toBe(seeds!.length);
  const judged = {
    mean: () => [values.reduce((sum, value) => sum + value, 0) / values.length],
    max: () => [Math.max(...values)],
    min: () => [Math.min(...values)],
    each: () => values,
  }[of]();
  for (const value of judged) {
    expect(
      within(value, published, tolerance),
      `${figure} at "${point}": ${metric} ${value}, published ${published}`,
    ).toBe(true);
  }
}

function within(value: number, published: number, tolerance: Tolerance): boolean {
  if (tolerance === "atMost") return value <= published;
  if (tolerance === "atLeast") return value >= published;
  if ("relative" in tolerance) return Math.abs(value - published) <= tolerance.relative * Math.abs(published);
  if ("absolute" in tolerance) return Math.abs(value - published) <= tolerance.absolute;
  return value >= tolerance.from && value <= tolerance.to;
}
