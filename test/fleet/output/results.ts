/** Results as a run would give them, made of a formula: for the tests of what is written of them. */
import type { RunResult, SeedRun } from "../../../fleet/run/result.ts";
import { scenarioSha256 } from "../../../fleet/scenario/canonical.ts";
import type { Expectation, JsonObject, Point, Scenario } from "../../../fleet/scenario/scenario.ts";
import type { Json, Metric, Series } from "../../../fleet/study.ts";
import { Random } from "../../../sim-board/random.ts";

export const METRICS: readonly Metric[] = [
  { name: "pauseLatencySecondsMax", unit: "s", meaning: "From the order to the last gate that closed." },
  { name: "leakOperations", unit: "ops", meaning: "Work done after the order, by all boards together." },
  { name: "boardsClosedShare", unit: "1", meaning: "Boards whose gate was closed in the end." },
  { name: "boards", unit: "boards", meaning: "Boards in the fleet." },
  { name: "reportBytes", unit: "bytes", meaning: "All signed reports together." },
];

const LEASES = [60, 300, 1020, 3600, 21_600, 86_400, 604_800, 7_776_000];
const CAPS = ["none", "1 %"];

export interface Shape {
  readonly axes?: Scenario["axes"];
  readonly points?: readonly Point[];
  readonly seeds?: number;
  readonly expect?: readonly Expectation[];
  readonly parameters?: JsonObject;
  readonly question?: string;
}

/** A sweep over lease lengths and caps, with curves. */
export function sweepShape(): Shape {
  const axes = [
    { path: "agreement.cap", values: CAPS },
    { path: "agreement.leaseSeconds", values: LEASES },
  ];
  const points = CAPS.flatMap((cap) =>
    LEASES.map((lease) => ({
      name: `cap=${cap}, leaseSeconds=${lease}`,
      set: { "agreement.cap": cap, "agreement.leaseSeconds": lease },
    })),
  );
  const expectation = (figure: string, lease: number, expected: number, relative: number): Expectation => ({
    figure,
    metric: "pauseLatencySecondsMax",
    point: `cap=none, leaseSeconds=${lease}`,
    of: "max",
    expected,
    basis: "published",
    tolerance: { relative },
    source: "Petrie, Aarne, Ammann, Dalrymple: Interim report, 2025, section 4.2, https://example.org/report",
  });
  return {
    axes,
    points,
    expect: [
      expectation("A license of 90 days, renewed at 15 %", 7_776_000, 7_776_000, 0.1),
      expectation("An off-switch with its default of 17 minutes", 1020, 1020, 0.1),
      expectation("A day's license <of another vendor>", 86_400, 60_000, 0.02),
    ],
  };
}

export function resultOf(shape: Shape = sweepShape()): RunResult {
  const points = shape.points ?? [{ name: "base", set: {} }];
  const seeds = shape.seeds ?? 5;
  const scenario: Scenario = {
    format: 1,
    name: "pause-latency",
    title: "How long until the last gate closes?",
    question:
      shape.question ??
      "A pause is ordered, and no new license is signed. How long does it take until the last board of the fleet has stopped, for licenses of a minute to 90 days?",
    notes: ["The figures are made up: one formula for each metric."],
    sources: [
      "Petrie, Aarne, Ammann, Dalrymple: Interim report: mechanisms for flexible hardware-enabled guarantees, 2025",
      "https://example.org/license-servers?terms=90&renewal=15",
    ],
    study: "fleet",
    parameters: shape.parameters ?? {
      boards: 10_000,
      accelerator: "h100-sxm",
      agreement: { leaseSeconds: 3600, cap: "none", renewAtShare: 0.15 },
      regions: ["north", "south"],
      outages: [{ fromSeconds: 0, untilSeconds: 90 }],
      operationsMax: "1000000000000000000000000",
    },
    axes: shape.axes ?? [],
    points,
    seeds,
    expect: shape.expect ?? [],
  };
  return {
    scenario,
    scenarioSha256: scenarioSha256(scenario),
    seed: "quiesce",
    version: "0.1.0",
    firmwareSha256: "5f".repeat(32),
    points: points.map(({ name, set }) => ({
      name,
      set,
      runs: Array.from({ length: seeds }, (_, at) => seedRun(`quiesce-${at + 1}`, name, set)),
    })),
  };
}

function seedRun(seed: string, point: string, set: JsonObject): SeedRun {
  const random = new Random(seed).stream(point);
  const lease = numberOr(set["agreement.leaseSeconds"], 3600);
  const part = set["agreement.cap"] === "1 %" ? 0.4 : 1;
  const latency = lease * part * (0.9 + (0.1 * random.below(1000)) / 1000);
  const closed = (at: number) => Math.min(1, at / (latency * (0.8 + (0.2 * random.below(1000)) / 1000)));
  const grid = Array.from({ length: 61 }, (_, step) => (step / 50) * lease);
  const series: Series[] = [
    { name: "boardsRunning", unit: "boards", points: grid.map((at) => [at, Math.round(10_000 * (1 - closed(at)))]) },
  ];
  return {
    seed,
    outcome: {
      measures: {
        pauseLatencySecondsMax: latency,
        leakOperations: 5e18 * latency * (0.4 + (0.2 * random.below(1000)) / 1000),
        boardsClosedShare: 1,
        boards: 10_000,
        reportBytes: Math.round(2_000_000_000 * (1 + 86_400 / lease)),
      },
      series,
    },
  };
}

function numberOr(value: Json | undefined, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}
