/**
 * What does a signed meter tell of the kind of work? Examples of honest training and inference make two centers; other
 * jobs, honest and disguised, are told apart by the nearer one. Beside them go the built-in workloads, and recordings that
 * are named.
 */
import { type Static, Type } from "@sinclair/typebox";
import type { Random } from "../../sim-board/random.ts";
import { builtinWorkload, listWorkloads } from "../../sim-board/workloads/builtin.ts";
import { readTrace } from "../../sim-board/workloads/read.ts";
import type { Workload } from "../../sim-board/workloads/types.ts";
import type { Json, Study } from "../study.ts";
import {
  type Centers,
  centersOf,
  FEATURES,
  type Feature,
  type Features,
  featuresOf,
  isTraining,
} from "./classifier.ts";
import { DISGUISES, type Disguise, inferenceJob, type MeterOptions, trainingJob } from "./meter-jobs.ts";
import { meteredWorkload } from "./metered-workload.ts";
import { quantity, whole } from "./quantities.ts";
import { cellRandom } from "./trials.ts";

const PARAMETERS = Type.Object(
  {
    windowSeconds: quantity("Length of a window: an interval of a report", 60, 0.01, 86_400),
    windows: whole("Windows that a verdict is made of", 30, 2, 1000),
    jobs: whole("Jobs of each kind: examples, honest ones, and as many of each disguise", 400, 20, 100_000),
    features: Type.Array(Type.Union(FEATURES.map((feature) => Type.Literal(feature))), {
      description:
        "What a verdict looks at: operations a byte of memory, link bytes an operation, variation of the work, use of the peak",
      default: [...FEATURES],
      minItems: 1,
      maxItems: FEATURES.length,
    }),
    recordings: Type.Array(
      Type.Object({ file: Type.String(), training: Type.Boolean() }, { additionalProperties: false }),
      { description: "Recordings to be told apart besides, and what each is", default: [], maxItems: 100 },
    ),
  },
  { additionalProperties: false },
);
type Parameters = Static<typeof PARAMETERS>;

type Kind = "example" | "honest" | Disguise | "builtin" | "recording";
type Job = { readonly kind: Kind; readonly training: boolean; readonly features: Features };

const NAME = "train-or-infer";
/** Jobs of each kind in a cell. */
const EACH = 50;
/** A built-in is played so far at most: the windows of a verdict are fewer. */
const STEPS_MOST = 5000;

export const trainOrInfer: Study<Parameters> = {
  name: NAME,
  title: "Training or inference, by the signed meter",
  parameters: PARAMETERS,
  metrics: [
    { name: "accuracyHonest", unit: "1", meaning: "Share of honest jobs that are told right, half of them training." },
    { name: "accuracyHonestError", unit: "1", meaning: "Half of its 95 % confidence interval." },
    {
      name: "accuracyDisguised",
      unit: "1",
      meaning: "Share of disguised jobs that are told right, all disguises alike.",
    },
    { name: "accuracyDisguisedWorst", unit: "1", meaning: "The same, of the disguise that hides best." },
    { name: "accuracyQuiet", unit: "1", meaning: "Of training that exchanges gradients once in 500 steps." },
    { name: "accuracyThrottled", unit: "1", meaning: "Of training that rises and falls as a service does." },
    { name: "accuracyMasked", unit: "1", meaning: "Of training with both and idle reads of memory." },
    { name: "accuracyPadded", unit: "1", meaning: "Of inference that runs evenly and sends more than it must." },
    { name: "builtins", unit: "1", meaning: "Built-in workloads." },
    { name: "builtinsRight", unit: "1", meaning: "Those that are told right." },
    { name: "recordings", unit: "1", meaning: "Recordings that hold work." },
    { name: "recordingsRight", unit: "1", meaning: "Those that are told right." },
  ],
  cells: ({ jobs }) => Math.ceil(jobs / EACH),
  run: (parameters, place): Json => {
    const random = cellRandom(NAME, place);
    const jobs = Math.min(EACH, parameters.jobs - place.cell * EACH);
    const found = Array.from({ length: jobs }, () => jobsOfEachKind(random, parameters)).flat();
    return place.cell === 0 ? [...found, ...known(parameters)] : found;
  },
  merge: ({ features }, cells) => {
    const jobs = (cells as readonly (readonly Job[])[]).flat();
    const of = (kind: Kind) => jobs.filter((job) => job.kind === kind);
    const centers = centersOf(of("example"));
    const told = (kind: Kind) => right(of(kind), centers, features);
    const accuracy = (kind: Kind) => told(kind) / of(kind).length;
    const honest = accuracy("honest");
    const disguised = DISGUISES.map(accuracy);
    const [quiet, throttled, masked, padded] = disguised as [number, number, number, number];
    return {
      measures: {
        accuracyHonest: honest,
        accuracyHonestError: 1.96 * Math.sqrt((honest * (1 - honest)) / of("honest").length),
        accuracyDisguised: disguised.reduce((sum, share) => sum + share, 0) / disguised.length,
        accuracyDisguisedWorst: Math.min(...disguised),
        accuracyQuiet: quiet,
        accuracyThrottled: throttled,
        accuracyMasked: masked,
        accuracyPadded: padded,
        builtins: of("builtin").length,
        builtinsRight: told("builtin"),
        recordings: of("recording").length,
        recordingsRight: told("recording"),
      },
    };
  },
  estimate: ({ jobs, windows }) => ({
    boards: 0,
    events: jobs * 8 * windows,
    cpuSeconds: 1 + jobs * 8 * (4e-5 + windows * 1e-6),
    bytesResident: EACH * 8 * 400 + 50_000_000,
  }),
};

function jobsOfEachKind(random: Random, options: MeterOptions): Job[] {
  const one = (kind: Kind, training: boolean, disguise?: Disguise): Job => {
    const job = training ? trainingJob(random, options, disguise) : inferenceJob(random, options, disguise);
    return { kind, training, features: featuresOf(job, options.windowSeconds)! };
  };
  return [
    one("example", true),
    one("example", false),
    one("honest", true),
    one("honest", false),
    ...DISGUISES.map((disguise) => one(disguise, disguise !== "padded", disguise)),
  ];
}

/** What is played or recorded, not drawn: the same for every seed. */
function known(parameters: Parameters): Job[] {
  const builtins = listWorkloads().map(({ name, stepsMax }) => {
    const workload = builtinWorkload(name, { steps: Math.min(stepsMax, STEPS_MOST), board: 1 });
    return jobOf("builtin", !name.startsWith("llm-serve"), workload, parameters);
  });
  const recordings = parameters.recordings.map(({ file, training }) =>
    jobOf("recording", training, readTrace(file), parameters),
  );
  return [...builtins, ...recordings].flat();
}

function jobOf(kind: Kind, training: boolean, workload: Workload, options: MeterOptions): Job[] {
  const features = featuresOf(meteredWorkload(workload, options), options.windowSeconds);
  return features ? [{ kind, training, features }] : [];
}

function right(jobs: readonly Job[], centers: Centers, used: readonly Feature[]): number {
  return jobs.filter(({ training, features }) => isTraining(features, centers, used) === training).length;
}
