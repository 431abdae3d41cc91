import fc from "fast-check";
import { expect, test } from "vitest";
import { Fuse } from "../../../firmware/protocol/board.ts";
import { PowerCut } from "../../../sim-board/errors.ts";
import { COUNTER_PART, Counter } from "../../../sim-board/parts/counter.ts";
import { Fuses } from "../../../sim-board/parts/fuses.ts";
import { Supply } from "../../../sim-board/parts/supply.ts";
import { Random } from "../../../sim-board/random.ts";

function fusesOf() {
  const supply = new Supply();
  return { supply, fuses: new Fuses({ random: new Random("fuses"), supply }) };
}

test("fuse bits only ever rise", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(Fuse.WORDS - 1), fc.nat(0xffffffff))), (burns) => {
      const { fuses } = fusesOf();
      const model = new Uint32Array(Fuse.WORDS);
      for (const [word, bits] of burns) {
        fuses.burn(word, bits);
        model[word]! |= bits;
        expect(fuses.read(word)).toBe(model[word]);
      }
    }),
  );
});

test("a burn that power cuts short burns some of its bits and no other", () => {
  const { fuses, supply } = fusesOf();
  fuses.burn(20, 0x1);
  supply.cutAfterOperations(0);
  expect(() => fuses.burn(20, 0xff00)).toThrow(PowerCut);
  expect(fuses.read(20) & ~0xff01).toBe(0);
  expect(fuses.read(20) & 1).toBe(1);
});

test("the locked secret reads as zero until the next reset, and can still be burnt over", () => {
  const { fuses } = fusesOf();
  fuses.burn(Fuse.DEVICE_SECRET + 7, 0xdeadbeef);
  fuses.burn(Fuse.LIFECYCLE, 1);
  fuses.lockSecret();
  expect(fuses.read(Fuse.DEVICE_SECRET + 7)).toBe(0);
  expect(fuses.read(Fuse.LIFECYCLE)).toBe(1);
  fuses.burn(Fuse.DEVICE_SECRET + 7, 0xffffffff);
  fuses.reset();
  expect(fuses.read(Fuse.DEVICE_SECRET + 7)).toBe(0xffffffff);
});

test("there is no fuse word beyond the last", () => {
  const { fuses } = fusesOf();
  const outside = expect.objectContaining({ code: "fuses/out-of-range" });
  expect(() => fuses.read(Fuse.WORDS)).toThrow(outside);
  expect(() => fuses.burn(-1, 1)).toThrow(outside);
});

test("the counter steps to the end of its life and not beyond", () => {
  const counter = new Counter({ lifeSteps: 3, supply: new Supply() });
  for (let i = 1; i <= 3; i++) {
    counter.step();
    expect(counter.read()).toBe(i);
  }
  expect(() => counter.step()).toThrow(expect.objectContaining({ code: "counter/worn-out" }));
  expect(counter.read()).toBe(3);
});

test("a counter's life is that of its part unless said otherwise", () => {
  expect(new Counter({ supply: new Supply() }).lifeSteps).toBe(COUNTER_PART.lifeSteps);
  expect(COUNTER_PART.lifeSteps).toBe(2 ** 21 - 1);
});

test.each([0, 1, 2] as const)("a counter step that power cuts short made %i steps, as it was told to", (steps) => {
  const supply = new Supply();
  const counter = new Counter({ supply, lifeSteps: 5 });
  counter.stepsWhenCut = steps;
  counter.step();
  supply.cutAfterOperations(0);
  expect(() => counter.step()).toThrow(PowerCut);
  expect(counter.read()).toBe(1 + steps);
});

test("a counter step happens as a whole or not at all, unless told otherwise", () => {
  const supply = new Supply();
  const counter = new Counter({ supply });
  supply.cutAfterOperations(1);
  counter.step();
  expect(() => counter.step()).toThrow(PowerCut);
  expect(counter.read()).toBe(1);
});
