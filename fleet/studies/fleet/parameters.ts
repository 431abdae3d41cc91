/** What a scenario of the study `fleet` may set: each with its range and its default. */
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { COUNTING_RULES } from "../../../host/policy/counting.ts";
import { ACCELERATORS } from "../../../sim-board/accelerators.ts";
import { TRAITS } from "../../actors/strategies.ts";
import { LOAD_CLASSES } from "../../actors/terms.ts";

const YEAR_SECONDS = 31_536_000;

const whole = (minimum: number, maximum: number, initial: number, description: string) =>
  Type.Integer({ minimum, maximum, default: initial, description });

/** Absent unless a scenario names it. */
const optional = (minimum: number, maximum: number, description: string) =>
  Type.Optional(Type.Integer({ minimum, maximum, description }));

const oneOf = <const T extends readonly string[]>(names: T, initial: T[number] | undefined, description: string) =>
  Type.Union(
    names.map((name) => Type.Literal(name as T[number])),
    { description, ...(initial !== undefined && { default: initial }) },
  );

const group = <T extends Record<string, TSchema>>(properties: T, description: string) =>
  Type.Object(properties, { additionalProperties: false, default: {}, description });

const boards = group(
  {
    count: whole(1, 10_000_000, 100, "boards of the fleet"),
    perCell: whole(
      1,
      65_536,
      1000,
      "boards that share a verifier and its time line; cells know nothing of each other, and fill cores and machines",
    ),
    regions: whole(1, 1000, 1, "cells belong to regions in turn; orders and outages may name one"),
    timerSeconds: whole(1, 86_400, 1, "from one timer interrupt of the governor to the next"),
  },
  "the fleet",
);

const load = group(
  {
    workload: Type.String({
      maxLength: 64,
      default: "",
      description: "a built-in workload, at its mean rates; empty: the constant rate below",
    }),
    recording: Type.String({
      maxLength: 1024,
      default: "",
      description:
        "a file that quiesce board --trace reads, at the mean rates of what it recorded; instead of a built-in",
    }),
    recordingSha256: Type.String({
      pattern: "^([0-9a-f]{64})?$",
      default: "",
      description: "of that file: with it, another file of the same name is refused, here and on other machines",
    }),
    recordingRanks: whole(0, 1_000_000, 0, "boards of the recorded job, whatever the file says of it; 0: as it says"),
    accelerator: oneOf([...ACCELERATORS.keys()], "h100", "of the constant rate"),
    engineClass: oneOf(LOAD_CLASSES, "bf16", "of the constant rate"),
    operationsPerSecond: Type.Number({ minimum: 1, maximum: 1e17, default: 1e15, description: "of each board" }),
    checkpointBytes: Type.Number({
      minimum: 0,
      maximum: 1e13,
      default: 0,
      description: "what each board must save before it may stop; 0: nothing",
    }),
    checkpointBytesPerSecond: Type.Number({ minimum: 1, maximum: 1e12, default: 1e9, description: "of each board" }),
    checkpointEverySeconds: whole(0, YEAR_SECONDS, 0, "saved on its own so often; 0: only when asked to"),
  },
  "what the boards do",
);

const agreement = group(
  {
    leaseSeconds: whole(1, YEAR_SECONDS, 300, "how long a beacon keeps a gate alive"),
    licenseSeconds: whole(60, 10 * YEAR_SECONDS, 86_400, "how long a license lasts"),
    sliceSeconds: whole(1, 86_400, 60, "work at full rate that is granted at once"),
    driftPpm: whole(0, 100_000, 100, "how far an oscillator may be off"),
    drainSeconds: whole(0, 86_400, 120, "the longest drain"),
    drainBytes: Type.Number({ minimum: 0, maximum: 1e15, default: 0, description: "what a drain may copy and send" }),
    drainOperations: Type.Number({ minimum: 0, maximum: 1e18, default: 0, description: "what a drain may compute" }),
    parties: whole(1, 8, 3, "parties"),
    licenseQuorum: whole(1, 8, 2, "how many sign a license"),
    pauseQuorum: whole(1, 8, 1, "how many sign a pause"),
    resumeQuorum: whole(1, 8, 2, "how many sign a resume"),
    counting: oneOf(COUNTING_RULES, "fp16-equivalent-or-native", "how operations of several data types become one"),
  },
  "the agreement",
);

const operator = group(
  {
    startSpreadSeconds: whole(0, YEAR_SECONDS, 60, "boards are switched on evenly over so long"),
    renewAfterPermille: whole(1, 1000, 500, "of a license's time, after which the next is asked for"),
    retrySeconds: whole(1, 86_400, 60, "from one try to reach the other side to the next"),
    beaconSeconds: whole(1, YEAR_SECONDS, 60, "from one beacon to the next"),
    reportSeconds: whole(0, YEAR_SECONDS, 0, "from one usage report to the next, beside those with renewals; 0: none"),
    latencyMs: whole(0, 600_000, 50, "one way, between agent and verifier"),
    cheatsPermille: whole(0, 1000, 0, "of the boards are cheated with"),
    cheats: Type.Array(oneOf([...TRAITS.map(({ name }) => name)], undefined, "a trait"), {
      maxItems: TRAITS.length,
      uniqueItems: true,
      default: [],
      description: "how: traits of the adversary library",
    }),
    clockPermille: whole(1, 2000, 1000, "speed of a slowed clock; 1000 is nominal"),
  },
  "who runs the boards, and how honestly",
);

const verifier = group(
  {
    licensesPerSecond: Type.Number({
      minimum: 0,
      maximum: 1e6,
      default: 0,
      description: "of a cell's verifier, one after the other; 0: at once",
    }),
  },
  "what the verifier can do",
);

const ACTIONS = ["pause", "slow", "resume", "stop-licenses", "stop-beacons"] as const;

const action = Type.Object(
  {
    atSeconds: Type.Integer({ minimum: 0, maximum: 10 * YEAR_SECONDS, description: "when" }),
    do: oneOf(ACTIONS, undefined, "an order, or that no licenses or beacons are signed any more"),
    permille: optional(1, 999, "of the agreement's rates; with slow, and only with it"),
    region: optional(0, 999, "only this region"),
  },
  { additionalProperties: false },
);

const outage = Type.Object(
  {
    fromSeconds: Type.Integer({ minimum: 0, maximum: 10 * YEAR_SECONDS, description: "when it begins" }),
    seconds: Type.Integer({ minimum: 1, maximum: YEAR_SECONDS, description: "how long it lasts" }),
    of: oneOf(["verifier", "time", "all"], "all", "what cannot be reached"),
    permille: whole(1, 1000, 1000, "of the boards"),
    region: optional(0, 999, "only this region"),
  },
  { additionalProperties: false },
);

export const FLEET_PARAMETERS = Type.Object(
  {
    boards,
    load,
    agreement,
    operator,
    verifier,
    timeline: Type.Array(action, { maxItems: 1000, default: [], description: "what the parties do, in order of time" }),
    outages: Type.Array(outage, { maxItems: 1000, default: [], description: "what cannot be reached, and when" }),
    durationSeconds: whole(1, 10 * YEAR_SECONDS, 3600, "of the run"),
    seriesPoints: whole(0, 1000, 100, "of the curve of boards at work"),
    signaturesChecked: Type.Boolean({
      default: false,
      description: "S7 and S9 too: whatever a governor takes is verified once more, which takes longer than all else",
    }),
  },
  { additionalProperties: false },
);

export type FleetParameters = Static<typeof FLEET_PARAMETERS>;
export type FleetAction = FleetParameters["timeline"][number];
