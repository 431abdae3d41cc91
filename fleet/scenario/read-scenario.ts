/** Reads scenarios: the file's form, the study's parameters at every point, and what is expected, all mistakes at once. */
import type { Study } from "../study.ts";
import { ScenarioDocument } from "./document.ts";
import { refuse, ScenarioError, throwAny } from "./errors.ts";
import { parseJson } from "./json.ts";
import { nearestText } from "./nearest.ts";
import { withValue } from "./paths.ts";
import { type LaidPoint, layPoints, NAMELESS } from "./points.ts";
import type { JsonObject, Point, Scenario } from "./scenario.ts";
import { checked, mistake } from "./schema.ts";

const BYTE_ORDER_MARK = "\ufeff";

/** JSON that may be a scenario; `place` is where it stands, for messages. Throws a `ScenarioError`. */
export function parseScenario(text: string, place = "the scenario"): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    if (cause instanceof ScenarioError) throw cause;
    const why = text.startsWith(BYTE_ORDER_MARK) ? "it begins with a byte order mark" : (cause as Error).message;
    throw new ScenarioError([`${place} is not JSON: ${why}`], { cause });
  }
}

/** Throws a `ScenarioError` that names every wrong field. */
export function readScenario(value: unknown, studies: readonly Study<never>[]): Scenario {
  const mistakes: string[] = [];
  const filled = checked(ScenarioDocument, value, "", mistakes) as JsonObject | null;
  if (filled === null) throw new ScenarioError(mistakes);
  const areNamed = !mistakes.some((line) => ON_NAMES.test(line));
  const document = soundParts(filled as unknown as Filled);
  const study = filled.study === null ? undefined : studyOf(document.study, studies, mistakes);
  const laid = layPoints(document, mistakes);
  if (!study) return refuse(mistakes);
  const before = mistakes.length;
  const given = filled.parameters !== null;
  const parameters = given ? checkedBy(study, document.parameters, "parameters.", mistakes) : {};
  if (given) checkPoints(laid.points, parameters, mistakes.length === before, study, mistakes);
  const names = areNamed && laid.points.length > 0 ? laid.points.map(({ name }) => name) : undefined;
  checkExpectations(document.expect, names, study, mistakes);
  throwAny([...new Set(mistakes)]);
  const { format, name, title, question, notes, sources, seeds, expect } = document;
  return {
    format,
    name,
    title,
    question,
    notes,
    sources,
    study: study.name,
    parameters,
    axes: laid.axes,
    points: laid.points.map((point) => ({ name: point.name, set: point.set })),
    seeds,
    expect,
  };
}

/** Lines after which it is open what points there are. */
const ON_NAMES = /^(?:points(?:\[\d+\](?:\.name)?)?: |sweep[.:])/;

type OrNull<T> = { readonly [Name in keyof T]: T[Name] | null };

/** As the schema leaves a file: null is what was refused. */
type Filled = OrNull<
  Omit<ScenarioDocument, "points" | "expect"> & {
    readonly points: readonly (OrNull<ScenarioDocument["points"][number]> | null)[];
    readonly expect: readonly (OrNull<ScenarioDocument["expect"][number]> | null)[];
  }
>;

/** What is wrong in one part keeps nobody from hearing what is wrong in the others: these stay where they stand. */
function soundParts(filled: Filled): ScenarioDocument {
  const { parameters, points, sweep, expect } = filled;
  return {
    ...filled,
    parameters: parameters ?? {},
    points: points?.map((point) => ({ name: point?.name ?? NAMELESS, set: point?.set ?? {} })) ?? [],
    sweep: Object.fromEntries(Object.entries(sweep ?? {}).filter(([, values]) => values !== null)),
    expect: expect?.map((one) => one ?? {}) ?? [],
  } as ScenarioDocument;
}

/** By the study's schema, and then by the study itself. `before`: what stands before the path of a field. */
function checkedBy(study: Study<never>, given: JsonObject, before: string, mistakes: string[]): JsonObject {
  const found: string[] = [];
  const filled = checked(study.parameters, given, before.replace(/\.$/, ""), found) as JsonObject;
  if (found.length === 0) {
    const misfits = study.check?.(filled as never) ?? [];
    found.push(...misfits.map(({ path, value, allowed }) => mistake(`${before}${path}`, value, allowed)));
  }
  mistakes.push(...found);
  return filled;
}

function studyOf(name: string, studies: readonly Study<never>[], mistakes: string[]): Study<never> | undefined {
  const study = studies.find((one) => one.name === name);
  const known = studies.map((one) => one.name);
  if (!study) mistakes.push(mistake("study", name, `there is no such study${nearestText(name, known)}`));
  return study;
}

/** What a study is run with at one point of a scenario that was read. */
export function parametersAt(scenario: Scenario, point: Point, study: Study<never>): JsonObject {
  const mistakes: string[] = [];
  const parameters = parametersOf(scenario.parameters, { ...point, origins: {} }, study, mistakes);
  throwAny(mistakes);
  return parameters;
}

/** Of parameters that are wrong themselves only what the point sets is told. */
function checkPoints(
  points: readonly LaidPoint[],
  parameters: JsonObject,
  isBaseRight: boolean,
  study: Study<never>,
  mistakes: string[],
): void {
  for (const point of points) {
    if (Object.keys(point.set).length === 0) continue;
    const found: string[] = [];
    parametersOf(parameters, point, study, found);
    mistakes.push(...(isBaseRight ? found : found.filter((line) => !line.includes(BESIDE))));
  }
}

/** In a line on a field that is wrong beside what a point sets. */
const BESIDE = ": with it, parameters.";

function parametersOf(base: JsonObject, point: LaidPoint, study: Study<never>, mistakes: string[]): JsonObject {
  let parameters = base;
  const paths = Object.keys(point.set);
  for (const [path, value] of Object.entries(point.set)) {
    const placed = withValue(parameters, path, value);
    if (typeof placed === "string") {
      mistakes.push(mistake(originOf(point, path), value, placed));
      continue;
    }
    parameters = placed;
    // What came of it would depend on the order in which they stand.
    const inside = paths.find((other) => other.startsWith(`${path}.`));
    if (inside !== undefined) mistakes.push(mistake(originOf(point, path), value, `${inside} is set too, inside it`));
  }
  const found: string[] = [];
  const filled = checkedBy(study, parameters, "", found);
  for (const line of found) mistakes.push(inPlace(line, point));
  return filled;
}

function originOf({ name, origins }: LaidPoint, path: string): string {
  return origins[path] ?? `${name}.${path}`;
}

/** `a.b[0]: 7: must be ...` as the file has it: `points[2].set.a.b[0]: 7: must be ...`. */
function inPlace(line: string, point: LaidPoint): string {
  const paths = Object.keys(point.set).sort((a, b) => b.length - a.length);
  const dotted = (text: string) => text.replace(/\[(\d+)\]/g, ".$1");
  const at = line.slice(0, line.indexOf(": "));
  const path = paths.find((one) => dotted(at) === one || dotted(at).startsWith(`${one}.`));
  if (path === undefined) return `${originOf(point, paths[0]!)}${BESIDE}${line}`;
  // What follows the path that was set, in the same number of characters but for an index's bracket.
  const rest = dotted(at).slice(path.length);
  return `${originOf(point, path)}${rest.replace(/\.(\d+)(?=\.|$)/g, "[$1]")}${line.slice(at.length)}`;
}

/** `points`: their names, where these are known. Of an expectation that is wrong in part, the rest is checked. */
function checkExpectations(
  expect: readonly Partial<ScenarioDocument["expect"][number]>[],
  points: readonly string[] | undefined,
  study: Study<never>,
  mistakes: string[],
): void {
  const metrics = study.metrics.map(({ name }) => name);
  const names = new Set(points);
  for (const [i, { metric, point, tolerance }] of expect.entries()) {
    if (typeof metric === "string" && !metrics.includes(metric)) {
      const known = nearestText(metric, metrics);
      mistakes.push(mistake(`expect[${i}].metric`, metric, `the study ${study.name} has no such metric${known}`));
    }
    if (typeof point === "string" && points !== undefined && !names.has(point)) {
      const known = names.size <= NAMED_MAX ? nearestText(point, points) : "";
      mistakes.push(mistake(`expect[${i}].point`, point, `there is no such point${known}`));
    }
    if (tolerance && typeof tolerance === "object" && "from" in tolerance && tolerance.from > tolerance.to) {
      mistakes.push(
        mistake(`expect[${i}].tolerance.to`, tolerance.to, `must be at least ${tolerance.from}, as from is`),
      );
    }
  }
}

/** A refusal lists no more points than these. */
const NAMED_MAX = 50;
