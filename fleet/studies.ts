/** The kinds of experiments that there are. A scenario names one of them. */
import { dtypeDodge } from "./studies/dtype-dodge.ts";
import { fleet } from "./studies/fleet/fleet.ts";
import { inspectionSampling } from "./studies/inspection-sampling.ts";
import { quorum } from "./studies/quorum.ts";
import { signerBottleneck } from "./studies/signer-bottleneck.ts";
import { tamperedFraction } from "./studies/tampered-fraction.ts";
import { thresholds } from "./studies/thresholds.ts";
import { trainOrInfer } from "./studies/train-or-infer.ts";
import { underReporting } from "./studies/under-reporting.ts";
import { whereIsIt } from "./studies/where-is-it.ts";
import { wornOutBoard } from "./studies/worn-out-board.ts";
import type { Study } from "./study.ts";

export const STUDIES: readonly Study<never>[] = [
  dtypeDodge,
  fleet,
  inspectionSampling,
  quorum,
  signerBottleneck,
  tamperedFraction,
  thresholds,
  trainOrInfer,
  underReporting,
  whereIsIt,
  wornOutBoard,
];
