/**
 * A study is a kind of experiment, written once; a scenario (a data file) says with which parameters it runs. A study's
 * work falls into cells that know nothing of each other: any worker on any machine may run any of them, in any order, and
 * what they make together is the same to the byte.
 */
import type { TSchema } from "@sinclair/typebox";

/** What JSON holds. Quantities beyond 2^53 are decimal strings. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** A figure that a study yields for one point of a sweep and one seed. */
export interface Metric {
  /** As in results and expectations: `pauseLatencySecondsMax`, unit last. */
  readonly name: string;
  /** For people and plots: `s`, `ops`, `bytes`, `boards`, `1` for a share or a count. */
  readonly unit: string;
  /** One sentence: what is measured, from when to when. */
  readonly meaning: string;
}

/** By the metric's name. A metric that did not come about is absent; infinities and NaN never stand here. */
export type Measures = Readonly<Record<string, number>>;

/** A curve over time, for the report: pairs of seconds and value, in order of time. */
export interface Series {
  readonly name: string;
  readonly unit: string;
  readonly points: readonly (readonly [seconds: number, value: number])[];
}

export interface Outcome {
  readonly measures: Measures;
  readonly series?: readonly Series[];
}

/** Which run it is. Everything random in a cell comes from `seed` and `cell`. */
export interface CellPlace {
  readonly seed: string;
  /** 0 to `cells(parameters) - 1`. */
  readonly cell: number;
}

/** What a run will take, before it runs; rough. */
export interface Estimate {
  /** Boards with the real firmware in them; 0 for a study without. */
  readonly boards: number;
  readonly events: number;
  /** Of one core. */
  readonly cpuSeconds: number;
  /** Of the largest cell while it runs. */
  readonly bytesResident: number;
}

/** A field that fits its schema and not the others. */
export interface Misfit {
  /** `agreement.licenseQuorum`, `timeline[2].region`. */
  readonly path: string;
  readonly value: Json;
  /** `must be at most agreement.parties, 3`. */
  readonly allowed: string;
}

export interface Study<Parameters = Json> {
  /** As scenarios name it: `fleet`, `sampling`. */
  readonly name: string;
  readonly title: string;
  /** Of a scenario's `parameters`, with a description, a range and a default for each: its errors name field and value. */
  readonly parameters: TSchema;
  readonly metrics: readonly Metric[];
  /** What the schema cannot say of parameters that it takes. */
  check?(parameters: Parameters): readonly Misfit[];
  cells(parameters: Parameters): number;
  /** One cell, from its beginning to its end. The same arguments give the same result. */
  run(parameters: Parameters, place: CellPlace): Json | Promise<Json>;
  /** Of all cells, in their order. */
  merge(parameters: Parameters, cells: readonly Json[]): Outcome;
  estimate(parameters: Parameters): Estimate;
}
