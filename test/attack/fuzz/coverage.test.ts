/** The counters of branches: each way is counted, nothing else is changed, and what does not end is stopped. */
import binaryen from "binaryen";
import { describe, expect, it } from "vitest";
import { withCoverage } from "../../../attack/instrument/coverage.ts";
import { governorImage } from "../../../attack/rig.ts";
import { wasm } from "../../../sim-board/wasm.ts";

const body = (code: string) => `(module (import "env" "memory" (memory 1 1))
  (func (export "run") (param i32) (result i32) ${code}))`;

/** What `run` gives for each value, and how often each way was taken in all. */
function counted(wat: string, values: readonly number[], turnsMax = 1000n) {
  const module = binaryen.parseText(wat);
  const covered = withCoverage(module.emitBinary());
  module.dispose();
  const memory = new wasm.Memory({ initial: 1, maximum: 1 });
  const { exports } = new wasm.Instance(new wasm.Module(covered.bytes), { env: { memory } });
  const { run, turnsMax: bound } = exports as { run(value: number): number; turnsMax: { value: bigint } };
  bound.value = turnsMax;
  const bytes = new Uint8Array(memory.buffer);
  const results = values.map((value) => run(value));
  return { results, counts: [...bytes.subarray(covered.counters)], below: bytes.subarray(0, covered.counters) };
}

describe("a module with its branches counted", () => {
  it("counts both ways of a condition, of any value that is not zero too", () => {
    const choice = body("(if (result i32) (local.get 0) (then (i32.const 1)) (else (i32.const 2)))");
    expect(counted(choice, [6, 0, -1])).toMatchObject({ results: [1, 2, 1], counts: [2, 1] });
    const exit = body("(block $out (br_if $out (local.get 0)) (return (i32.const 5))) (i32.const 6)");
    expect(counted(exit, [0, 0, 9])).toMatchObject({ results: [5, 5, 6], counts: [1, 2] });
  });

  it("counts each way of a table, and what is beyond its end as its last", () => {
    const table = body(`(block $c (block $b (block $a (br_table $a $b $c (local.get 0))) (return (i32.const 1)))
      (return (i32.const 2))) (i32.const 3)`);
    expect(counted(table, [0, 1, 1, 2, 3, -1])).toMatchObject({ results: [1, 2, 2, 3, 3, 3], counts: [1, 2, 3] });
  });

  it("counts to 255, and writes nowhere else", () => {
    const exit = body("(block $out (br_if $out (local.get 0)) (return (i32.const 5))) (i32.const 6)");
    const { counts, below } = counted(
      exit,
      Array.from({ length: 300 }, () => 1),
    );
    expect(counts).toEqual([255, 0]);
    expect(below.some((byte) => byte !== 0)).toBe(false);
  });

  it("is stopped in a loop that does not end, and not in one that does", () => {
    const loop = body(`(local $left i32) (local.set $left (local.get 0))
      (loop $l (local.set $left (i32.sub (local.get $left) (i32.const 1))) (br_if $l (local.get $left))) (i32.const 1)`);
    expect(counted(loop, [1000], 1000n).results).toEqual([1]);
    expect(() => counted(loop, [1001], 1000n)).toThrow(/unreachable/);
  });

  it("traps outside of its memory as before", () => {
    const load = body("(i32.load8_u (local.get 0))");
    expect(counted(load, [65_535]).results).toEqual([0]);
    expect(() => counted(load, [65_536])).toThrow(/out of bounds/);
  });

  it("has room for all of the governor's branches above what the governor uses", () => {
    const { counters, branches, pages } = withCoverage(governorImage().bytes);
    expect(branches).toBeGreaterThan(1000);
    expect(counters + branches).toBe(pages * 65_536);
  });
});
