/**
 * The opening of one interval of a usage report, `application/vnd.quiesce.opening+cbor`: the interval and the way to the
 * report's Merkle-sum root (docs/protocol.md, "Intervals"), without the other intervals. Nobody signs it: the report
 * binds it. CDDL: docs/protocol.md.
 */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { decodeBody } from "./body.ts";
import { Claims, encodeClaims } from "./claims.ts";
import {
  checkInterval,
  decodeIntervals,
  encodeIntervals,
  INTERVAL_BYTES,
  type Interval,
  type IntervalProof,
  proveInterval,
  type SumNode,
} from "./intervals.ts";
import type { UsageReport } from "./usage-report.ts";
import { type AllWork, workBetween, workBytes, workOf } from "./work.ts";

export interface Opening {
  /** Of which device and which of its reports. */
  readonly ueid: Uint8Array;
  readonly reportSequence: bigint;
  readonly interval: Interval;
  readonly proof: IntervalProof;
}

/** The siblings of a leaf among at most 8. */
const SIBLINGS_MAX = Math.log2(Limit.INTERVALS_MAX);

const SUMS_BYTES = EngineClass.COUNT * Limit.WORK_BYTES;

/** A message, though an opening has 850 bytes at most; a map of six, and three siblings of two. */
const BOUNDS = { bytesMax: Limit.MESSAGE_BYTES_MAX, itemsMax: 32 } as const;

const UEID = 1;
const SEQUENCE = 2;
const INDEX = 3;
const LEAF_COUNT = 4;
const INTERVAL = 5;
const SIBLINGS = 6;

/** Opens the interval at `index` of a report's intervals. Throws a `RangeError` where there is none. */
export function openInterval(
  report: Pick<UsageReport, "ueid" | "sequence">,
  intervals: readonly Interval[],
  index: number,
): Opening {
  const proof = proveInterval(intervals, index);
  return { ueid: report.ueid, reportSequence: report.sequence, interval: intervals[index]!, proof };
}

export function encodeOpening({ ueid, reportSequence, interval, proof }: Opening): Uint8Array {
  return encodeClaims(
    [
      [UEID, ueid],
      [SEQUENCE, reportSequence],
      [INDEX, proof.index],
      [LEAF_COUNT, proof.leafCount],
      [INTERVAL, encodeIntervals([interval])],
      [SIBLINGS, proof.siblings.map(({ hash, work }) => [hash, Buffer.concat(work.map(workBytes))])],
    ],
    decodeOpening,
  );
}

/** Throws a `Refusal`: of the CBOR codes for its form. Whether it proves anything is `checkOpening`'s to say. */
export function decodeOpening(body: Uint8Array): Opening {
  const what = "opening";
  const claims = new Claims(decodeBody(body, what, BOUNDS), ErrorCode.CBOR_TYPE, what);
  const opening: Opening = {
    ueid: claims.ueid(UEID),
    reportSequence: claims.u64(SEQUENCE),
    interval: decodeIntervals(claims.bytes(INTERVAL, INTERVAL_BYTES))[0]!,
    proof: {
      index: claims.u32(INDEX, Limit.INTERVALS_MAX - 1),
      leafCount: claims.u32(LEAF_COUNT, Limit.INTERVALS_MAX),
      siblings: claims.list(SIBLINGS, 0, SIBLINGS_MAX, readSibling),
    },
  };
  claims.end();
  if (opening.proof.index >= opening.proof.leafCount) claims.refuse("the interval is past the last one");
  return opening;
}

/**
 * Whether the interval is the report's: its device, its sequence, its root, and sums that are what the report's totals
 * grew by since `totalsBefore`, those of the report before (all zero before the first). The report is taken as verified.
 */
export function checkOpening(opening: Opening, report: UsageReport, totalsBefore: AllWork): boolean {
  const { ueid, reportSequence, interval, proof } = opening;
  if (Buffer.compare(ueid, report.ueid) !== 0 || reportSequence !== report.sequence) return false;
  if (proof.leafCount !== report.intervalCount) return false;
  const root: SumNode = { hash: report.intervalRoot, work: workBetween(totalsBefore, report.totals) };
  return checkInterval(interval, proof, root);
}

function readSibling(items: Claims, index: number): SumNode {
  const sibling = items.array(index, 2);
  const hash = sibling.digest(0);
  const sums = sibling.bytes(1, SUMS_BYTES);
  const work = Array.from({ length: EngineClass.COUNT }, (_, engineClass) =>
    workOf(sums.subarray(engineClass * Limit.WORK_BYTES, (engineClass + 1) * Limit.WORK_BYTES)),
  );
  return { hash, work };
}
