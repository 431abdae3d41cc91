import { describe, expect, it } from "vitest";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { encodeEvidence, verifyEvidence } from "../../../host/objects/evidence.ts";
import { checkInterval, intervalTree, proveInterval } from "../../../host/objects/intervals.ts";
import { encodeUsageReport, reportDigest, verifyUsageReport } from "../../../host/objects/usage-report.ts";
import { type CborValue, decode, type Tagged } from "../../../host/protocol/cbor.ts";
import { phaseOf, type Reported, Rig } from "../../rig.ts";
import { cutEverywhere } from "./bench.ts";

const BF16 = EngineClass.TENSOR_BF16;
const COPY = EngineClass.COPY;
const EMPTY = new Uint8Array(32);
const payloadOf = (message: Uint8Array) => ((decode(message) as Tagged).value as CborValue[])[2] as Uint8Array;
const truth = (rig: Rig) => Array.from({ length: 12 }, (_, c) => rig.done(c as EngineClass));

/** The tree over the intervals is the committed one, and its sums are what was done since the report before. */
function addsUp({ report, intervals }: Reported, before: readonly bigint[]): void {
  const root = intervalTree(intervals);
  expect(report.intervalCount).toBe(intervals.length);
  expect(root.hash).toEqual(report.intervalRoot);
  expect(root.work).toEqual(report.totals.map((total, c) => total - before[c]!));
  intervals.forEach((interval, i) => {
    expect(checkInterval(interval, proveInterval(intervals, i), root)).toBe(true);
  });
}

describe("a usage report", () => {
  it("says what the accelerator itself counted, and chains to the one before", () => {
    const rig = Rig.open();
    let previous: Uint8Array = EMPTY;
    let before: readonly bigint[] = new Array<bigint>(12).fill(0n);
    for (let sequence = 1n; sequence <= 6n; sequence++) {
      rig.board.run(phaseOf(40));
      const reported = rig.report();
      expect(reported.report.sequence).toBe(sequence);
      expect(reported.report.previous).toEqual(previous);
      expect(reported.report.totals).toEqual(truth(rig));
      expect(reported.report.ueid).toEqual(rig.ueid);
      expect(reported.report.licenseSequence).toBe(1n);
      addsUp(reported, before);
      previous = reportDigest(reported.bytes);
      before = reported.report.totals;
      expect(rig.info().reportHead).toEqual({ sequence, digest: previous });
    }
  });

  it("can be taken in the middle of the work, and counts up to that moment", () => {
    const rig = Rig.open();
    rig.board.submit(phaseOf(1000));
    let before: readonly bigint[] = new Array<bigint>(12).fill(0n);
    for (let i = 0; i < 5; i++) {
      rig.board.advance(13.377);
      const reported = rig.report();
      expect(reported.report.totals).toEqual(truth(rig));
      addsUp(reported, before);
      before = reported.report.totals;
    }
  });

  it("after a power cut begins with what the one before does not cover, class by class", () => {
    const rig = Rig.open();
    rig.board.run(phaseOf(70));
    const before = rig.report().report.totals;
    rig.board.run(
      phaseOf(70, {
        work: new Map([
          [BF16, 10n ** 15n],
          [COPY, 10n ** 9n],
        ]),
      }),
    );
    rig.restart();
    const { report, intervals } = rig.report();
    const sums = report.totals.map((_, c) => intervals.reduce((sum, { work }) => sum + work[c]!, 0n));
    expect(sums).toEqual(report.totals.map((total, c) => total - before[c]!));
    expect(sums[BF16]!).toBeGreaterThanOrEqual(10n ** 15n);
    expect(intervals[0]!.work).toEqual(sums);
  });

  it("without work has no intervals, and their root is that of nothing", () => {
    const rig = Rig.open();
    const reported = rig.report();
    expect(reported.report.intervalCount).toBe(0);
    addsUp(reported, reported.report.totals);
  });

  it.each([1, 5, 9, 17, 40])("over %i slices merges neighbors rather than leave one out", (slices) => {
    // Slices of a second; work enough for many of them.
    const rig = Rig.open({ sliceTicks: 1000n, leaseSeconds: 10_000 });
    rig.board.run(phaseOf(slices * 0.6, { measured: true, work: new Map([[BF16, BigInt(slices) * 6n * 10n ** 14n]]) }));
    const reported = rig.report();
    expect(reported.report.totals).toEqual(truth(rig));
    expect(reported.intervals.length).toBeLessThanOrEqual(8);
    if (slices > 8) expect(reported.intervals.length).toBeGreaterThanOrEqual(4);
    const ends = reported.intervals.map((interval) => interval.endTick);
    expect(ends).toEqual([...ends].sort((a, b) => Number(a - b)));
    addsUp(reported, new Array<bigint>(12).fill(0n));
  });

  it("states what was denied and what had to wait", () => {
    const rig = Rig.ready();
    rig.must(rig.send(Command.LICENSE, rig.license({ budget: new Map([[BF16, 10n ** 14n]]) })));
    rig.board.submit(phaseOf(10, { work: new Map([[BF16, 10n ** 15n]]) }));
    rig.board.advance(30);
    rig.board.withdraw();
    rig.board.submit(phaseOf(10, { work: new Map([[COPY, 10n ** 9n]]) }));
    rig.board.advance(30);
    const { report } = rig.report();
    expect(report.throttled[BF16]).toBe(1n);
    expect(report.denied[COPY]).toBe(1n);
    expect(report.denied.filter((count) => count > 0n).length).toBe(1);
  });

  it("lists the gate's moves with their reasons, and counts those that it has no room for", () => {
    const rig = Rig.open();
    rig.obey(OrderAction.PAUSE);
    rig.must(rig.send(Command.DRAIN_DONE));
    rig.obey(OrderAction.RESUME);
    const { report } = rig.report();
    const moves = report.transitions.map(({ from, to }) => [from, to]);
    expect(moves).toEqual([
      [GateState.LOCKED, GateState.IDLE],
      [GateState.IDLE, GateState.OPEN],
      [GateState.OPEN, GateState.DRAINING],
      [GateState.DRAINING, GateState.PAUSED],
      [GateState.PAUSED, GateState.IDLE],
    ]);
    expect(report.transitions[3]!.code).toBe(0x0a0c);
    const certificate = rig.ask(Command.IDENTITY)[1];
    for (let i = 0; i < 10; i++) {
      rig.obey(OrderAction.PAUSE);
      rig.obey(OrderAction.RESUME);
    }
    // What has no room is written nowhere else.
    expect(rig.ask(Command.IDENTITY)[1]).toEqual(certificate);
    const next = rig.report().report;
    expect(next.transitionCount).toBe(20);
    expect(next.transitions.length).toBe(8);
    rig.board.advance(60);
    expect(rig.report().report.transitionCount).toBe(0);
  });

  it("is encoded as the host encodes it, byte for byte, and so is evidence", () => {
    const rig = Rig.open();
    rig.board.run(phaseOf(40));
    rig.obey(OrderAction.PAUSE);
    const { bytes } = rig.report();
    const key = rig.attestationKey();
    expect(encodeUsageReport(verifyUsageReport(bytes, key))).toEqual(payloadOf(bytes));
    for (const length of [8, 32, 64]) {
      const evidence = rig.ask(Command.EVIDENCE, new Uint8Array(length).fill(3))[1] as Uint8Array;
      expect(encodeEvidence(verifyEvidence(evidence, key))).toEqual(payloadOf(evidence));
    }
    rig.powerCycle();
    const unknown = rig.ask(Command.EVIDENCE, new Uint8Array(8).fill(3))[1] as Uint8Array;
    expect(verifyEvidence(unknown, key).timeBounds).toBeNull();
    expect(encodeEvidence(verifyEvidence(unknown, key))).toEqual(payloadOf(unknown));
  });

  it("is what evidence says too", () => {
    const rig = Rig.open();
    rig.board.run(phaseOf(40));
    const { report } = rig.report();
    const evidence = verifyEvidence(
      rig.ask(Command.EVIDENCE, new Uint8Array(8))[1] as Uint8Array,
      rig.attestationKey(),
    );
    expect(evidence.totals).toEqual(report.totals);
    expect(evidence.budgetLeft[BF16]).toBe(36n * 10n ** 17n - report.totals[BF16]!);
    expect(evidence.nonce).toEqual(new Uint8Array(8));
  });
});

describe("a report with nothing new in it", () => {
  it("is the newest one again, and wears neither counter nor flash", () => {
    const rig = Rig.open();
    rig.board.run(phaseOf(10));
    const { bytes } = rig.report();
    const steps = rig.board.counter.read();
    for (let i = 0; i < 20; i++) {
      rig.board.advance(1);
      expect(rig.report().bytes).toEqual(bytes);
    }
    expect(rig.board.counter.read()).toBe(steps);
    rig.board.run(phaseOf(1));
    expect(rig.report().report.sequence).toBe(2n);
  });
});

describe("a report that was lost on the way", () => {
  it("is given again, byte for byte, also after power cuts", () => {
    const rig = Rig.open();
    rig.board.run(phaseOf(40));
    const { bytes, intervalBytes } = rig.report();
    for (let i = 0; i < 3; i++) {
      const again = rig.report(Command.REPORT_AGAIN);
      expect(again.bytes).toEqual(bytes);
      expect(again.intervalBytes).toEqual(intervalBytes);
      rig.powerCycle();
    }
  });

  it("is REPORT_NONE before the first", () => {
    expect(Rig.ready().verdict(Command.REPORT_AGAIN)).toBe("REPORT_NONE");
  });

  it("is said to be lost where somebody erased it from the flash; the next one shows the gap", () => {
    const rig = Rig.open();
    const { bytes } = rig.report();
    rig.board.flash.erase(2);
    rig.board.flash.erase(3);
    expect(rig.verdict(Command.REPORT_AGAIN)).toBe("REPORT_STORE");
    rig.board.advance(60);
    expect(rig.report().report.previous).toEqual(reportDigest(bytes));
  });
});

describe("a power cut in the middle of a report", () => {
  it.each([0, 1, 2])(
    "never lets two reports of one sequence leave, and loses no work (after %i reports)",
    (earlier) => {
      const rig = Rig.open();
      const left = new Map<bigint, Uint8Array>();
      const leave = ({ bytes, report }: Reported) => {
        const known = left.get(report.sequence);
        if (known) expect(bytes).toEqual(known);
        left.set(report.sequence, bytes);
      };
      for (let i = 0; i < earlier; i++) {
        rig.board.run(phaseOf(10));
        leave(rig.report());
      }
      rig.board.run(phaseOf(10));
      const before = [...left];
      const cuts = cutEverywhere(
        rig,
        () => leave(rig.report()),
        () => {
          left.clear();
          for (const [sequence, bytes] of before) left.set(sequence, bytes);
          rig.restart();
          // Whether it was chained or not: what can be fetched is the head, whole, and the next one follows it.
          const head = rig.info().reportHead;
          if (head.sequence > 0n) {
            const again = rig.report(Command.REPORT_AGAIN);
            expect(reportDigest(again.bytes)).toEqual(head.digest);
            leave(again);
          }
          const next = rig.report();
          leave(next);
          expect(next.report.previous).toEqual(head.digest);
          expect(next.report.sequence).toBe(head.sequence + 1n);
          for (let c = 0; c < 12; c++)
            expect(next.report.totals[c]!).toBeGreaterThanOrEqual(rig.done(c as EngineClass));
        },
      );
      expect(cuts).toBeGreaterThan(18);
    },
  );

  it("and again in the middle of the next", () => {
    const rig = Rig.open();
    rig.board.run(phaseOf(10));
    rig.report();
    const from = rig.board.snapshot();
    for (let first = 0; first < 26; first += 5) {
      for (let second = 0; second < 26; second += 5) {
        rig.board.restore(from);
        for (const cut of [first, second]) {
          rig.board.supply.cutAfterOperations(cut);
          try {
            rig.send(Command.REPORT);
          } catch {
            // The plug.
          }
          rig.board.supply.clear();
          rig.restart();
        }
        const again = rig.report(Command.REPORT_AGAIN);
        rig.board.advance(60);
        const next = rig.report();
        expect(next.report.previous).toEqual(reportDigest(again.bytes));
      }
    }
  });
});

describe("work that no report can hold", () => {
  it("is not granted before the work so far is reported", () => {
    // Five slices of 2^62 and the sum of one report would pass 64 bits.
    const rate = 2n ** 62n / 60_000n;
    const rig = Rig.ready({ caps: new Map([[BF16, { budgetMax: 2n ** 100n, rateMax: rate }]]), drain: new Map() });
    rig.must(rig.send(Command.LICENSE, rig.license({ budget: new Map([[BF16, 2n ** 100n]]), drain: undefined })));
    rig.board.submit(phaseOf(1000, { measured: true, work: new Map([[BF16, rate * 1_000_000n]]) }));
    for (let i = 0; i < 10; i++) {
      rig.board.advance(60);
      rig.must(rig.send(Command.BEACON, rig.beacon()));
    }
    expect(rig.done(BF16)).toBeLessThan(2n ** 64n);
    expect(rig.lastReason).toBe("GATE_REPORT_DUE");
    const first = rig.report();
    addsUp(first, new Array<bigint>(12).fill(0n));
    rig.board.withdraw();
    rig.board.submit(phaseOf(100, { measured: true, work: new Map([[BF16, rate * 100_000n]]) }));
    rig.board.advance(90);
    expect(rig.done(BF16)).toBeGreaterThan(first.report.totals[BF16]!);
    addsUp(rig.report(), first.report.totals);
  });
});
