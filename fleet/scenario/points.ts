/** Lays a scenario's points and its sweep out: each point with each place of the grid, in the order of the file. */
import type { Json } from "../study.ts";
import { AXES_MAX, PATHS_MAX, POINTS_MAX, type ScenarioDocument } from "./document.ts";
import type { Axis, JsonObject, Point } from "./scenario.ts";
import { mistake } from "./schema.ts";

/** Longer ones are told by their place in the axis. */
const VALUE_CHARACTERS_MAX = 40;
/** Stands for a name that was refused: no point is called so. */
export const NAMELESS = "";
const BASE: Point = { name: "base", set: {} };

export interface Laid {
  readonly axes: readonly Axis[];
  readonly points: readonly LaidPoint[];
}

export interface LaidPoint extends Point {
  /** Where the file says what it sets, for messages, by path: `points[2].set.a`, `sweep.a[0]`. */
  readonly origins: Readonly<Record<string, string>>;
}

export function layPoints(document: ScenarioDocument, mistakes: string[]): Laid {
  const axes = Object.entries(document.sweep).map(([path, values]): Axis => ({ path, values }));
  const named = document.points.length === 0 ? [BASE] : document.points.map((one, i) => bounded(one, i, mistakes));
  if (axes.length > AXES_MAX) {
    mistakes.push(mistake("sweep", axes.length, `must have at most ${AXES_MAX} axes`));
    return { axes, points: [] };
  }
  const count = axes.reduce((product, { values }) => product * values.length, named.length);
  if (count > POINTS_MAX) {
    mistakes.push(mistake("sweep", count, `the points and the sweep must make at most ${POINTS_MAX} points together`));
    return { axes, points: [] };
  }
  const grid = gridOf(axes);
  const points = named.flatMap((point, i) => {
    for (const { path } of axes) {
      if (!Object.hasOwn(point.set, path)) continue;
      mistakes.push(mistake(`points[${i}].set.${path}`, point.set[path], "the sweep sets it too"));
    }
    return grid.map((place) => joined(point, i, place));
  });
  noteTwice(document.points, points, mistakes);
  return { axes, points };
}

function bounded(point: Point, i: number, mistakes: string[]): Point {
  const count = Object.keys(point.set).length;
  if (count <= PATHS_MAX) return point;
  mistakes.push(mistake(`points[${i}].set`, count, `must have at most ${PATHS_MAX} paths`));
  return { ...point, set: {} };
}

interface Place {
  readonly names: readonly string[];
  readonly set: JsonObject;
  readonly origins: Readonly<Record<string, string>>;
}

/** The last axis moves fastest. */
function gridOf(axes: readonly Axis[]): readonly Place[] {
  let places: readonly Place[] = [{ names: [], set: {}, origins: {} }];
  for (const { path, values } of axes) {
    const called = shortName(path, axes);
    places = places.flatMap(({ names, set, origins }) =>
      values.map((value, i) => ({
        names: [...names, `${called}=${valueText(value, i)}`],
        set: { ...set, [path]: value },
        origins: { ...origins, [path]: `sweep.${path}[${i}]` },
      })),
    );
  }
  return places;
}

function joined(point: Point, i: number, place: Place): LaidPoint {
  const names = point === BASE && place.names.length > 0 ? place.names : [point.name, ...place.names];
  const own = Object.keys(point.set).map((path) => [path, `points[${i}].set.${path}`]);
  return {
    name: names.join(", "),
    set: { ...point.set, ...place.set },
    origins: { ...Object.fromEntries(own), ...place.origins },
  };
}

function noteTwice(named: readonly Point[], all: readonly Point[], mistakes: string[]): void {
  const before = mistakes.length;
  const seen = new Set<string>();
  for (const [i, { name }] of named.entries()) {
    if (seen.has(name)) mistakes.push(mistake(`points[${i}].name`, name, "another point has this name"));
    if (name !== NAMELESS) seen.add(name);
  }
  if (mistakes.length > before || named.some(({ name }) => name === NAMELESS)) return;
  const names = new Set<string>();
  for (const { name } of all) {
    if (names.has(name)) mistakes.push(mistake("sweep", name, "two points of the grid would have this name"));
    names.add(name);
  }
}

/** `leaseSeconds`, unless another axis ends so too. */
function shortName(path: string, axes: readonly Axis[]): string {
  const last = (text: string) => text.slice(text.lastIndexOf(".") + 1);
  return axes.filter((axis) => last(axis.path) === last(path)).length === 1 ? last(path) : path;
}

function valueText(value: Json, i: number): string {
  const text = typeof value === "string" || typeof value === "number" ? `${value}` : JSON.stringify(value);
  const isPlain = (typeof value !== "object" || value === null) && /^[^\p{C}\p{Zl}\p{Zp}]+$/u.test(text);
  return isPlain && text.length <= VALUE_CHARACTERS_MAX ? text : `#${i + 1}`;
}
