import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FlashShape } from "../../../firmware/protocol/board.ts";
import { PowerCut } from "../../../sim-board/errors.ts";
import { Flash } from "../../../sim-board/parts/flash.ts";
import { Supply } from "../../../sim-board/parts/supply.ts";
import { Random } from "../../../sim-board/random.ts";

const PAGE: number = FlashShape.PAGE_BYTES;
const SECTOR: number = FlashShape.SECTOR_BYTES;

function flashOf(change: { enduranceErases?: number; sectors?: number } = {}) {
  const supply = new Supply();
  return { supply, flash: new Flash({ sectors: 4, random: new Random("flash"), supply, ...change }) };
}

function bytesAt(flash: Flash, address: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  flash.read(address, bytes);
  return bytes;
}

const pattern = Uint8Array.from({ length: PAGE }, (_, i) => (i * 37) & 0xff);

test("a new flash reads as ones", () => {
  const { flash } = flashOf();
  expect(bytesAt(flash, 0, flash.bytes).every((byte) => byte === 0xff)).toBe(true);
});

test("what was programmed is read back, also across a sector's edge", () => {
  const { flash } = flashOf();
  flash.program(SECTOR - PAGE, pattern);
  flash.program(SECTOR, pattern);
  expect(bytesAt(flash, SECTOR - PAGE, 2 * PAGE)).toEqual(Uint8Array.of(...pattern, ...pattern));
});

test("a program that needs a bit to rise is refused and writes nothing", () => {
  const { flash } = flashOf();
  flash.program(0, Uint8Array.of(0b1010, 0));
  expect(() => flash.program(0, Uint8Array.of(0b1000, 1))).toThrow(expect.objectContaining({ code: "flash/bit-rise" }));
  expect(bytesAt(flash, 0, 2)).toEqual(Uint8Array.of(0b1010, 0));
});

test("a second program may lower further bits", () => {
  const { flash } = flashOf();
  flash.program(7, Uint8Array.of(0b1110));
  flash.program(7, Uint8Array.of(0b0110));
  expect(bytesAt(flash, 7, 1)).toEqual(Uint8Array.of(0b0110));
});

test.each([
  ["across a page's edge", PAGE - 1, 2],
  ["of more than a page", 0, PAGE + 1],
  ["of nothing", 0, 0],
])("a program %s is refused", (_, address, length) => {
  const { flash } = flashOf();
  expect(() => flash.program(address, new Uint8Array(length))).toThrow(
    expect.objectContaining({ code: "flash/page-edge" }),
  );
});

test("nothing outside the part can be read, programmed or erased", () => {
  const { flash } = flashOf();
  const outside = expect.objectContaining({ code: "flash/out-of-range" });
  expect(() => flash.read(flash.bytes - 1, new Uint8Array(2))).toThrow(outside);
  expect(() => flash.program(flash.bytes, Uint8Array.of(0))).toThrow(outside);
  expect(() => flash.erase(flash.sectors)).toThrow(outside);
  expect(() => flash.erase(-1)).toThrow(outside);
});

test("an erase raises every bit of its sector and of no other, and is counted", () => {
  const { flash } = flashOf();
  flash.program(SECTOR, pattern);
  flash.program(2 * SECTOR, pattern);
  flash.erase(1);
  expect(bytesAt(flash, SECTOR, SECTOR).every((byte) => byte === 0xff)).toBe(true);
  expect(bytesAt(flash, 2 * SECTOR, PAGE)).toEqual(pattern);
  expect(flash.erases).toEqual([0, 1, 0, 0]);
});

test("a program torn at any byte leaves the bytes before it written and those after it untouched", () => {
  for (let cut = 0; cut < PAGE; cut++) {
    const { flash, supply } = flashOf();
    supply.cutAfterFlashBytes(cut);
    expect(() => flash.program(0, pattern)).toThrow(PowerCut);
    const page = bytesAt(flash, 0, PAGE);
    expect(page.subarray(0, cut)).toEqual(pattern.subarray(0, cut));
    expect(page[cut]! & pattern[cut]!).toBe(pattern[cut]);
    expect(page.subarray(cut + 1).every((byte) => byte === 0xff)).toBe(true);
  }
});

test("a torn erase clears what it reached and lowers no bit of the rest", () => {
  for (const cut of [0, 1, PAGE, SECTOR - 1]) {
    const { flash, supply } = flashOf();
    for (let page = 0; page < SECTOR; page += PAGE) flash.program(page, pattern);
    const before = bytesAt(flash, 0, SECTOR);
    supply.cutAfterFlashBytes(cut);
    expect(() => flash.erase(0)).toThrow(PowerCut);
    const after = bytesAt(flash, 0, SECTOR);
    expect(after.subarray(0, cut).every((byte) => byte === 0xff)).toBe(true);
    expect(after.every((byte, i) => (byte & before[i]!) === before[i])).toBe(true);
  }
});

test("a page may as well be programmed from its end, and is then torn there", () => {
  for (let cut = 0; cut < PAGE; cut++) {
    const { flash, supply } = flashOf();
    flash.tear = { order: "back", cells: "settle" };
    supply.cutAfterFlashBytes(cut);
    expect(() => flash.program(0, pattern)).toThrow(PowerCut);
    const page = bytesAt(flash, 0, PAGE);
    const done = PAGE - cut;
    expect(page.subarray(done)).toEqual(pattern.subarray(done));
    expect(page.subarray(0, done - 1).every((byte) => byte === 0xff)).toBe(true);
  }
});

test("an erase of a part that programs zeros first may leave them, from the sector's end", () => {
  const { flash, supply } = flashOf();
  for (let page = 0; page < SECTOR; page += PAGE) flash.program(page, pattern);
  const before = bytesAt(flash, 0, SECTOR);
  flash.tear = { order: "zeros", cells: "settle" };
  supply.cutAfterFlashBytes(1000);
  expect(() => flash.erase(0)).toThrow(PowerCut);
  const after = bytesAt(flash, 0, SECTOR);
  expect(after.subarray(SECTOR - 1000).every((byte) => byte === 0)).toBe(true);
  expect(after.subarray(0, SECTOR - 1001)).toEqual(before.subarray(0, SECTOR - 1001));
});

describe("cells that an erase left halfway", () => {
  function halfErased() {
    const part = flashOf();
    part.flash.program(0, new Uint8Array(PAGE));
    part.flash.tear = { order: "even", cells: "waver" };
    part.supply.cutAfterFlashBytes(SECTOR / 2);
    expect(() => part.flash.erase(0)).toThrow(PowerCut);
    return part.flash;
  }
  const ones = (bytes: Uint8Array) => bytes.reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0);

  test("are read either way, or all one way when they settle", () => {
    const flash = halfErased();
    expect(bytesAt(flash, 0, PAGE)).not.toEqual(bytesAt(flash, 0, PAGE));
    flash.waversAs = "low";
    const low = ones(bytesAt(flash, 0, PAGE));
    flash.waversAs = "high";
    const high = ones(bytesAt(flash, 0, PAGE));
    // Half of the cells have risen, a half of the others wavers.
    expect(low / (PAGE * 8)).toBeCloseTo(0.5, 1);
    expect(high / (PAGE * 8)).toBeCloseTo(0.75, 1);
  });

  test("are sound again where a program lowers them, and everywhere after a whole erase", () => {
    const flash = halfErased();
    const zero = new Uint8Array(PAGE);
    flash.program(0, zero);
    expect(bytesAt(flash, 0, PAGE)).toEqual(zero);
    flash.erase(0);
    expect(bytesAt(flash, 0, SECTOR).every((byte) => byte === 0xff)).toBe(true);
  });

  test("stay so through a snapshot, and not through a swap of the content", () => {
    const flash = halfErased();
    const snapshot = flash.snapshot();
    flash.erase(0);
    flash.restore(snapshot);
    expect(bytesAt(flash, 0, PAGE)).not.toEqual(bytesAt(flash, 0, PAGE));
    flash.replace(flash.image());
    expect(bytesAt(flash, 0, PAGE)).toEqual(bytesAt(flash, 0, PAGE));
  });
});

test("a part that lies loses one write, or does it when the next one begins", () => {
  const { flash } = flashOf();
  flash.lie = { kind: "lost", after: 1 };
  flash.program(9, Uint8Array.of(3));
  flash.program(0, Uint8Array.of(1));
  expect(bytesAt(flash, 0, 1)).toEqual(Uint8Array.of(0xff));
  flash.lie = { kind: "late", after: 0 };
  flash.program(0, Uint8Array.of(1));
  expect(bytesAt(flash, 0, 1)).toEqual(Uint8Array.of(0xff));
  flash.program(1, Uint8Array.of(2));
  expect(bytesAt(flash, 0, 2)).toEqual(Uint8Array.of(1, 2));
  expect(bytesAt(flash, 9, 1)).toEqual(Uint8Array.of(3));
});

test("a cell that sticks is read as it likes, until the part is mended", () => {
  const { flash } = flashOf();
  flash.stick(SECTOR + 3, 2, 0);
  flash.erase(1);
  expect(bytesAt(flash, SECTOR, 5)).toEqual(Uint8Array.of(0xff, 0xff, 0xff, 0xfb, 0xff));
  flash.mend();
  expect(bytesAt(flash, SECTOR + 3, 1)).toEqual(Uint8Array.of(0xff));
});

test("after a cut the supply is whole again", () => {
  const { flash, supply } = flashOf();
  supply.cutAfterOperations(0);
  expect(() => flash.program(0, pattern)).toThrow(PowerCut);
  flash.program(0, pattern);
  expect(bytesAt(flash, 0, PAGE)).toEqual(pattern);
});

test("bits of a sector that is erased beyond its life begin to stick", () => {
  const { flash } = flashOf({ enduranceErases: 3 });
  for (let i = 0; i < 3; i++) flash.erase(0);
  expect(bytesAt(flash, 0, SECTOR).every((byte) => byte === 0xff)).toBe(true);
  flash.erase(0);
  expect(bytesAt(flash, 0, SECTOR).every((byte) => byte === 0xff)).toBe(false);
});

test("a cell that loses its charge is one flipped bit", () => {
  const { flash } = flashOf();
  flash.flip(SECTOR + 5, 3);
  expect(bytesAt(flash, SECTOR + 5, 1)).toEqual(Uint8Array.of(0xff ^ 8));
});

test("an image that was read out can be put back, and later writes do not reach it", () => {
  const { flash } = flashOf();
  flash.program(0, pattern);
  const old = flash.image();
  flash.erase(0);
  flash.program(0, Uint8Array.of(1));
  flash.replace(old);
  expect(bytesAt(flash, 0, PAGE)).toEqual(pattern);
  expect(() => flash.replace(old.slice(1))).toThrow(expect.objectContaining({ code: "flash/out-of-range" }));
});

test("no sequence of programs and erases ever reads as anything but its model", () => {
  const step = fc.oneof(
    fc.record({ erase: fc.nat(3) }),
    fc.record({ at: fc.nat(4 * SECTOR - 1), bytes: fc.uint8Array({ maxLength: 40 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { flash } = flashOf();
      const model = new Uint8Array(flash.bytes).fill(0xff);
      for (const action of steps) {
        const before = flash.snapshot();
        if ("erase" in action) {
          flash.erase(action.erase);
          model.fill(0xff, action.erase * SECTOR, (action.erase + 1) * SECTOR);
        } else {
          const legal =
            action.bytes.length > 0 &&
            (action.at % PAGE) + action.bytes.length <= PAGE &&
            action.bytes.every((byte, i) => (model[action.at + i]! & byte) === byte);
          if (legal) {
            flash.program(action.at, action.bytes);
            model.set(action.bytes, action.at);
          } else expect(() => flash.program(action.at, action.bytes)).toThrow();
        }
        // A snapshot shares sectors with the part, and must not see what happens later.
        const now = flash.snapshot();
        flash.restore(before);
        flash.restore(now);
      }
      expect(Buffer.compare(bytesAt(flash, 0, flash.bytes), model)).toBe(0);
    }),
  );
});
