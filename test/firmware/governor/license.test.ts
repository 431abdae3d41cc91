import { describe, expect, it } from "vitest";
import { ObjectType, OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { Limit } from "../../../firmware/protocol/limits.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import type { License } from "../../../host/objects/license.ts";
import { PARTIES, phaseOf, Rig, STRANGER } from "../../rig.ts";
import { altered, cutEverywhere } from "./bench.ts";

const BF16 = EngineClass.TENSOR_BF16;
const COPY = EngineClass.COPY;
const LINK = EngineClass.LINK_TX;
const INT8 = EngineClass.TENSOR_INT8;
const OTHER = new Uint8Array(33).fill(1);
const offline = { nonce: undefined };

describe("what a license must be", () => {
  const table: [string, (rig: Rig) => Uint8Array, string][] = [
    ["signed by two parties, it is taken", (rig) => rig.license(), "OK"],
    ["signed by any two parties, it is taken", (rig) => rig.license({}, PARTIES.slice(1)), "OK"],
    ["one signature is not enough", (rig) => rig.license({}, PARTIES.slice(0, 1)), "COSE_QUORUM"],
    ["a stranger's signature counts for nothing", (rig) => rig.license({}, [PARTIES[0]!, STRANGER]), "COSE_QUORUM"],
    ["a third signature is one too many", (rig) => rig.license({}, PARTIES), "COSE_SIGNATURES_SURPLUS"],
    ["for another agreement", (rig) => rig.license({ agreementDigest: new Uint8Array(32) }), "LICENSE_AGREEMENT"],
    ["for another device", (rig) => rig.license({ ueid: OTHER }), "LICENSE_DEVICE"],
    [
      "for a cohort without this device",
      (rig) => rig.license({ ...offline, ueid: undefined, cohort: [OTHER] }),
      "LICENSE_DEVICE",
    ],
    [
      "for a cohort with this device",
      (rig) => rig.license({ ...offline, ueid: undefined, cohort: [OTHER, rig.ueid] }),
      "OK",
    ],
    [
      "for a cohort of 32, the most there may be",
      (rig) =>
        rig.license({ ...offline, ueid: undefined, cohort: [...Array.from({ length: 31 }, () => OTHER), rig.ueid] }),
      "OK",
    ],
    ["for a newer governor", (rig) => rig.license({ svnLeast: 2 }), "LICENSE_SVN"],
    ["for this governor or a newer one", (rig) => rig.license({ svnLeast: 1 }), "OK"],
    ["of an epoch to come", (rig) => rig.license({ epoch: 1 }), "LICENSE_EPOCH"],
    ["without a sequence of its own", (rig) => rig.license({ sequence: 0n }), "LICENSE_SEQUENCE_REPLAYED"],
    ["that skips sequences", (rig) => rig.license({ sequence: BigInt(Limit.SEQUENCE_STEP_MAX) }), "OK"],
    [
      "that jumps absurdly far",
      (rig) => rig.license({ sequence: BigInt(Limit.SEQUENCE_STEP_MAX) + 1n }),
      "LICENSE_SEQUENCE_JUMP",
    ],
    ["with the last sequence there is", (rig) => rig.license({ sequence: 2n ** 64n - 1n }), "LICENSE_SEQUENCE_JUMP"],
    ["that answers another challenge", (rig) => rig.license({ nonce: new Uint8Array(32) }), "LICENSE_NONCE"],
    ["offline, where the agreement allows it", (rig) => rig.license(offline), "OK"],
    ["that will be valid", (rig) => rig.license({ notBeforeSeconds: rig.nowSeconds + 10 }), "LICENSE_NOT_YET_VALID"],
    ["that was valid", (rig) => rig.license({ expirySeconds: rig.nowSeconds - 1 }), "LICENSE_EXPIRED"],
    ["with a budget at the agreement's cap", (rig) => rig.license({ budget: new Map([[BF16, 10n ** 20n]]) }), "OK"],
    [
      "with a budget over the cap by one",
      (rig) => rig.license({ budget: new Map([[BF16, 10n ** 20n + 1n]]) }),
      "LICENSE_BUDGET_OVER_CAP",
    ],
    [
      "with the largest budget there is",
      (rig) => rig.license({ budget: new Map([[COPY, 2n ** 128n - 1n]]) }),
      "LICENSE_BUDGET_OVER_CAP",
    ],
    [
      "with a budget for a class that the agreement does not name",
      (rig) => rig.license({ budget: new Map([[INT8, 1n]]) }),
      "LICENSE_CLASS",
    ],
    ["with a rate for such a class", (rig) => rig.license({ rate: new Map([[INT8, 1n]]) }), "LICENSE_CLASS"],
    ["with a drain for such a class", (rig) => rig.license({ drain: new Map([[INT8, 1n]]) }), "LICENSE_CLASS"],
    ["with nothing for such a class", (rig) => rig.license({ budget: new Map([[INT8, 0n]]) }), "OK"],
    ["with ticks at the cap", (rig) => rig.license({ ticksMax: 86_400_000n }), "OK"],
    ["with ticks over the cap", (rig) => rig.license({ ticksMax: 86_400_001n }), "LICENSE_TICKS_OVER_CAP"],
    ["without ticks", (rig) => rig.license({ ticksMax: 0n }), "LICENSE_TICKS_OVER_CAP"],
    ["with a rate at the cap", (rig) => rig.license({ rate: new Map([[BF16, 10n ** 12n]]) }), "OK"],
    [
      "with a rate over the cap",
      (rig) => rig.license({ rate: new Map([[BF16, 10n ** 12n + 1n]]) }),
      "LICENSE_RATE_OVER_CAP",
    ],
    ["with a drain at the cap", (rig) => rig.license({ drain: new Map([[COPY, 10n ** 12n]]) }), "OK"],
    [
      "with a drain over the cap",
      (rig) => rig.license({ drain: new Map([[COPY, 10n ** 12n + 1n]]) }),
      "LICENSE_DRAIN_OVER_CAP",
    ],
    [
      "with a drain that 64 bits do not hold",
      (rig) =>
        altered(rig.license(), ObjectType.LICENSE, (claims) =>
          claims.set(-75006, new Map([[COPY, Uint8Array.of(...new Uint8Array(7), 1, ...new Uint8Array(8))]])),
        ),
      "LICENSE_CLAIM",
    ],
    [
      "for one device and a cohort",
      (rig) => altered(rig.license(offline), ObjectType.LICENSE, (claims) => claims.set(-75008, [rig.ueid])),
      "LICENSE_CLAIM",
    ],
    [
      "for nobody",
      (rig) => altered(rig.license(offline), ObjectType.LICENSE, (claims) => claims.delete(256)),
      "LICENSE_CLAIM",
    ],
    [
      "for a cohort, with one device's challenge",
      (rig) =>
        altered(rig.license(), ObjectType.LICENSE, (claims) => {
          claims.delete(256);
          claims.set(-75008, [rig.ueid]);
        }),
      "LICENSE_CLAIM",
    ],
    [
      "for an empty cohort",
      (rig) =>
        altered(rig.license(offline), ObjectType.LICENSE, (claims) => {
          claims.delete(256);
          claims.set(-75008, []);
        }),
      "LICENSE_CLAIM",
    ],
    [
      "for a cohort of 33",
      (rig) =>
        altered(rig.license(offline), ObjectType.LICENSE, (claims) => {
          claims.delete(256);
          claims.set(
            -75008,
            Array.from({ length: 33 }, () => rig.ueid),
          );
        }),
      "LICENSE_CLAIM",
    ],
    [
      "with a claim that nobody knows",
      (rig) => altered(rig.license(), ObjectType.LICENSE, (claims) => claims.set(-75999, 1)),
      "LICENSE_CLAIM",
    ],
    [
      "without an expiry",
      (rig) => altered(rig.license(), ObjectType.LICENSE, (claims) => claims.delete(4)),
      "LICENSE_CLAIM",
    ],
    [
      "without a budget",
      (rig) => altered(rig.license(), ObjectType.LICENSE, (claims) => claims.delete(-75003)),
      "LICENSE_CLAIM",
    ],
    [
      "with a budget of a class that there is not",
      (rig) =>
        altered(rig.license(), ObjectType.LICENSE, (claims) => claims.set(-75003, new Map([[12, new Uint8Array(16)]]))),
      "LICENSE_CLAIM",
    ],
    [
      "with a budget of 15 bytes",
      (rig) =>
        altered(rig.license(), ObjectType.LICENSE, (claims) =>
          claims.set(-75003, new Map([[BF16, new Uint8Array(15)]])),
        ),
      "LICENSE_CLAIM",
    ],
    [
      "with a negative sequence",
      (rig) => altered(rig.license(), ObjectType.LICENSE, (claims) => claims.set(-75002, -1)),
      "LICENSE_CLAIM",
    ],
    [
      "with an epoch beyond 32 bits",
      (rig) => altered(rig.license(), ObjectType.LICENSE, (claims) => claims.set(-75001, 2 ** 32)),
      "LICENSE_CLAIM",
    ],
  ];
  it.each(table)("%s", (_, license, verdict) => {
    const rig = Rig.ready();
    expect(rig.verdict(Command.LICENSE, license(rig))).toBe(verdict);
    if (verdict !== "OK") expect(rig.board.gateState).toBe(GateState.IDLE);
    expect(rig.info().licenseSequence > 0n).toBe(verdict === "OK");
  });

  it("online, where the agreement allows no other", () => {
    const rig = Rig.ready({ offline: false });
    expect(rig.verdict(Command.LICENSE, rig.license(offline))).toBe("LICENSE_OFFLINE_NOT_ALLOWED");
    expect(rig.verdict(Command.LICENSE, rig.license())).toBe("OK");
  });

  it("given to a governor that the agreement itself calls new enough", () => {
    const rig = Rig.ready({ svnLeast: 1 });
    expect(rig.verdict(Command.LICENSE, rig.license())).toBe("OK");
    const tooOld = Rig.ready({ svnLeast: 2 });
    tooOld.send(Command.LICENSE, tooOld.license());
    tooOld.restart();
    tooOld.send(Command.LICENSE, tooOld.license());
    expect(tooOld.board.gateState).not.toBe(GateState.OPEN);
  });

  it("given when the time is known", () => {
    const rig = Rig.ready();
    rig.powerCycle();
    expect(rig.verdict(Command.LICENSE, rig.license())).toBe("LICENSE_TIME_UNKNOWN");
    expect(rig.info().failures).toBe(0);
  });
});

describe("a license sets the allowance, it never adds to it", () => {
  const small = { budget: new Map([[BF16, 10n ** 14n]]) };

  it("what the license before left is void", () => {
    const rig = Rig.open();
    rig.must(rig.send(Command.LICENSE, rig.license(small)));
    expect(rig.info().budgetLeft[BF16]).toBe(10n ** 14n);
    expect(rig.info().budgetLeft[COPY]).toBe(0n);
    const before = rig.done(BF16);
    rig.board.submit(phaseOf(100, { work: new Map([[BF16, 10n ** 16n]]) }));
    rig.board.advance(100);
    expect(rig.done(BF16) - before).toBe(10n ** 14n);
  });

  it("a hundred licenses in a row allow what one allows", () => {
    const rig = Rig.ready();
    for (let i = 0; i < 100; i++) rig.must(rig.send(Command.LICENSE, rig.license(small)));
    rig.board.submit(phaseOf(100, { work: new Map([[BF16, 10n ** 16n]]) }));
    rig.board.advance(100);
    expect(rig.done(BF16)).toBe(10n ** 14n);
    expect(rig.board.gateState).toBe(GateState.IDLE);
    expect(rig.lastReason).toBe("GATE_LICENSE_ENDED");
  });

  it("what was granted already of the license before is taken back", () => {
    const rig = Rig.open();
    expect(rig.board.accelerator.creditOf(BF16)).toBeGreaterThan(10n ** 14n);
    rig.must(rig.send(Command.LICENSE, rig.license(small)));
    expect(rig.board.accelerator.creditOf(BF16)).toBe(10n ** 14n);
    expect(rig.board.accelerator.creditOf(COPY)).toBe(0n);
  });

  it("drain, rate and ticks are replaced as well", () => {
    const rig = Rig.open();
    rig.must(
      rig.send(Command.LICENSE, rig.license({ drain: undefined, rate: new Map([[BF16, 10n ** 9n]]), ticksMax: 5000n })),
    );
    expect(rig.board.gateState).toBe(GateState.SLOWED);
    rig.board.advance(7);
    expect(rig.board.gateState).toBe(GateState.IDLE);
    rig.must(rig.send(Command.LICENSE, rig.license()));
    expect(rig.board.gateState).toBe(GateState.OPEN);
  });
});

describe("a license is installed once", () => {
  const forms: [string, Partial<License>][] = [
    ["online", {}],
    ["offline", offline],
  ];
  it.each(forms)("%s: not again in the same session", (_, form) => {
    const rig = Rig.ready();
    const license = rig.license(form);
    rig.must(rig.send(Command.LICENSE, license));
    expect(rig.verdict(Command.LICENSE, license)).toBe("LICENSE_SEQUENCE_REPLAYED");
  });

  it.each(forms)("%s: not again after a reset, nor after two hundred", (_, form) => {
    const rig = Rig.ready();
    const license = rig.license(form);
    rig.must(rig.send(Command.LICENSE, license));
    rig.restart();
    expect(rig.verdict(Command.LICENSE, license)).toBe("LICENSE_SEQUENCE_REPLAYED");
    for (let i = 0; i < 200; i++) rig.powerCycle();
    rig.must(rig.syncTime());
    expect(rig.verdict(Command.LICENSE, license)).toBe("LICENSE_SEQUENCE_REPLAYED");
  });

  it("a challenge is good for one license, and until the next power-up", () => {
    const rig = Rig.ready();
    const { challenge } = rig.info();
    rig.must(rig.send(Command.LICENSE, rig.license()));
    expect(rig.verdict(Command.LICENSE, rig.license({ nonce: challenge }))).toBe("LICENSE_NONCE");
    const stale = rig.license();
    rig.restart();
    expect(rig.verdict(Command.LICENSE, stale)).toBe("LICENSE_NONCE");
  });

  it.each(forms)(
    "%s: wherever the power is cut, it was not installed and is taken once, or it was and is refused",
    (_, form) => {
      const rig = Rig.ready();
      const license = rig.license(form);
      const cuts = cutEverywhere(
        rig,
        () => rig.must(rig.send(Command.LICENSE, license)),
        () => {
          rig.restart();
          const installed = rig.info().licenseSequence === 1n;
          const verdict = rig.verdict(Command.LICENSE, license);
          if (installed) expect(verdict).toBe("LICENSE_SEQUENCE_REPLAYED");
          // A challenge does not survive the power cut; the sequence was never spent.
          else expect(verdict).toBe(form === offline ? "OK" : "LICENSE_NONCE");
          expect(rig.verdict(Command.LICENSE, license)).not.toBe("OK");
          const left = rig.info().budgetLeft[BF16]!;
          const slice = 6n * 10n ** 16n;
          // Credit that was out when the power went counts as done.
          if (installed || verdict === "OK") expect(36n * 10n ** 17n - left).toBeLessThanOrEqual(slice);
          else expect(left).toBe(0n);
        },
      );
      expect(cuts).toBeGreaterThan(5);
    },
  );

  it("nothing is granted before the license is in the journal and the counter has stepped", () => {
    const rig = Rig.ready();
    const license = rig.license();
    const before = rig.board.counter.read();
    let grants = 0;
    rig.board.subscribe({
      observe: (event) => {
        if (event.kind === "granted") grants++;
      },
    });
    const stepped: boolean[] = [];
    cutEverywhere(
      rig,
      () => {
        grants = 0;
        rig.must(rig.send(Command.LICENSE, license));
      },
      () => {
        stepped.push(rig.board.counter.read() > before);
        if (!stepped.at(-1)) expect(grants).toBe(0);
      },
    );
    expect(stepped).toContain(true);
    expect(stepped).toContain(false);
  });
});

describe("the time of a license", () => {
  it("its expiry ends it, by the upper bound of the time", () => {
    const rig = Rig.ready();
    rig.must(rig.send(Command.LICENSE, rig.license({ expirySeconds: rig.nowSeconds + 60 })));
    rig.board.advance(50);
    expect(rig.board.gateState).toBe(GateState.OPEN);
    rig.board.advance(12);
    expect(rig.board.gateState).toBe(GateState.IDLE);
    expect(rig.lastReason).toBe("GATE_LICENSE_ENDED");
  });

  it.each([-100, 0, 100])(
    "an oscillator off by %i ppm never carries it past its expiry by more than a timer period",
    (ppm) => {
      const rig = Rig.ready(
        { leaseSeconds: 200_000, licenseTicksMax: 10n ** 9n },
        { drift: { model: "constant", ppm } },
      );
      const expirySeconds = rig.nowSeconds + 100_000;
      rig.must(rig.send(Command.LICENSE, rig.license({ expirySeconds, ticksMax: 10n ** 9n })));
      rig.board.advance(99_970);
      expect(rig.board.gateState).toBe(GateState.OPEN);
      rig.board.advance(32);
      expect(rig.board.gateState).toBe(GateState.IDLE);
    },
  );

  it("its not-before opens it only when that has surely come", () => {
    const rig = Rig.ready({ leaseSeconds: 200_000 });
    const license = rig.license({ notBeforeSeconds: rig.nowSeconds + 1000 });
    rig.board.advance(1000);
    expect(rig.verdict(Command.LICENSE, license)).toBe("LICENSE_NOT_YET_VALID");
    rig.board.advance(2);
    expect(rig.verdict(Command.LICENSE, license)).toBe("OK");
  });

  it("its ticks end it", () => {
    const rig = Rig.ready();
    rig.must(rig.send(Command.LICENSE, rig.license({ ticksMax: 30_000n })));
    rig.board.advance(29);
    expect(rig.board.gateState).toBe(GateState.OPEN);
    rig.board.advance(2);
    expect(rig.board.gateState).toBe(GateState.IDLE);
  });

  it.each([
    ["at work", true],
    ["idling", false],
  ])("its ticks are spent across power cuts, %s", (_, atWork) => {
    const rig = Rig.ready({ leaseSeconds: 100_000 });
    rig.must(rig.send(Command.LICENSE, rig.license({ ticksMax: 600_000n })));
    let openSeconds = 0;
    for (let i = 0; i < 20; i++) {
      if (atWork) rig.board.submit(phaseOf(3600));
      for (let s = 0; s < 50; s++) {
        if (rig.board.gateState === GateState.OPEN) openSeconds++;
        rig.board.advance(2);
        if (rig.board.gateState === GateState.OPEN) openSeconds++;
      }
      rig.restart();
    }
    expect(openSeconds).toBeLessThanOrEqual(602);
  });

  it("an unused license does not last longer for being power-cycled", () => {
    const rig = Rig.ready({ leaseSeconds: 100_000 });
    rig.must(rig.send(Command.LICENSE, rig.license({ ticksMax: 600_000n })));
    rig.board.advance(590);
    rig.restart();
    rig.board.advance(62);
    expect(rig.board.gateState).toBe(GateState.IDLE);
  });
});

describe("what a license does not name stands still", () => {
  it.each([
    ["an integer class", INT8],
    ["another tensor class", EngineClass.TENSOR_FP8],
    ["a link", EngineClass.LINK_RX],
    ["a class that the agreement names and the license does not", LINK],
  ])("%s is refused, and counted", (_, engineClass) => {
    const rig = Rig.open();
    rig.board.submit(
      phaseOf(10, {
        work: new Map([
          [BF16, 10n ** 15n],
          [engineClass, 1000n],
        ]),
      }),
    );
    rig.board.advance(30);
    expect(rig.done(engineClass)).toBe(0n);
    const { report } = rig.report();
    expect(report.denied[engineClass]).toBe(1n);
    expect(report.totals[engineClass]).toBe(0n);
  });

  it("each refused attempt is counted", () => {
    const rig = Rig.open();
    for (let i = 0; i < 5; i++) {
      rig.board.submit(phaseOf(10, { work: new Map([[INT8, 1000n]]) }));
      rig.board.advance(5);
      rig.board.withdraw();
    }
    expect(rig.report().report.denied[INT8]).toBe(5n);
  });
});

describe("the rate of a license", () => {
  it("bounds the work in any stretch of time to it and one slice", () => {
    const rig = Rig.ready();
    const rate = 10n ** 10n;
    rig.must(rig.send(Command.LICENSE, rig.license({ rate: new Map([[BF16, rate]]) })));
    expect(rig.board.gateState).toBe(GateState.SLOWED);
    const at: bigint[] = [0n];
    rig.board.submit(phaseOf(3600, { work: new Map([[BF16, 3600n * 10n ** 14n]]) }));
    for (let minute = 0; minute < 30; minute++) {
      rig.board.advance(60);
      rig.must(rig.send(Command.BEACON, rig.beacon()));
      at.push(rig.done(BF16));
    }
    for (let from = 0; from < at.length; from++) {
      for (let to = from + 1; to < at.length; to++) {
        expect(at[to]! - at[from]!).toBeLessThanOrEqual(rate * 60_000n * BigInt(to - from + 1));
      }
    }
    expect(at.at(-1)).toBeGreaterThanOrEqual(rate * 60_000n * 28n);
  });

  it("is not worked around by power cuts", () => {
    const rig = Rig.ready();
    const rate = 10n ** 10n;
    rig.must(rig.send(Command.LICENSE, rig.license({ rate: new Map([[BF16, rate]]) })));
    const start = rig.board.seconds;
    for (let i = 0; i < 40; i++) {
      rig.restart();
      rig.board.submit(phaseOf(1));
      rig.board.advance(2);
    }
    const ticks = BigInt(Math.ceil((rig.board.seconds - start) * 1000));
    expect(rig.done(BF16)).toBeLessThanOrEqual(rate * (ticks + 60_000n));
  });

  it("and a slow order's: the lower one counts", () => {
    const rig = Rig.ready();
    rig.obey(OrderAction.SLOW, { permille: 1 });
    rig.must(rig.send(Command.LICENSE, rig.license({ rate: new Map([[BF16, 10n ** 10n]]) })));
    rig.board.submit(phaseOf(3600, { work: new Map([[BF16, 3600n * 10n ** 14n]]) }));
    rig.board.advance(240);
    expect(rig.done(BF16)).toBeLessThanOrEqual(10n ** 9n * 300_000n);
    expect(rig.done(BF16)).toBeGreaterThan(10n ** 9n * 180_000n);
  });
});
