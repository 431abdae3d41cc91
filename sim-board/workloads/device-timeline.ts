/**
 * From what a profiler saw on a device (kernels, copies and collectives, on several streams at once) to phases: slices
 * of equal length that tile the recording. Each event's work is spread over the slices it ran in, in proportion to
 * time, and exactly: what a slice gets is the difference of two floors.
 */
import { WorkloadError } from "./errors.ts";
import { addWork, type Phase, type Work } from "./types.ts";

export type DeviceEvent = {
  /** In nanoseconds, whole numbers, from any origin. */
  startNs: number;
  durationNs: number;
  /** What names a slice in which this event ran longest. */
  label: string;
  work: Work;
};

/** A spread of step marks: from `startNs` on, step `step`. In order of time. */
export type StepMark = { startNs: number; step: number };

/** Slices are this long, in nanoseconds, or as long as keeps them under `SLICES_MAX`. */
const SLICE_NS = 1_000_000;
const SLICES_MAX = 100_000;
/** Longest profile: nanoseconds stay exact integers. */
const SPAN_NS_MAX = 1e15;

export function slicePhases(events: DeviceEvent[], file: string, marks: StepMark[] = []): Phase[] {
  if (events.length === 0) throw new WorkloadError("trace/incomplete", `${file} holds no event of an accelerator`);
  let originNs = Number.POSITIVE_INFINITY;
  let endNs = 0;
  for (const event of events) {
    originNs = Math.min(originNs, event.startNs);
    endNs = Math.max(endNs, event.startNs + event.durationNs);
  }
  // An event of no length still retires its work in some slice.
  const spanNs = Math.max(endNs - originNs, 1);
  if (spanNs > SPAN_NS_MAX) {
    throw new WorkloadError("trace/bad-number", `${file}: its events span over 11 days`);
  }
  const sliceNs = Math.max(SLICE_NS, Math.ceil(spanNs / SLICES_MAX));
  const slices = Array.from({ length: Math.ceil(spanNs / sliceNs) }, () => ({
    work: new Map() as Work,
    labels: new Map<string, number>(),
  }));
  for (const event of events) spread(event, originNs, sliceNs, slices);
  let mark = 0;
  return slices.map(({ work, labels }, index) => {
    const fromNs = index * sliceNs;
    while (mark < marks.length && marks[mark]!.startNs - originNs <= fromNs) mark++;
    const longest = [...labels].reduce((best, label) => (label[1] > best[1] ? label : best), ["idle", 0] as const);
    return {
      name: longest[0],
      durationSeconds: Math.min(sliceNs, spanNs - fromNs) / 1e9,
      measured: true,
      work,
      ...(mark > 0 ? { step: marks[mark - 1]!.step } : {}),
    };
  });
}

function spread(
  event: DeviceEvent,
  originNs: number,
  sliceNs: number,
  slices: { work: Work; labels: Map<string, number> }[],
): void {
  const startNs = event.startNs - originNs;
  const endNs = startNs + event.durationNs;
  const first = Math.min(Math.floor(startNs / sliceNs), slices.length - 1);
  const last = Math.min(Math.max(Math.ceil(endNs / sliceNs) - 1, first), slices.length - 1);
  for (let index = first; index <= last; index++) {
    const { work, labels } = slices[index]!;
    const fromNs = Math.max(startNs, index * sliceNs);
    const untilNs = Math.min(endNs, (index + 1) * sliceNs);
    labels.set(event.label, (labels.get(event.label) ?? 0) + untilNs - fromNs);
    for (const [engineClass, amount] of event.work) {
      const doneBy = (ns: number) => (amount * BigInt(ns - startNs)) / BigInt(Math.max(event.durationNs, 1));
      const before = index === first ? 0n : doneBy(fromNs);
      const after = index === last ? amount : doneBy(untilNs);
      addWork(work, engineClass, after - before);
    }
  }
}
