/** What must hold for every workload, whatever it was read from. */
import { expect } from "vitest";
import { ACCELERATORS, peakPerSecond } from "../../../sim-board/accelerators.ts";
import { sumWork, type Workload } from "../../../sim-board/workloads/types.ts";

export function expectSound(workload: Workload): void {
  const phases = [...workload.phases()];
  expect(phases.length).toBeGreaterThan(0);
  // The totals of the board are the sum of its phases, to the last operation and byte.
  expect(sumWork(phases)).toEqual(workload.totals.work);
  const seconds = phases.reduce((sum, phase) => sum + phase.durationSeconds, 0);
  expect(seconds).toBeCloseTo(workload.totals.durationSeconds, 6);
  const chip = ACCELERATORS.get(workload.accelerator);
  expect(chip, `accelerator ${workload.accelerator}`).toBeDefined();
  for (const phase of phases) {
    expect(Number.isFinite(phase.durationSeconds) && phase.durationSeconds >= 0).toBe(true);
    for (const [engineClass, amount] of phase.work) {
      expect(amount).toBeGreaterThan(0n);
      expect(peakPerSecond(chip!, engineClass), `class ${engineClass} of ${workload.accelerator}`).toBeGreaterThan(0);
    }
  }
  // What the phases count adds up to the recording's totals.
  for (const name of ["tokens", "samples", "requests"] as const) {
    const counted = phases.flatMap(({ counts }) => counts?.[name] ?? []);
    if (counted.length === 0) continue;
    expect(
      counted.reduce((sum, count) => sum + count, 0),
      name,
    ).toBe(workload.totals.recorded[name]);
  }
  // Read twice, the same: a workload can be replayed.
  expect([...workload.phases()].length).toBe(phases.length);
}

/** `value` lies within `share` of `expected`. */
export function expectWithin(value: number | bigint, expected: number, share: number): void {
  expect(Math.abs(Number(value) - expected) / expected).toBeLessThanOrEqual(share);
}
