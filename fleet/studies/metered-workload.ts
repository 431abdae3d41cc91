/** A built-in workload or a recording as its board's meter shows it: totals of windows of equal length. */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { accelerator, peakPerSecond } from "../../sim-board/accelerators.ts";
import { operationsOf, type Phase, type Workload } from "../../sim-board/workloads/types.ts";
import type { Metered, MeterOptions } from "./meter-jobs.ts";

/** At most so many windows, from the first. A phase's work is spread evenly over its time; the last window may be short. */
export function meteredWorkload(workload: Workload, { windows, windowSeconds }: MeterOptions): Metered {
  const found = Array.from({ length: windows }, () => ({ operations: 0, memoryBytes: 0, linkBytes: 0 }));
  const byClass = new Map<number, number>();
  let nowSeconds = 0;
  for (const phase of workload.phases()) {
    const startSeconds = Math.max(nowSeconds, phase.startSeconds ?? 0);
    nowSeconds = startSeconds + phase.durationSeconds;
    if (startSeconds >= windows * windowSeconds) break;
    for (const [engineClass, amount] of phase.work) {
      if (engineClass < EngineClass.VECTOR) byClass.set(engineClass, (byClass.get(engineClass) ?? 0) + Number(amount));
    }
    spread(phase, startSeconds, windowSeconds, found);
  }
  const used = Math.min(windows, Math.max(1, Math.floor(nowSeconds / windowSeconds)));
  const [main] = [...byClass].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  const chip = accelerator(workload.accelerator);
  return { windows: found.slice(0, used), peakPerSecond: peakPerSecond(chip, main?.[0] ?? EngineClass.TENSOR_BF16) };
}

type Sums = { operations: number; memoryBytes: number; linkBytes: number };

function spread({ work, durationSeconds }: Phase, startSeconds: number, windowSeconds: number, into: Sums[]): void {
  const operations = Number(operationsOf(work));
  const memoryBytes = Number(work.get(EngineClass.COPY) ?? 0n);
  const linkBytes = Number(work.get(EngineClass.LINK_TX) ?? 0n);
  const endSeconds = startSeconds + durationSeconds;
  for (
    let at = Math.floor(startSeconds / windowSeconds);
    at * windowSeconds < endSeconds || durationSeconds === 0;
    at++
  ) {
    const window = into[at];
    if (!window) return;
    const from = Math.max(startSeconds, at * windowSeconds);
    const part = durationSeconds === 0 ? 1 : (Math.min(endSeconds, (at + 1) * windowSeconds) - from) / durationSeconds;
    window.operations += part * operations;
    window.memoryBytes += part * memoryBytes;
    window.linkBytes += part * linkBytes;
    if (durationSeconds === 0) return;
  }
}
