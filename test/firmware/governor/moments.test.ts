/** What is decided by a moment or a number is decided right at it: one less and it is not so yet, one more and it is over. */
import { describe, expect, it } from "vitest";
import { Firmware } from "../../../firmware/protocol/board.ts";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { Limit } from "../../../firmware/protocol/limits.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { Rig } from "../../rig.ts";
import { Bare } from "./bare.ts";

const BF16 = EngineClass.TENSOR_BF16;
const PAUSE = OrderAction.PAUSE;
const RESUME = OrderAction.RESUME;
const LEASE_SECONDS = 20;
const SECONDS = 10;
const MS = 1000;

/** Knows the time to within five seconds: its clock was set by a proof that was long on its way. */
function unsure(change: Parameters<typeof Rig.ready>[0] = {}): Rig {
  const rig = new Rig({ leaseSeconds: 100_000, ...change });
  rig.board.powerOn();
  rig.must(rig.provision());
  const proof = rig.timeProof();
  rig.board.advance(5);
  rig.must(rig.send(Command.TIME_PROOF, proof));
  return rig;
}

const bounds = (bare: Bare) => bare.info().timeBounds!;

/** Lets ticks pass, one by one near the moment, until `bound` has come to `ms` or past it by the step of one tick. */
function until(bare: Bare, bound: "lowerMs" | "upperMs", ms: number, each: (reached: boolean) => void): void {
  const left = ms - Number(bounds(bare)[bound]) - 20;
  if (left > 0) bare.knobs.ticks += BigInt(left);
  let [before, after] = [0, 0];
  while (after < 3) {
    const reached = Number(bounds(bare)[bound]) >= ms;
    if (reached) after++;
    else before++;
    each(reached);
    bare.knobs.ticks += 1n;
  }
  expect(before).toBeGreaterThan(0);
}

describe("a license", () => {
  it("flows until the latest that the time may be comes to its expiry, and not at it", () => {
    const rig = Rig.ready({ leaseSeconds: 100_000 });
    const bare = new Bare(rig);
    const expirySeconds = rig.nowSeconds + SECONDS;
    expect(bare.verdict(Command.LICENSE, bare.license({ expirySeconds }))).toBe("OK");
    until(bare, "upperMs", expirySeconds * MS, (reached) => {
      bare.governor.tick();
      expect(bare.info().gateState).toBe(reached ? GateState.IDLE : GateState.OPEN);
    });
  });

  it("is taken from the moment on at which the earliest that the time may be comes to its begin", () => {
    const rig = unsure();
    const bare = new Bare(rig);
    const notBeforeSeconds = Math.ceil(Number(bounds(bare).lowerMs) / MS) + 2;
    until(bare, "lowerMs", notBeforeSeconds * MS, (reached) => {
      // Each refusal counts: only the last moment before it is tried.
      if (Number(bounds(bare).lowerMs) < notBeforeSeconds * MS - 1) return;
      const verdict = bare.verdict(Command.LICENSE, bare.license({ notBeforeSeconds }));
      expect(verdict).toBe(reached ? "OK" : "LICENSE_NOT_YET_VALID");
    });
  });

  it("is taken until the latest that the time may be comes to its expiry", () => {
    const rig = unsure();
    const bare = new Bare(rig);
    const expirySeconds = Math.ceil(Number(bounds(bare).upperMs) / MS) + 2;
    const said: string[] = [];
    until(bare, "upperMs", expirySeconds * MS, (reached) => {
      if (reached && said.length > 0 && said.at(-1) !== "OK") return;
      said.push(bare.verdict(Command.LICENSE, bare.license({ expirySeconds })));
      expect(said.at(-1)).toBe(reached ? "LICENSE_EXPIRED" : "OK");
    });
  });

  it("may skip 1,023 sequences and no more, also from a later one on", () => {
    const bare = new Bare(Rig.ready());
    const sequences = [1000n, 1000n + BigInt(Limit.SEQUENCE_STEP_MAX)];
    for (const sequence of sequences) expect(bare.verdict(Command.LICENSE, bare.license({ sequence }))).toBe("OK");
    const far = sequences[1]! + BigInt(Limit.SEQUENCE_STEP_MAX) + 1n;
    expect(bare.verdict(Command.LICENSE, bare.license({ sequence: far }))).toBe("LICENSE_SEQUENCE_JUMP");
  });

  it("that comes when the lease has just lapsed opens nothing, and what was open closes", () => {
    const bare = new Bare(Rig.open({ leaseSeconds: LEASE_SECONDS }));
    bare.knobs.ticks += BigInt(LEASE_SECONDS * MS);
    expect(bare.verdict(Command.LICENSE, bare.license())).toBe("OK");
    expect(bare.info().gateState).toBe(GateState.IDLE);
    expect(bare.knobs.registers.creditOf(BF16)).toBe(0n);
  });

  it("that comes in the middle of a drain for want of a beacon ends the drain", () => {
    const bare = new Bare(Rig.open({ leaseSeconds: LEASE_SECONDS }));
    bare.knobs.ticks += BigInt(LEASE_SECONDS * MS);
    bare.governor.tick();
    expect(bare.info().gateState).toBe(GateState.DRAINING);
    expect(bare.verdict(Command.LICENSE, bare.license())).toBe("OK");
    expect(bare.info().gateState).toBe(GateState.IDLE);
    expect(bare.knobs.registers.creditOf(EngineClass.COPY)).toBe(0n);
  });

  it("does not open before its begin after a power cut, whatever a time authority says then", () => {
    const rig = Rig.ready();
    const begin = rig.nowSeconds;
    rig.must(rig.send(Command.LICENSE, rig.license({ notBeforeSeconds: begin })));
    rig.powerCycle();
    rig.must(rig.syncTime({ issuedAtSeconds: begin - 10 }));
    expect(rig.board.gateState).toBe(GateState.IDLE);
    rig.powerCycle();
    rig.must(rig.syncTime({ issuedAtSeconds: begin }));
    expect(rig.board.gateState).toBe(GateState.OPEN);
  });

  it("has its ticks once, power cuts or not", () => {
    const rig = Rig.ready({ sliceTicks: 1000n, leaseSeconds: 1000 });
    rig.must(rig.send(Command.LICENSE, rig.license({ ticksMax: 100_000n })));
    rig.board.advance(30);
    rig.restart();
    rig.board.advance(60);
    expect(rig.board.gateState).toBe(GateState.OPEN);
    rig.board.advance(11);
    expect(rig.board.gateState).toBe(GateState.IDLE);
  });

  it("opens a gate under an agreement that asks for this very version of the firmware", () => {
    expect(Rig.open({ svnLeast: Firmware.SVN }).board.gateState).toBe(GateState.OPEN);
  });
});

describe("a lease", () => {
  it("holds until the latest that the time may be is one lease after the beacon", () => {
    const rig = Rig.open({ leaseSeconds: LEASE_SECONDS });
    const issuedAtSeconds = rig.nowSeconds;
    rig.must(rig.send(Command.BEACON, rig.beacon({ issuedAtSeconds })));
    const bare = new Bare(rig);
    until(bare, "upperMs", (issuedAtSeconds + LEASE_SECONDS) * MS, (reached) => {
      bare.governor.tick();
      expect(bare.info().gateState).toBe(reached ? GateState.DRAINING : GateState.OPEN);
    });
  });
});

describe("an order", () => {
  it("that pauses is taken as soon as its begin may have come", () => {
    const bare = new Bare(unsure());
    const notBeforeSeconds = Math.ceil(Number(bounds(bare).upperMs) / MS) + 2;
    const order = bare.order(PAUSE, { notBeforeSeconds });
    until(bare, "upperMs", notBeforeSeconds * MS, (reached) => {
      const verdict = bare.verdict(Command.ORDER, order);
      if (!reached) expect(verdict).toBe("ORDER_NOT_YET");
      else expect(["OK", "ORDER_EPOCH_OLD"]).toContain(verdict);
    });
    expect(bare.info().gateState).toBe(GateState.PAUSED);
  });

  it("that resumes is taken only when its begin must have come", () => {
    const bare = new Bare(unsure());
    expect(bare.verdict(Command.ORDER, bare.order(PAUSE))).toBe("OK");
    const notBeforeSeconds = Math.ceil(Number(bounds(bare).upperMs) / MS) + 2;
    const order = bare.order(RESUME, { notBeforeSeconds });
    until(bare, "lowerMs", notBeforeSeconds * MS, (reached) => {
      expect(bare.verdict(Command.ORDER, order) === "ORDER_NOT_YET").toBe(!reached);
    });
    expect(bare.info().gateState).toBe(GateState.IDLE);
  });

  it("may skip 1,023 epochs and no more, also from a later one on", () => {
    const bare = new Bare(Rig.ready());
    const epochs = [1000, 1000 + Limit.EPOCH_STEP_MAX];
    for (const epoch of epochs) expect(bare.verdict(Command.ORDER, bare.order(PAUSE, { epoch }))).toBe("OK");
    const far = epochs[1]! + Limit.EPOCH_STEP_MAX + 1;
    expect(bare.verdict(Command.ORDER, bare.order(PAUSE, { epoch: far }))).toBe("ORDER_EPOCH_JUMP");
  });
});

describe("a drain", () => {
  const RATE = 10n ** 6n;
  const SLICE = 1000n * RATE;

  /** Draining, with two slices of copy work allowed and 1,500 ticks of time; the first slice is used up. */
  function draining(): Bare {
    const COPY = EngineClass.COPY;
    const caps = new Map([
      [BF16, { budgetMax: 10n ** 20n, rateMax: 10n ** 12n }],
      [COPY, { budgetMax: 10n ** 18n, rateMax: RATE }],
    ]);
    const drain = new Map([[COPY, 2n * SLICE]]);
    const rig = Rig.ready({ caps, drain, sliceTicks: 1000n, drainTicksMax: 1500n, leaseSeconds: 1000 });
    const bare = new Bare(rig);
    expect(bare.verdict(Command.LICENSE, bare.license({ budget: new Map([[BF16, 10n ** 18n]]), drain }))).toBe("OK");
    expect(bare.verdict(Command.ORDER, bare.order(PAUSE))).toBe("OK");
    expect(bare.knobs.registers.creditOf(COPY)).toBe(SLICE);
    bare.knobs.registers.retire(COPY, SLICE);
    return bare;
  }

  it.each([
    ["a tick", (bare: Bare) => bare.governor.tick()],
    ["low credit", (bare: Bare) => bare.governor.creditLow()],
  ])("is filled up by %s until its time is over, and not in that moment", (_, interrupt) => {
    for (const [ticks, credit] of [
      [1499n, SLICE],
      [1500n, 0n],
    ] as const) {
      const bare = draining();
      const { counter } = bare.rig.board;
      bare.knobs.ticks += ticks;
      const steps = counter.read();
      interrupt(bare);
      expect(bare.knobs.registers.creditOf(EngineClass.COPY)).toBe(credit);
      bare.governor.tick();
      expect(bare.info().gateState).toBe(credit > 0n ? GateState.DRAINING : GateState.PAUSED);
      // One record for the slice, or one for the end.
      expect(counter.read() - steps).toBe(1);
    }
  });
});
