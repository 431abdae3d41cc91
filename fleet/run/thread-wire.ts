/** What a run and its threads tell each other. */
import type { Scenario } from "../scenario/scenario.ts";

export interface ThreadData {
  /** URLs of modules with studies. */
  readonly modules: readonly string[];
  readonly scenario: Scenario;
  readonly seed: string;
}

/** Numbers of tasks. */
export type Asked = readonly number[];

export type Told =
  | { readonly texts: readonly string[] }
  /** `index`: the task that failed. */
  | {
      readonly failed: {
        readonly index: number;
        readonly name: string;
        readonly message: string;
        readonly stack?: string;
      };
    };
