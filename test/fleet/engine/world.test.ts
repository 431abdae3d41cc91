/** Who can be reached when, and what the parties do in a region. */
import { describe, expect, it } from "vitest";
import { World } from "../../../fleet/engine/world.ts";
import { parametersOf } from "../parameters.ts";

const outage = (fromSeconds: number, seconds: number, change = {}) => ({ fromSeconds, seconds, ...change });

describe("an outage", () => {
  it("holds up whoever its draw concerns, until it and whatever follows on it are over", () => {
    const outages = [outage(10, 10, { of: "verifier", permille: 500 }), outage(20, 5)];
    const world = new World(parametersOf({ outages }), 0);
    expect([0, 9_999, 10_000, 19_999, 25_000].map((ms) => world.reachableMs("verifier", 0, ms))).toEqual([
      0, 9_999, 25_000, 25_000, 25_000,
    ]);
    expect(world.reachableMs("verifier", 500, 15_000)).toBe(15_000);
    expect([15_000, 21_000].map((ms) => world.reachableMs("time", 0, ms))).toEqual([15_000, 25_000]);
  });

  it("is where its region is", () => {
    const outages = [outage(10, 10, { region: 1 })];
    const at = (region: number) => new World(parametersOf({ outages }), region).reachableMs("verifier", 0, 12_000);
    expect([at(0), at(1)]).toEqual([12_000, 20_000]);
  });
});

describe("the parties", () => {
  const timeline = [
    { atSeconds: 30, do: "resume" },
    { atSeconds: 10, do: "stop-licenses" },
    { atSeconds: 20, do: "pause", region: 0 },
  ];

  it("stop, pause and resume in order of time, however the scenario lists it", () => {
    const world = new World(parametersOf({ timeline }), 0);
    expect([world.pauseMs, world.resumeMs]).toEqual([10_000, 30_000]);
    const at = [9, 10, 20, 29, 30].map((seconds) => seconds * 1000);
    expect(at.map((ms) => world.isStopped("stop-licenses", ms))).toEqual([false, true, true, true, false]);
    expect(at.map((ms) => world.isPaused(ms))).toEqual([false, false, true, true, false]);
    expect(at.some((ms) => world.isStopped("stop-beacons", ms))).toBe(false);
  });

  it("lift a pause by a resume, or by an order to go on slowly", () => {
    const order = (atSeconds: number, what: string) => ({
      atSeconds,
      do: what,
      ...(what === "slow" && { permille: 500 }),
    });
    const world = (...orders: object[]) => new World(parametersOf({ timeline: orders }), 0);
    expect(world(order(10, "pause"), order(20, "slow"), order(30, "resume")).resumeMs).toBe(20_000);
    expect(world(order(10, "slow"), order(20, "pause"), order(30, "resume")).resumeMs).toBe(30_000);
    expect(world(order(10, "slow"), order(20, "slow")).resumeMs).toBeUndefined();
  });

  it("order a region what they order it", () => {
    const world = new World(parametersOf({ timeline }), 1);
    expect(world.actions.map(({ do: what }) => what)).toEqual(["stop-licenses", "resume"]);
  });
});
