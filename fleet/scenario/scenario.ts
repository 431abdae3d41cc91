/** A scenario as it runs: read, checked, its study's defaults filled in, its sweep laid out as points. docs/fleet.md */
import type { Json } from "../study.ts";

export type JsonObject = { readonly [name: string]: Json };

export interface Scenario {
  readonly format: 1;
  readonly name: string;
  readonly title: string;
  /** One or two sentences that end in a question. */
  readonly question: string;
  /** What stands behind it and how far it goes, a paragraph each. */
  readonly notes: readonly string[];
  readonly sources: readonly string[];
  /** The study's name. */
  readonly study: string;
  /** Whole: with the default of every field that the file leaves out. */
  readonly parameters: JsonObject;
  /** What the grid of the points was made of, outermost first; empty without a sweep. */
  readonly axes: readonly Axis[];
  /** At least one; a scenario without points and without a sweep has one of the name `base`, which sets nothing. */
  readonly points: readonly Point[];
  /** Runs of each point, each with a seed of its own. */
  readonly seeds: number;
  readonly expect: readonly Expectation[];
}

/** One parameter that a sweep varies. */
export interface Axis {
  /** `agreement.leaseSeconds`. */
  readonly path: string;
  readonly values: readonly Json[];
}

export interface Point {
  /** `90d`, or of a sweep `leaseSeconds=60, boards=1000`. */
  readonly name: string;
  /** What it has other than the scenario's parameters, by path. */
  readonly set: JsonObject;
}

export type Tolerance =
  | { readonly relative: number }
  | { readonly absolute: number }
  | { readonly from: number; readonly to: number }
  /** The measured value is at most, or at least, the expected one. */
  | "atMost"
  | "atLeast";

/** Where an expected figure comes from: others have published it, it follows by a formula, or Quiesce promises it. */
export const BASES = {
  published: "published",
  formula: "by a formula",
  bound: "by what Quiesce promises",
} as const;
export type Basis = keyof typeof BASES;

/** An expected figure, and how near the measured one must come. */
export interface Expectation {
  /** In words. */
  readonly figure: string;
  readonly metric: string;
  readonly point: string;
  /** Which of the values over the seeds is held against it; with `each`, every one. */
  readonly of: "mean" | "max" | "min" | "each";
  readonly expected: number;
  readonly basis: Basis;
  readonly tolerance: Tolerance;
  readonly source: string;
}
