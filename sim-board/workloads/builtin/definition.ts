/** What every built-in workload states of itself. */
import type { Workload } from "../types.ts";

export type Builtin = {
  name: string;
  title: string;
  /** Training steps, or batches of requests where it serves. */
  stepsMax: number;
  stepsDefault: number;
  boards: number;
  /** `steps` from 1 to `stepsMax`, `board` from 0 to `boards` - 1. */
  make(steps: number, board: number): Workload;
};
