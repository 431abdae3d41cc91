import { describe, expect, it } from "vitest";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import type { License } from "../../../host/objects/license.ts";
import { phaseOf, Rig } from "../../rig.ts";
import { cutEverywhere } from "./bench.ts";

const BF16 = EngineClass.TENSOR_BF16;
const COPY = EngineClass.COPY;
const LINK = EngineClass.LINK_TX;
const INT8 = EngineClass.TENSOR_INT8;
const _OTHER = new Uint8Array(33).fill(1);
const offline = { nonce: undefined };

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
      const expirySeconds = rig.nowSeconds + 20_000;
      rig.must(rig.send(Command.LICENSE, rig.license({ expirySeconds, ticksMax: 10n ** 9n })));
      rig.board.advance(19_990);
      expect(rig.board.gateState).toBe(GateState.OPEN);
      rig.board.advance(12);
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
