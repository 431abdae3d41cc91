/** One claim of an object, explained: its label on the wire, its name, and its value with units. */
import type { TimeBounds } from "../../objects/eat.ts";
import type { AllWork, WorkByClass } from "../../objects/work.ts";
import { className, codeName, exactText, stateName, timeText, workText } from "../names.ts";
import { hex } from "../output.ts";

export type Row = {
  /** Claim label or agreement key. */
  label: number;
  name: string;
  /** For people; several lines where a claim holds several things. */
  text: string;
  /** For programs: the value as it is. */
  value: unknown;
};

/** A row, unless the claim is not there. */
export function row(label: number, name: string, value: unknown, text: string): Row {
  return { label, name, text, value };
}

export function optional<T>(value: T | undefined, make: (value: T) => Row): Row[] {
  return value === undefined ? [] : [make(value)];
}

export function bytesRow(label: number, name: string, bytes: Uint8Array, note = ""): Row {
  return row(label, name, bytes, note === "" ? hex(bytes) : `${hex(bytes)}  ${note}`);
}

export function countRow(label: number, name: string, count: number | bigint, unit = ""): Row {
  return row(label, name, count, `${exactText(count)}${unit && ` ${unit}`}`);
}

export function timeRow(label: number, name: string, seconds: number): Row {
  return row(label, name, seconds, `${timeText(seconds)}  (${exactText(seconds)} s since 1970)`);
}

export function boundsRow(label: number, bounds: TimeBounds | null): Row {
  const text = bounds
    ? `${timeText(bounds.lowerMs / 1000)} to ${timeText(bounds.upperMs / 1000)}`
    : "unknown: no time proof since power-up";
  return row(label, "agreement time lies between", bounds, text);
}

export function stateRow(label: number, state: number): Row {
  return row(label, "gate", stateName(state), stateName(state));
}

export function codeRow(label: number, code: number): Row {
  return row(label, "last code", code, codeName(code));
}

export function worksRow(label: number, name: string, works: WorkByClass): Row {
  const lines = [...works].map(([c, work]) => workLine(c, work));
  const value = Object.fromEntries([...works].map(([c, work]) => [className(c), work.toString()]));
  return row(label, name, value, lines.length > 0 ? lines.join("\n") : "none");
}

/** Work of all classes: the ones without are named together. */
export function allWorksRow(label: number, name: string, works: AllWork): Row {
  return worksRow(label, name, new Map(works.map((work, c) => [c, work] as const).filter(([, work]) => work > 0n)));
}

export function allCountsRow(label: number, name: string, counts: readonly bigint[]): Row {
  const some = counts.map((count, c) => [className(c), count] as const).filter(([, count]) => count > 0n);
  const text = some.map(([title, count]) => `${title}  ${exactText(count)}`).join("\n");
  return row(label, name, Object.fromEntries(some), text === "" ? "none" : text);
}

function workLine(engineClass: number, work: bigint): string {
  return `${className(engineClass)}  ${exactText(work)}  (${workText(work, engineClass)})`;
}
