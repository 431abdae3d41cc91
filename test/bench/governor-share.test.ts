/** The governor beside a real training step: what it costs the accelerator. */
import { describe, expect, it } from "vitest";
import { simulateStep } from "./governor-share.ts";

describe("a training step beside a governor of 100 MHz with the slowest flash", () => {
  it.each([10, 1])("stalls for less than a thousandth of it with slices of %s s", (seconds) => {
    const step = simulateStep(seconds);
    expect((step.tookMs - step.recordedMs) / step.recordedMs).toBeLessThan(0.001);
    expect(step.refillMs).toBeLessThan(step.untilDryMs);
    // A tick a second, and all work on slices of half a period or more.
    expect(step.calls.tick).toBe(Math.floor(step.recordedMs / 1000));
    expect(step.slices).toBeGreaterThan(step.recordedMs / 1000 / seconds / 4);
    expect(step.busyMs / step.tookMs).toBeGreaterThan(0);
    expect(step.busyMs / step.tookMs).toBeLessThan(0.005);
  });

  it("stalls where slices are shorter than a refill takes: the simulation can tell", () => {
    const step = simulateStep(0.2);
    expect(step.tookMs).toBeGreaterThan(step.recordedMs * 1.01);
    expect(step.refillMs).toBeGreaterThan(step.untilDryMs);
  });
});
