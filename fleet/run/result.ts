/** What a run of a scenario gives: the same bytes for the same scenario, seed and firmware, wherever it ran. */
import type { JsonObject, Scenario } from "../scenario/scenario.ts";
import type { Outcome } from "../study.ts";

export interface RunResult {
  /** As it ran: options of the command that changed it are in it. */
  readonly scenario: Scenario;
  /** Of its canonical JSON, in hex. */
  readonly scenarioSha256: string;
  readonly seed: string;
  /** Of Quiesce. */
  readonly version: string;
  /** Of `build/governor.wasm`, in hex. */
  readonly firmwareSha256: string;
  /** In the order of the scenario's points. */
  readonly points: readonly PointResult[];
}

export interface PointResult {
  readonly name: string;
  readonly set: JsonObject;
  /** One for each seed, in the order of the seeds: `${seed}-1` first. */
  readonly runs: readonly SeedRun[];
}

export interface SeedRun {
  readonly seed: string;
  readonly outcome: Outcome;
}
