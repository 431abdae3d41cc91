/** What a journal record holds: all of the Ledger, and no more than that. */
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { FlashShape, Handoff } from "../../../firmware/protocol/board.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { type JournalRecord, readJournal } from "../../../host/cli/journal.ts";
import { runBootRom } from "../../../sim-board/boot-rom.ts";
import { PowerCut } from "../../../sim-board/errors.ts";
import { Random } from "../../../sim-board/random.ts";
import { phaseOf, Rig } from "../../rig.ts";
import { cutEverywhere, goesOn } from "./bench.ts";

const ALL = Array.from({ length: EngineClass.COUNT }, (_, c) => c as EngineClass);
const BUDGET_MAX = 2n ** 128n - 1n;
/** Offset in a record of the word that says whose accounts it holds. */
const CLASS_BITS = 196;
/** The Ledger in State and record: scalars and digests, then accounts. */
const LEDGER_HEAD_BYTES = 188;

function newest(rig: Rig): JournalRecord {
  return readJournal(rig.board.flash).at(-1)!;
}

/** Licensed for all there is, to the last bit, and at work in every class. */
function allClasses(): Rig {
  const each = <T>(value: (c: EngineClass) => T) => new Map(ALL.map((c) => [c, value(c)]));
  const rig = Rig.ready({
    caps: each(() => ({ budgetMax: BUDGET_MAX, rateMax: 2n ** 40n })),
    drain: each(() => 2n ** 64n - 1n),
    baseline: each((c) => BigInt(c) + 1n),
  });
  const budget = each((c) => BUDGET_MAX - BigInt(c));
  const [rate, drain] = [each((c) => 2n ** 40n - 1n - BigInt(c)), each((c) => 2n ** 64n - 1n - BigInt(c))];
  rig.must(rig.send(Command.LICENSE, rig.license({ budget, rate, drain })));
  const work = each((c) => 10n ** 9n + BigInt(c));
  // As long as it takes an accelerator that has a rate for every class.
  expect(rig.board.run(phaseOf(20, { measured: true, work })).completed).toBe(true);
  return rig;
}

/** The Ledger of a State block: after the head, to the end of the accounts. */
function ledgerOf(rig: Rig): Uint8Array {
  return rig.board.state()!.subarray(16, 16 + LEDGER_HEAD_BYTES + EngineClass.COUNT * 80);
}

describe("a journal record", () => {
  it("is as long as the device has classes of which there is something to keep", () => {
    const rig = Rig.ready();
    expect(newest(rig).bytes).toBe(232);
    rig.must(
      rig.send(Command.LICENSE, rig.license({ budget: new Map([[EngineClass.COPY, 10n ** 9n]]), drain: new Map() })),
    );
    expect(newest(rig).bytes).toBe(312);
    rig.must(rig.send(Command.LICENSE, rig.license()));
    expect(newest(rig).bytes).toBe(392);
  });

  it("stands behind the one before, three in a sector, also after a power-up; the page's rest is blank", () => {
    const rig = Rig.ready({}, { flashSectors: 7 });
    const places = Array.from({ length: 12 }, (_, i) => {
      if (i % 2 === 0) rig.must(rig.send(Command.LICENSE, rig.license()));
      else rig.restart();
      const { address, bytes } = newest(rig);
      const rest = new Uint8Array(FlashShape.PAGE_BYTES - (bytes % FlashShape.PAGE_BYTES));
      rig.board.flash.read(address + bytes, rest);
      expect(rest.every((byte) => byte === 0xff)).toBe(true);
      const inSector = address % FlashShape.SECTOR_BYTES;
      expect(inSector % FlashShape.RECORD_BYTES).toBe(0);
      const sector = Math.floor(address / FlashShape.SECTOR_BYTES) - FlashShape.JOURNAL_SECTOR;
      return sector * FlashShape.RECORDS_PER_SECTOR + inSector / FlashShape.RECORD_BYTES;
    });
    const slots = (7 - FlashShape.JOURNAL_SECTOR) * FlashShape.RECORDS_PER_SECTOR;
    for (const [i, place] of places.slice(1).entries()) {
      const steps = (place - places[i]! + slots) % slots;
      // A license is one record or two, a power cycle at least one of its own.
      expect(steps).toBeGreaterThan(0);
      expect(steps).toBeLessThanOrEqual(3);
    }
  });

  it("bears the HMAC of all before it under the sealing key, which is the device's and the image's", () => {
    const { board } = Rig.open();
    board.cutPower();
    board.fuses.reset();
    const cdi = runBootRom(board.fuses, board.image.sha256).subarray(Handoff.CDI, Handoff.CDI + 32);
    const key = hkdf(sha256, cdi, undefined, new TextEncoder().encode("quiesce/sealing-key"), 32);
    const records = readJournal(board.flash);
    expect(records.length).toBeGreaterThan(3);
    for (const { address, bytes } of records) {
      const record = new Uint8Array(bytes);
      board.flash.read(address, record);
      expect(record.subarray(-32)).toEqual(hmac(sha256, key, record.subarray(0, -32)));
    }
  });

  it("keeps a total whose license and budget are long gone", () => {
    const rig = Rig.open();
    rig.board.run(phaseOf(10));
    rig.must(
      rig.send(Command.LICENSE, rig.license({ budget: new Map([[EngineClass.LINK_TX, 1n]]), drain: new Map() })),
    );
    rig.restart();
    expect(rig.info().totals[EngineClass.TENSOR_BF16]!).toBeGreaterThanOrEqual(rig.done(EngineClass.TENSOR_BF16));
    goesOn(rig);
  });

  it.each(ALL)("keeps five operations of class %i, if there is nothing else to keep, and only these", (c) => {
    const caps = new Map(ALL.map((one) => [one, { budgetMax: 10n, rateMax: 2n ** 40n }]));
    const rig = Rig.ready({ caps, drain: new Map() });
    rig.must(rig.send(Command.LICENSE, rig.license({ budget: new Map([[c, 5n]]), drain: undefined })));
    rig.board.run(phaseOf(1, { measured: true, work: new Map([[c, 5n]]) }));
    // The license ends with the last of its work, and a record says so.
    rig.board.advance(2);
    expect(newest(rig).bytes).toBe(312);
    expect(rig.powerCycle()).toBe("OK");
    expect(rig.info().totals).toEqual(ALL.map((one) => (one === c ? 5n : 0n)));
    expect(newest(rig).bytes).toBe(312);
  });

  it("of all classes at their largest fits its place and brings every bit back", () => {
    const rig = allClasses();
    rig.must(rig.send(Command.REPORT));
    expect(newest(rig).bytes).toBe(1192);
    const before = ledgerOf(rig).slice();
    rig.board.cutPower();
    expect(rig.board.powerOn()).toBe(0);
    const after = ledgerOf(rig);
    const [was, is] = [before, after].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
    for (const c of ALL) {
      const account = LEDGER_HEAD_BYTES + c * 80;
      const total = (view: DataView) => view.getBigUint64(account, true);
      const outstanding = (view: DataView) => view.getBigUint64(account + 72, true);
      // What was out counts as done; all else is as it was.
      expect(total(is!)).toBe(total(was!) + outstanding(was!));
      expect(outstanding(is!)).toBe(0n);
      expect(after.subarray(account + 16, account + 72)).toEqual(before.subarray(account + 16, account + 72));
      expect(was!.getBigUint64(account + 40, true)).toBeGreaterThan(0n);
    }
    expect(after.subarray(92, LEDGER_HEAD_BYTES)).toEqual(before.subarray(92, LEDGER_HEAD_BYTES));
  });

  it("of five pages may be cut short at any of them, and any byte", () => {
    const rig = allClasses();
    const start = rig.board.snapshot();
    const goOn = () => {
      rig.restart();
      for (const c of ALL) expect(rig.info().totals[c]!).toBeGreaterThanOrEqual(rig.done(c));
      expect(rig.info().licenseSequence).toBe(1n);
    };
    // One report: a sector of its own, 17 operations, then a record of five pages and a step of the counter.
    const report = () => rig.must(rig.send(Command.REPORT));
    expect(cutEverywhere(rig, report, goOn)).toBeGreaterThanOrEqual(17 + 6);
    const random = new Random("bytes");
    for (let i = 0; i < 60; i++) {
      rig.board.restore(start);
      // Two sectors' worth go to the report: erase and program.
      rig.board.supply.cutAfterFlashBytes(2 * FlashShape.SECTOR_BYTES + random.below(1280));
      expect(report).toThrow(PowerCut);
      goOn();
    }
  });

  it("that claims other accounts than it was tagged with is none, however many it claims", () => {
    const rig = Rig.open();
    rig.board.cutPower();
    rig.board.powerOn();
    rig.board.cutPower();
    const off = rig.board.snapshot();
    const { address } = newest(rig);
    for (let bit = 0; bit < 32; bit++) {
      rig.board.restore(off);
      rig.board.flash.flip(address + CLASS_BITS + (bit >> 3), bit & 7);
      expect(rig.board.powerOn(), `bit ${bit}`).toBe(0x0501);
    }
  });

  it("needs none of its place beyond its own pages", () => {
    const rig = Rig.open({}, { flashSectors: 6 });
    const { address, bytes } = newest(rig);
    expect(bytes).toBeLessThanOrEqual(512);
    for (let at = 512; at < 1280; at++) rig.board.flash.flip(address + at, at & 7);
    expect(rig.powerCycle()).toBe("OK");
    rig.must(rig.syncTime());
    goesOn(rig);
  });
});
