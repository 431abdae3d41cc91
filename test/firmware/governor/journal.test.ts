import { describe, expect, it } from "vitest";
import { FlashShape } from "../../../firmware/protocol/board.ts";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { readJournal } from "../../../host/cli/journal.ts";
import { signAgreement } from "../../../host/objects/agreement.ts";
import { Random } from "../../../sim-board/random.ts";
import { agreementOf, PARTIES, phaseOf, Rig } from "../../rig.ts";
import { cutEverywhere, goesOn, wear } from "./bench.ts";

const BF16 = EngineClass.TENSOR_BF16;
const PAUSE = OrderAction.PAUSE;
const RESUME = OrderAction.RESUME;

describe("the journal", () => {
  it("goes round its sectors many times, wearing them evenly", () => {
    const rig = Rig.ready({ sliceTicks: 1000n }, { flashSectors: 7 });
    wear(rig, 205);
    const erases = rig.board.flash.erases.slice(FlashShape.JOURNAL_SECTOR);
    expect(Math.min(...erases)).toBeGreaterThan(15);
    expect(Math.max(...erases) - Math.min(...erases)).toBeLessThanOrEqual(1);
    goesOn(rig);
  });

  it("goes round with a power cut at every operation of a round", () => {
    const rig = Rig.ready({ sliceTicks: 1000n }, { flashSectors: 6 });
    const cuts = cutEverywhere(
      rig,
      () => {
        for (let i = 0; i < 7; i++) {
          rig.board.advance(1);
          rig.must(rig.send(Command.REPORT));
        }
      },
      () => goesOn(rig),
    );
    expect(cuts).toBeGreaterThan(7 * 19);
  });

  it("fits two sectors, and refuses to do with less", () => {
    expect(new Rig({}, { flashSectors: 5 }).board.powerOn()).toBe(0x0503);
    goesOn(Rig.ready({}, { flashSectors: 6 }));
  });

  it("states its wear in thousandths", () => {
    const rig = Rig.ready({ sliceTicks: 1000n }, { counterLifeSteps: 1000, flashSectors: 6 });
    wear(rig, 500);
    const info = rig.info();
    expect(info.counterPermille).toBe(500);
    expect(info.flashPermille).toBe(0);
    wear(rig, 700);
    expect(rig.info().counterPermille).toBe(700);
    // 700 records, three a sector, of 2 × 100,000 erases that the part is good for: 233 ‰ of a thousandth.
    expect(rig.board.flash.erases.slice(FlashShape.JOURNAL_SECTOR).reduce((a, b) => a + b)).toBe(234);
  });
});

describe("an older flash image", () => {
  /** Images of the flash after each step of a life, with the value of the counter then. */
  function history(): { rig: Rig; images: { flash: ReturnType<Rig["board"]["flash"]["image"]>; counter: number }[] } {
    const rig = Rig.ready();
    const images = [{ flash: rig.board.flash.image(), counter: rig.board.counter.read() }];
    const keep = () => images.push({ flash: rig.board.flash.image(), counter: rig.board.counter.read() });
    rig.must(rig.send(Command.LICENSE, rig.license()));
    keep();
    for (let i = 0; i < 5; i++) {
      rig.board.run(phaseOf(40));
      keep();
      rig.must(rig.send(Command.REPORT));
      keep();
    }
    rig.must(rig.send(Command.BEACON, rig.beacon()));
    rig.obey(PAUSE);
    keep();
    rig.must(rig.send(Command.DRAIN_DONE));
    keep();
    return { rig, images };
  }

  it("is found out, and the gate stays locked until the quorum recovers it", () => {
    const { rig, images } = history();
    rig.board.cutPower();
    const now = rig.board.snapshot();
    for (const { flash, counter } of images) {
      rig.board.restore(now);
      rig.board.flash.replace(flash);
      const code = rig.board.powerOn();
      if (counter === now.counter) expect(code).toBe(0);
      else {
        expect(code).toBe(0x0501);
        expect(rig.board.gateState).toBe(GateState.LOCKED);
        expect(rig.verdict(Command.TIME_CHALLENGE)).toBe("OK");
        rig.must(rig.syncTime());
        expect(rig.verdict(Command.LICENSE, rig.license({ nonce: undefined, epoch: 0, sequence: 9n }))).toBe(
          "GATE_LOCKED",
        );
        expect(rig.board.gateState).toBe(GateState.LOCKED);
      }
    }
  });

  it("brings nothing back even if it is swapped in between record and counter step", () => {
    // Cut at each operation of accepting a pause; then the operator boots the image from before, or the one from after,
    // in any order, as often as it likes: the pause either was never accepted, or it holds.
    const rig = Rig.open();
    rig.board.submit(phaseOf(3600));
    rig.board.advance(30);
    const before = rig.board.flash.image();
    const order = rig.order(PAUSE);
    cutEverywhere(
      rig,
      () => rig.must(rig.send(Command.ORDER, order)),
      () => {
        const after = rig.board.flash.image();
        const spent = rig.done(BF16);
        let paused = false;
        for (const image of [before, after, before, after]) {
          rig.board.cutPower();
          rig.board.flash.replace(image);
          if (rig.board.powerOn() !== 0) continue;
          rig.must(rig.syncTime());
          const held = rig.board.gateState === GateState.PAUSED;
          if (paused) expect(held).toBe(true);
          paused ||= held;
          rig.board.submit(phaseOf(3600));
          rig.board.advance(10);
        }
        // Whatever was done by then is within the first license, and counted.
        expect(rig.done(BF16) - spent).toBeLessThanOrEqual(36n * 10n ** 17n);
      },
    );
  });

  it("of another device is no journal at all", () => {
    const rig = Rig.open();
    const other = Rig.open({}, { seed: 2 });
    rig.board.cutPower();
    other.board.cutPower();
    rig.board.flash.replace(other.board.flash.image());
    expect(rig.powerCycle()).toBe("JOURNAL_ROLLBACK");
  });

  it("that is blank is a loss", () => {
    const rig = Rig.open();
    const blank = new Rig().board.flash.image();
    rig.board.cutPower();
    rig.board.flash.replace(blank);
    expect(rig.powerCycle()).toBe("JOURNAL_MISSING");
    expect(rig.board.gateState).toBe(GateState.LOCKED);
    // The agreement in the fuses comes back by itself, and does not unlock a gate whose journal is lost.
    expect(rig.provision()).toBe(0);
    expect(rig.board.gateState).toBe(GateState.LOCKED);
  });

  it("whose agreement alone is erased waits for the agreement, and for no other", () => {
    const rig = Rig.open();
    rig.board.cutPower();
    rig.board.flash.erase(FlashShape.AGREEMENT_SECTOR);
    expect(rig.powerCycle()).toBe("AGREEMENT_MISSING");
    expect(rig.board.gateState).toBe(GateState.LOCKED);
    expect(rig.verdict(Command.ORDER, rig.order(PAUSE))).toBe("AGREEMENT_MISSING");
    const another = signAgreement(agreementOf({ name: "another" }), PARTIES);
    expect(rig.verdict(Command.AGREEMENT, another)).toBe("AGREEMENT_OTHER");
    rig.must(rig.provision());
    expect(rig.board.gateState).toBe(GateState.IDLE);
    rig.must(rig.syncTime());
    expect(rig.board.gateState).toBe(GateState.OPEN);
  });
});

describe("a flipped bit in the flash", () => {
  it("of the journal or the agreement locks the gate or changes nothing", () => {
    const rig = Rig.open();
    rig.board.run(phaseOf(70));
    rig.must(rig.send(Command.REPORT));
    rig.obey(PAUSE);
    rig.board.cutPower();
    const off = rig.board.snapshot();
    rig.board.powerOn();
    const whole = rig.info();
    const sectors = Array.from({ length: 8 }, (_, i) => i);
    const random = new Random("flips");
    let locked = 0;
    for (let i = 0; i < 600; i++) {
      rig.board.restore(off);
      rig.board.flash.flip(sectors[random.below(8)]! * FlashShape.SECTOR_BYTES + random.below(4096), random.below(8));
      const code = rig.board.powerOn();
      const info = rig.info();
      if (code === 0) {
        expect(info.totals).toEqual(whole.totals);
        expect(info.budgetLeft).toEqual(whole.budgetLeft);
        expect(info.epoch).toBe(whole.epoch);
        expect(info.agreementDigest).toEqual(whole.agreementDigest);
        expect(rig.board.gateState).toBe(GateState.PAUSED);
      } else {
        locked++;
        expect(["JOURNAL_ROLLBACK", "JOURNAL_MISSING", "AGREEMENT_MISSING"]).toContain(rig.lastReason);
        expect(rig.board.gateState).toBe(GateState.LOCKED);
      }
    }
    expect(locked).toBeGreaterThan(5);
  });

  it("anywhere in the newest record is a rollback", () => {
    const rig = Rig.open({}, { flashSectors: 6 });
    rig.board.cutPower();
    rig.board.powerOn();
    rig.board.cutPower();
    const off = rig.board.snapshot();
    const record = readJournal(rig.board.flash).find(({ sequence }) => sequence === BigInt(off.counter))!;
    const random = new Random("newest");
    // Up to the tag's end; what follows in the record's place is no part of it.
    for (let i = 0; i < 200; i++) {
      rig.board.restore(off);
      rig.board.flash.flip(record.address + random.below(record.bytes), random.below(8));
      expect(rig.board.powerOn()).toBe(0x0501);
    }
  });
});

describe("worn flash", () => {
  it("whose bits stick locks the gate when no record can be written any more, and not before", () => {
    const rig = Rig.ready({ sliceTicks: 1000n }, { flashSectors: 6, flashEnduranceErases: 20 });
    wear(rig, 5000);
    // The report's own sectors wear first: a report that the flash does not take is refused, and the gate goes on.
    expect(rig.board.counter.read()).toBeGreaterThan(40);
    expect(rig.verdict(Command.REPORT)).toBe("REPORT_STORE");
    expect(rig.board.gateState).toBe(GateState.IDLE);
    rig.must(rig.syncTime());
    let steps = 0;
    for (; steps < 1000 && rig.board.gateState !== GateState.LOCKED; steps++) rig.send(Command.LICENSE, rig.license());
    expect(steps).toBeGreaterThan(5);
    expect(rig.lastReason).toBe("JOURNAL_WRITE");
    expect(rig.verdict(Command.REPORT)).toBe("GATE_LOCKED");
    expect(rig.board.fault).toBeUndefined();
  });
});

describe("a counter at the end of its life", () => {
  it("closes the gate in order, and a pause, a report and evidence are still possible", () => {
    const rig = Rig.ready({}, { counterLifeSteps: 300 });
    const budget = new Map([
      [BF16, 10n ** 20n],
      [EngineClass.COPY, 10n ** 18n],
    ]);
    rig.must(
      rig.send(Command.LICENSE, rig.license({ budget, expirySeconds: rig.nowSeconds + 80_000, ticksMax: 86_400_000n })),
    );
    rig.board.submit(phaseOf(90_000));
    while (rig.board.gateState === GateState.OPEN) {
      rig.board.advance(100);
      if (rig.board.gateState === GateState.OPEN) rig.must(rig.send(Command.BEACON, rig.beacon()));
    }
    expect(rig.lastReason).toBe("JOURNAL_COUNTER_WORN");
    expect(rig.board.gateState).toBe(GateState.IDLE);
    const { report } = rig.report();
    expect(report.totals[BF16]).toBe(rig.done(BF16));
    rig.must(rig.send(Command.BEACON, rig.beacon()));
    rig.obey(PAUSE);
    expect(rig.board.gateState).toBe(GateState.PAUSED);
    rig.obey(RESUME);
    rig.must(rig.send(Command.LICENSE, rig.license()));
    expect(rig.board.gateState).toBe(GateState.IDLE);
    expect(rig.send(Command.EVIDENCE, new Uint8Array(32))).toBe(0);
  });

  it("locks the gate at its last step, for good, and its INFO says why", () => {
    const rig = Rig.ready({ sliceTicks: 1000n }, { counterLifeSteps: 300 });
    wear(rig, 301);
    expect(rig.lastReason).toBe("JOURNAL_COUNTER_WORN");
    expect(rig.board.counter.read()).toBe(300);
    expect(rig.board.gateState).toBe(GateState.LOCKED);
    expect(rig.powerCycle()).toBe("JOURNAL_COUNTER_WORN");
    expect(rig.board.gateState).toBe(GateState.LOCKED);
    expect(rig.info().counterPermille).toBe(1000);
  });
});

describe("a counter that misses a step", () => {
  it("locks the gate until the next power-up, which makes the step up: it is no fault of the meter", () => {
    const rig = Rig.open();
    const { counter } = rig.board;
    const step = counter.step.bind(counter);
    counter.step = () => {};
    expect(rig.verdict(Command.LICENSE, rig.license())).toBe("JOURNAL_COUNTER");
    expect(rig.board.gateState).toBe(GateState.LOCKED);
    counter.step = step;
    const records = () => readJournal(rig.board.flash).map(({ address }) => address);
    const before = records();
    expect(rig.powerCycle()).toBe("OK");
    // It goes on behind the record that was ahead, and nothing is erased.
    expect(records().slice(0, before.length)).toEqual(before);
    goesOn(rig);
  });
});

describe("a journal of which one record is left, which is old", () => {
  it.each([0, 1, 2])("is a rollback, not a loss, whichever place it has (%i)", (kept) => {
    const rig = Rig.ready({}, { flashSectors: 6 });
    const { flash } = rig.board;
    wear(rig, 12);
    rig.board.cutPower();
    const records = readJournal(flash).filter(
      ({ address }) => address % FlashShape.SECTOR_BYTES === kept * FlashShape.RECORD_BYTES,
    );
    const old = records[0]!;
    for (const { address } of readJournal(flash)) {
      // A word of zeros over the mark.
      if (address !== old.address) flash.program(address, new Uint8Array(4));
    }
    rig.board.counter.step();
    rig.board.counter.step();
    expect(rig.powerCycle()).toBe("JOURNAL_ROLLBACK");
  });
});

describe("a place that does not take a record", () => {
  it.each([0, 100, 190])("for a cell at byte %i that stays as it is, is passed over", (offset) => {
    const rig = Rig.ready({}, { flashSectors: 7 });
    const { flash } = rig.board;
    const places = () => readJournal(flash).map(({ address }) => address);
    wear(rig, 6);
    const last = readJournal(flash).at(-1)!.address;
    // The next place in the sector, or the first of the next one.
    const isLast = last % FlashShape.SECTOR_BYTES === 2 * FlashShape.RECORD_BYTES;
    const next = isLast
      ? (Math.floor(last / FlashShape.SECTOR_BYTES) + 1) * FlashShape.SECTOR_BYTES
      : last + FlashShape.RECORD_BYTES;
    for (let bit = 0; bit < 8; bit++) flash.stick(next + offset, bit, 1);
    // One record, and nothing after it.
    const { sequence } = rig.report().report;
    expect(rig.powerCycle()).toBe("OK");
    expect(rig.info().reportHead.sequence).toBe(sequence);
    expect(places()).not.toContain(offset === 0 ? next : undefined);
    goesOn(rig);
  });
});

describe("a slice that can't be recorded", () => {
  it.each([
    ["the flash takes nothing any more", "JOURNAL_WRITE"],
    ["the counter misses its step", "JOURNAL_COUNTER"],
  ])("since %s locks the gate as what it is, is not granted, and counts as nothing", (_, reason) => {
    const rig = Rig.open({ sliceTicks: 1000n });
    rig.board.run(phaseOf(5));
    const { counter, flash } = rig.board;
    const honest = { step: counter.step.bind(counter), program: flash.program.bind(flash) };
    if (reason === "JOURNAL_COUNTER") counter.step = () => {};
    else flash.program = () => {};
    rig.board.submit(phaseOf(100));
    rig.board.advance(3);
    expect(rig.board.gateState).toBe(GateState.LOCKED);
    expect(rig.lastReason).toBe(reason);
    counter.step = honest.step;
    flash.program = honest.program;
    expect(rig.powerCycle()).toBe("OK");
    // At most the slice that was out when it failed.
    const { totals } = rig.info();
    expect(totals[BF16]! - rig.done(BF16)).toBeLessThanOrEqual(10n ** 15n);
    goesOn(rig);
  });
});
