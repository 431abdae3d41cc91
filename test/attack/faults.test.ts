/** The machinery of faults: each kind does what it says, and a governor that asks only once is found out. */
import { existsSync, readFileSync } from "node:fs";
import binaryen from "binaryen";
import { describe, expect, it } from "vitest";
import { FaultBench } from "../../attack/faults/bench.ts";
import { SCENES } from "../../attack/faults/scenes.ts";
import { FAULT_KINDS, type FaultKind, withFaults } from "../../attack/faults/sites.ts";
import { singleFaults } from "../../attack/faults.ts";
import { governorImage } from "../../attack/rig.ts";
import { compile } from "../compile.ts";
import { instantiate } from "../wasm.ts";

type Exports = { run: (...values: number[]) => number } & Record<string, { value: bigint }>;

/** What `run` returns when the n-th place of this kind is hit, in each way that it can be. */
function hit(wat: string, values: number[], kind: FaultKind, nth = 0): number[] {
  const module = binaryen.parseText(wat);
  module.setFeatures(binaryen.Features.BulkMemory | binaryen.Features.BulkMemoryOpt);
  const passed: number[] = [];
  const { bytes, sites } = withFaults(module.emitBinary(), { noted: true });
  module.dispose();
  const run = (at: bigint, mode: bigint) => {
    const fault = { note: (site: number) => passed.push(site), enter: () => 0, leave() {} };
    const exports = instantiate<Exports>(bytes, { fault });
    exports["fault.turnsMax"]!.value = 1000n;
    exports["fault.armed"]!.value = at;
    exports["fault.armedMode"]!.value = mode;
    return exports.run(...values);
  };
  run(-1n, 0n);
  const places = passed.flatMap((site, i) => (sites[site]!.kind === kind ? [{ at: i + 1, site: sites[site]! }] : []));
  const { at, site } = places[nth]!;
  return site.modes.map((mode) => run(BigInt(at), mode));
}

const body = (code: string) => `(module (memory 1) (global $g (mut i32) (i32.const 4))
  (func $double (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
  (func $put (param i32) (i32.store (i32.const 8) (local.get 0)))
  (func (export "run") (param i32) (result i32) (local $l i32) ${code}))`;

describe("a fault", () => {
  it("inverts a condition, of any value that is not zero too", () => {
    const choice = body("(if (result i32) (local.get 0) (then (i32.const 1)) (else (i32.const 2)))");
    expect([hit(choice, [6], "branch"), hit(choice, [0], "branch")]).toEqual([[2], [1]]);
    const exit = body("(block $out (br_if $out (local.get 0)) (return (i32.const 5))) (i32.const 6)");
    expect([hit(exit, [1], "branch"), hit(exit, [0], "branch")]).toEqual([[5], [6]]);
  });

  it("sends a table to each of its targets", () => {
    const table = body(`(block $c (block $b (block $a (br_table $a $b $c (local.get 0))) (return (i32.const 1)))
      (return (i32.const 2))) (i32.const 3)`);
    expect(hit(table, [0], "branch")).toEqual([1, 2, 3]);
  });

  it("leaves out a store, a local, a global and a call", () => {
    const store = body("(i32.store (i32.const 8) (local.get 0)) (i32.load (i32.const 8))");
    const local = body("(local.set $l (i32.const 3)) (local.set $l (local.get 0)) (local.get $l)");
    const global = body("(global.set $g (local.get 0)) (global.get $g)");
    const call = body("(i32.add (i32.const 1) (call $double (local.get 0)))");
    const effect = body("(call $put (local.get 0)) (i32.load (i32.const 8))");
    const fill = body("(memory.fill (i32.const 0) (local.get 0) (i32.const 4)) (i32.load8_u (i32.const 0))");
    expect([store, local, global, call, effect, fill].map((wat, i) => hit(wat, [7], "skip", i === 1 ? 1 : 0))).toEqual([
      [0],
      [3],
      [4],
      [1],
      [0],
      [0],
    ]);
  });

  it("makes of a call's result 0, 1 and -1, and the call is made", () => {
    expect(hit(body("(call $double (local.get 0))"), [7], "result")).toEqual([0, 1, -1]);
  });

  it("flips each bit of what is loaded, once, at one of its times", () => {
    const twice = body(`(i32.store8 (i32.const 8) (local.get 0))
      (i32.add (i32.load8_u (i32.const 8)) (i32.load8_u (i32.const 8)))`);
    const flipped = [1, 2, 4, 8, 16, 32, 64, 128].map((bit) => (9 ^ bit) + 9);
    expect([hit(twice, [9], "load"), hit(twice, [9], "load", 1)]).toEqual([flipped, flipped]);
  });

  it("stops a loop that does not end", () => {
    const loop = body("(loop $l (br_if $l (local.get 0))) (i32.const 1)");
    expect(() => hit(loop, [0], "branch")).not.toThrow();
    expect(() => hit(loop, [1], "branch")).toThrow();
  });
});

/** Sources in which only one answer stands between a refusal and a grant. */
function careless(text: string): string {
  return text
    .replace("  if (!mayOpen()) return;\n  if (!mayOpen()) return;\n", "  if (!mayOpen()) return;\n")
    .replace("  if (!sourceMayFlow()) return ErrorCode.OK;\n", "");
}

describe("a campaign of single faults", () => {
  const shipped = governorImage().bytes;
  const scenes = SCENES.filter(({ name }) => name === "tick-ticks-spent");
  /** Whether any of the cases finds something. */
  const finds = (bytes: Uint8Array) => {
    const cases = singleFaults(new FaultBench(bytes, scenes));
    return Array.from({ length: cases.count }, (_, i) => i).some((i) => {
      try {
        cases.run(i);
        return false;
      } catch {
        return true;
      }
    });
  };

  it("finds a governor that asks only once whether the gate may open", async () => {
    expect(finds(shipped)).toBe(false);
    const readFile = (path: string) => (existsSync(path) ? careless(readFileSync(path, "utf8")) : null);
    const planted = await compile("firmware/governor.ts", { target: "governor", readFile });
    expect(finds(planted.bytes)).toBe(true);
  });

  it("meets every kind in a small share, and knows its cases by their ids", () => {
    const cases = singleFaults(new FaultBench(shipped, scenes));
    const ids = Array.from({ length: cases.count }, (_, i) => cases.idOf(i));
    expect(new Set(ids).size).toBe(cases.count);
    expect(ids.map((id) => cases.indexOf(id))).toEqual(ids.map((_, i) => i));
    expect(new Set(ids.map((id) => id.split(":")[1]))).toEqual(new Set(FAULT_KINDS));
    expect(cases.indexOf("tick-ticks-spent:branch:999999.0")).toBeUndefined();
  });
});
