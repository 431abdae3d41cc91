import { expect, test } from "vitest";
import { Link } from "../../../sim-board/parts/link.ts";
import { Tamper } from "../../../sim-board/parts/tamper.ts";
import { Trng } from "../../../sim-board/parts/trng.ts";
import { Random } from "../../../sim-board/random.ts";

test("one seed gives the same bytes again, another seed others", () => {
  const draw = (seed: string) => {
    const out = new Uint8Array(32);
    new Trng(new Random(seed)).fill(out);
    return out;
  };
  expect(draw("a")).toEqual(draw("a"));
  expect(draw("a")).not.toEqual(draw("b"));
});

test("a stuck generator gives one byte only", () => {
  const trng = new Trng(new Random(1));
  trng.stuckAt = 0x55;
  const out = new Uint8Array(8);
  trng.fill(out);
  expect(out).toEqual(new Uint8Array(8).fill(0x55));
});

test("what one stream draws does not move another", () => {
  const first = new Random(7);
  const a = first.stream("a").bytes(8);
  const second = new Random(7);
  second.stream("b").bytes(1000);
  expect(second.stream("a").bytes(8)).toEqual(a);
});

test("numbers below a limit are below it, and a bad limit is refused", () => {
  const random = new Random("limits");
  const seen = new Set(Array.from({ length: 200 }, () => random.below(6)));
  expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  for (const limit of [0, -1, 1.5, 2 ** 33, Number.NaN]) {
    expect(() => random.below(limit)).toThrow(expect.objectContaining({ code: "random/range" }));
  }
});

test("tamper sensors latch", () => {
  const tamper = new Tamper();
  tamper.trip(0b01);
  tamper.trip(0x80000000);
  expect(tamper.read()).toBe(0x80000001);
  expect(() => tamper.trip(0)).toThrow(expect.objectContaining({ code: "board/option" }));
});

function echo() {
  let seconds = 0;
  return {
    advance: (more: number) => {
      seconds += more;
    },
    request: (message: Uint8Array) => Uint8Array.of(...message, 0xaa),
    elapsed: () => seconds,
  };
}

test("a link takes its delay each way", () => {
  const board = echo();
  const link = new Link({ random: new Random("link"), delaySeconds: 0.25 });
  expect(link.exchange(board, Uint8Array.of(1))).toEqual(Uint8Array.of(1, 0xaa));
  expect(board.elapsed()).toBe(0.5);
});

test("a link loses as many messages as it is told, the same ones for the same seed", () => {
  const run = () => {
    const link = new Link({ random: new Random("loss"), lossPermille: 500 });
    const board = echo();
    return Array.from({ length: 400 }, () => link.exchange(board, Uint8Array.of(1)) !== undefined);
  };
  const delivered = run().filter(Boolean).length;
  expect(delivered).toBeGreaterThan(60);
  expect(delivered).toBeLessThan(140);
  expect(run()).toEqual(run());
});

test("an adversary on the wire can change and drop", () => {
  const board = echo();
  const change = new Link({ random: new Random(1), hook: (m, way) => (way === "to-board" ? Uint8Array.of(9) : m) });
  expect(change.exchange(board, Uint8Array.of(1))).toEqual(Uint8Array.of(9, 0xaa));
  const drop = new Link({ random: new Random(1), hook: () => undefined });
  expect(drop.exchange(board, Uint8Array.of(1))).toBeUndefined();
  expect(drop.lost).toBe(1);
});

test("a link with an impossible loss is refused", () => {
  expect(() => new Link({ random: new Random(1), lossPermille: 1001 })).toThrow(
    expect.objectContaining({ code: "board/option" }),
  );
});
