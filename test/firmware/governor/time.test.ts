import { describe, expect, it } from "vitest";
import { ObjectType } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { Limit } from "../../../firmware/protocol/limits.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import type { Drift } from "../../../sim-board/parts/oscillator.ts";
import { CLOCK, PARTIES, phaseOf, Rig, STRANGER, signerOf } from "../../rig.ts";
import { altered } from "./bench.ts";

const BF16 = EngineClass.TENSOR_BF16;
const member = (signer: typeof CLOCK, name: string) => ({ kid: signer.kid, publicKey: signer.publicKey, name });

describe("a time proof", () => {
  const table: [string, (rig: Rig) => Uint8Array, string][] = [
    ["on the governor's nonce is taken", (rig) => rig.timeProof(), "OK"],
    ["on another nonce", (rig) => rig.timeProof({ nonce: new Uint8Array(32) }), "TIME_NONCE"],
    ["by a stranger", (rig) => rig.timeProof({}, [STRANGER]), "COSE_KID"],
    ["by a party that is no time authority", (rig) => rig.timeProof({}, [PARTIES[0]!]), "COSE_KID"],
    ["under another agreement", (rig) => rig.timeProof({ agreementDigest: new Uint8Array(32) }), "TIME_AGREEMENT"],
    ["of an epoch far ahead", (rig) => rig.timeProof({ epoch: Limit.EPOCH_STEP_MAX + 1 }), "TIME_EPOCH_JUMP"],
    [
      "with a claim too many",
      (rig) => altered(rig.timeProof(), ObjectType.TIME_PROOF, (c) => c.set(-75999, 0), [CLOCK]),
      "TIME_CLAIM",
    ],
    [
      "without a nonce",
      (rig) => altered(rig.timeProof(), ObjectType.TIME_PROOF, (c) => c.delete(10), [CLOCK]),
      "TIME_CLAIM",
    ],
    ["in place of which a beacon comes", (rig) => rig.beacon(), "COSE_SIGNATURE"],
  ];
  it.each(table)("%s", (_, proof, verdict) => {
    const rig = Rig.ready();
    rig.powerCycle();
    expect(rig.verdict(Command.TIME_PROOF, proof(rig))).toBe(verdict);
    expect(rig.info().timeBounds === null).toBe(verdict !== "OK");
  });

  it("is good once", () => {
    const rig = Rig.ready();
    const proof = rig.timeProof();
    rig.must(rig.send(Command.TIME_PROOF, proof));
    expect(rig.verdict(Command.TIME_PROOF, proof)).toBe("TIME_NONCE");
  });

  it("on a challenge that a newer one replaced is refused", () => {
    const rig = Rig.ready();
    const proof = rig.timeProof();
    rig.ask(Command.TIME_CHALLENGE);
    expect(rig.verdict(Command.TIME_PROOF, proof)).toBe("TIME_NONCE");
  });

  it("of the session before is refused", () => {
    const rig = Rig.ready();
    const proof = rig.timeProof();
    rig.powerCycle();
    expect(rig.verdict(Command.TIME_PROOF, proof)).toBe("TIME_NONCE");
  });

  it("that was held back widens the upper bound by the time it took, so a lease does not last longer for it", () => {
    const rig = Rig.open();
    rig.powerCycle();
    const proof = rig.timeProof();
    rig.board.advance(301);
    rig.must(rig.send(Command.TIME_PROOF, proof));
    const { lowerMs, upperMs } = rig.info().timeBounds!;
    const now = Number(rig.board.agreementMs);
    expect(lowerMs).toBeLessThanOrEqual(now);
    expect(upperMs).toBeGreaterThanOrEqual(now);
    expect(rig.board.gateState).toBe(GateState.IDLE);
  });

  it("from before what is known already is stale", () => {
    const rig = Rig.ready();
    rig.board.advance(100);
    expect(rig.syncTime({ issuedAtSeconds: rig.nowSeconds - 50 })).toBe(0x0904);
  });

  it("keeps the true time between its bounds, which never part further than drift and delay account for", () => {
    const rig = Rig.ready({ leaseSeconds: 10 ** 7 }, { drift: { model: "constant", ppm: -99 } });
    let lowest = 0;
    for (let span = 0; span < 100; span++) {
      rig.board.advance(600);
      if (span % 10 === 9) rig.must(rig.syncTime());
      const { lowerMs, upperMs } = rig.info().timeBounds!;
      const now = Number(rig.board.agreementMs);
      expect(lowerMs).toBeLessThanOrEqual(now);
      expect(upperMs).toBeGreaterThanOrEqual(now);
      expect(lowerMs).toBeGreaterThanOrEqual(lowest);
      expect(upperMs - lowerMs).toBeLessThan(2000 + 10 * 600 * 1000 * 0.0003);
      lowest = lowerMs;
    }
  });
});

describe("no gate opens before a time proof", () => {
  it("whatever else it has: license, beacons, orders", () => {
    const rig = Rig.open();
    rig.powerCycle();
    expect(rig.verdict(Command.BEACON, rig.beacon())).toBe("TIME_UNKNOWN");
    expect(rig.verdict(Command.LICENSE, rig.license())).toBe("LICENSE_TIME_UNKNOWN");
    rig.board.submit(phaseOf(100));
    rig.board.advance(100);
    expect(rig.board.gateState).toBe(GateState.IDLE);
    expect(rig.done(BF16)).toBe(0n);
    rig.must(rig.syncTime());
    expect(rig.board.gateState).toBe(GateState.OPEN);
  });
});

describe("a beacon", () => {
  const table: [string, (rig: Rig) => Uint8Array, string][] = [
    ["of now is taken", (rig) => rig.beacon(), "OK"],
    ["that is a while old is taken", (rig) => rig.beacon({ issuedAtSeconds: rig.nowSeconds - 200 }), "OK"],
    ["that is older than a lease", (rig) => rig.beacon({ issuedAtSeconds: rig.nowSeconds - 300 }), "TIME_STALE"],
    ["by a stranger", (rig) => rig.beacon({}, [STRANGER]), "COSE_KID"],
    ["by a party", (rig) => rig.beacon({}, [PARTIES[0]!]), "COSE_KID"],
    ["under another agreement", (rig) => rig.beacon({ agreementDigest: new Uint8Array(32) }), "TIME_AGREEMENT"],
    ["of an epoch far ahead", (rig) => rig.beacon({ epoch: Limit.EPOCH_STEP_MAX + 1 }), "TIME_EPOCH_JUMP"],
    [
      "with a nonce",
      (rig) => altered(rig.beacon(), ObjectType.BEACON, (c) => c.set(10, new Uint8Array(32)), [CLOCK]),
      "TIME_CLAIM",
    ],
    [
      "without the order that it confirms",
      (rig) => altered(rig.beacon(), ObjectType.BEACON, (c) => c.delete(-75032), [CLOCK]),
      "TIME_CLAIM",
    ],
    ["in place of which a time proof comes", (rig) => rig.timeProof(), "COSE_SIGNATURE"],
  ];
  it.each(table)("%s", (_, beacon, verdict) => {
    const rig = Rig.open();
    rig.board.advance(250);
    expect(rig.verdict(Command.BEACON, beacon(rig))).toBe(verdict);
    expect(rig.info().failures).toBe(0);
    rig.board.advance(100);
    const renewed = verdict === "OK" && !_.includes("old");
    expect(rig.board.gateState).toBe(renewed ? GateState.OPEN : GateState.DRAINING);
  });

  it("hoarded and given later renews no lease", () => {
    const rig = Rig.open();
    const hoard: Uint8Array[] = [];
    for (let i = 0; i < 10; i++) {
      rig.board.advance(20);
      hoard.push(rig.beacon());
    }
    // The operator withholds all of them, and plays them one by one when the lease runs out.
    rig.board.advance(95);
    for (const beacon of hoard) {
      rig.board.advance(30);
      rig.send(Command.BEACON, beacon);
    }
    expect(rig.board.gateState).not.toBe(GateState.OPEN);
    expect(rig.verdict(Command.BEACON, hoard.at(-1)!)).toBe("TIME_STALE");
  });

  it("of yesterday does not open a gate after a power cut either", () => {
    const rig = Rig.open();
    const old = rig.beacon();
    rig.board.advance(80_000);
    rig.restart();
    expect(rig.verdict(Command.BEACON, old)).toBe("TIME_STALE");
  });

  it("from ahead of a clock that is slow brings the clock forward", () => {
    const rig = Rig.ready();
    rig.must(rig.send(Command.BEACON, rig.beacon({ issuedAtSeconds: rig.nowSeconds + 500 })));
    const { lowerMs, upperMs } = rig.info().timeBounds!;
    expect(lowerMs).toBe((rig.nowSeconds + 500) * 1000);
    expect(upperMs).toBeGreaterThanOrEqual(lowerMs);
  });
});

describe("a quorum of time authorities", () => {
  const [a, b, c] = [1, 2, 3].map((n) => signerOf(`clock ${n}`)) as [typeof CLOCK, typeof CLOCK, typeof CLOCK];
  const change = { timeAuthorities: [a, b, c].map((signer, i) => member(signer, `clock ${i}`)), timeQuorum: 2 };
  const table: [string, (typeof CLOCK)[], string][] = [
    ["two of three", [a, c], "OK"],
    ["one twice over is not two", [a], "COSE_TAG"],
    ["all three are one too many", [a, b, c], "COSE_SIGNATURES_SURPLUS"],
    ["one and a stranger", [a, STRANGER], "COSE_QUORUM"],
  ];
  it.each(table)("%s", (_, signers, verdict) => {
    const rig = new Rig(change);
    rig.board.powerOn();
    rig.must(rig.provision());
    expect(rig.verdict(Command.TIME_PROOF, rig.timeProof({}, signers))).toBe(verdict);
    if (verdict !== "OK") rig.must(rig.send(Command.TIME_PROOF, rig.timeProof({}, [a, b])));
    expect(rig.verdict(Command.BEACON, rig.beacon({}, signers))).toBe(verdict);
  });
});

describe("a lease", () => {
  it("that lapses drains the gate and closes it; a fresh beacon opens it again, without a new license", () => {
    const rig = Rig.open();
    rig.board.submit(phaseOf(3600));
    rig.board.advance(298);
    expect(rig.board.gateState).toBe(GateState.OPEN);
    rig.board.advance(3);
    expect(rig.board.gateState).toBe(GateState.DRAINING);
    expect(rig.lastReason).toBe("GATE_LEASE_LAPSED");
    rig.board.advance(121);
    expect(rig.board.gateState).toBe(GateState.IDLE);
    const stopped = rig.done(BF16);
    rig.board.advance(100);
    expect(rig.done(BF16)).toBe(stopped);
    rig.must(rig.send(Command.BEACON, rig.beacon()));
    expect(rig.board.gateState).toBe(GateState.OPEN);
    rig.board.withdraw();
    expect(rig.board.run(phaseOf(10)).completed).toBe(true);
  });

  it("that lapses is renewed in the middle of the drain: the drain ends first, then the gate opens", () => {
    const rig = Rig.open();
    rig.board.advance(302);
    rig.must(rig.send(Command.BEACON, rig.beacon()));
    expect(rig.board.gateState).toBe(GateState.DRAINING);
    rig.must(rig.send(Command.DRAIN_DONE));
    expect(rig.board.gateState).toBe(GateState.OPEN);
  });

  it.each([1, 100, 290])("outlives an outage of %i s, shorter than itself", (outage) => {
    const rig = Rig.open();
    let closed = 0;
    rig.board.subscribe({
      observe: (event) => {
        if (event.kind === "gate") closed++;
      },
    });
    rig.board.submit(phaseOf(2000));
    for (let i = 0; i < 5; i++) {
      rig.must(rig.send(Command.BEACON, rig.beacon()));
      rig.board.advance(outage);
    }
    expect(closed).toBe(0);
  });

  const drifts: [string, Drift][] = [
    ["exact", { model: "none" }],
    ["fast by all that is allowed", { model: "constant", ppm: 100 }],
    ["slow by all that is allowed", { model: "constant", ppm: -100 }],
    ["ageing within what is allowed", { model: "ageing", ppm: 10, ppmPerYear: 30 }],
  ];
  it.each(drifts)("of six hours is kept by an oscillator that is %s, to the second", (_, drift) => {
    const rig = Rig.ready({ leaseSeconds: 21_600, licenseTicksMax: 10n ** 9n }, { drift });
    const expirySeconds = rig.nowSeconds + 10 ** 6;
    rig.must(rig.send(Command.LICENSE, rig.license({ expirySeconds, ticksMax: 10n ** 9n })));
    for (let lease = 0; lease < 2; lease++) {
      rig.board.advance(21_580);
      expect(rig.board.gateState).toBe(GateState.OPEN);
      rig.must(rig.send(Command.BEACON, rig.beacon()));
    }
    // S4 itself is the observer that is always on: it throws if the gate stays open a timer period too long.
    rig.board.advance(21_602);
    expect(rig.board.gateState).not.toBe(GateState.OPEN);
  });

  it("is longer than it should be by as much as the oscillator is slowed beyond the agreement's bound: that is a limit", () => {
    const rig = Rig.open();
    rig.board.submit(phaseOf(3600));
    rig.board.setClockSpeed(500);
    rig.board.advance(310);
    // Half the ticks, so twice the time; the license's budget and ticks still bound it, and beacons lift the lower bound.
    expect(rig.board.gateState).toBe(GateState.OPEN);
    rig.board.advance(300);
    expect(rig.board.gateState).toBe(GateState.DRAINING);
  });

  it("never lapses while the oscillator stands still, but no slice is granted by then: credit runs dry", () => {
    const rig = Rig.open();
    rig.board.submit(phaseOf(36_000, { work: new Map([[BF16, 36n * 10n ** 18n]]) }));
    rig.board.advance(10);
    rig.board.setClockSpeed(0);
    const before = rig.done(BF16);
    rig.board.advance(30_000);
    expect(rig.board.gateState).toBe(GateState.OPEN);
    // What was granted, and no more: one slice.
    expect(rig.done(BF16) - before).toBeLessThanOrEqual(6n * 10n ** 16n);
  });
});
