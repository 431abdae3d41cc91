/** The tools themselves, on small modules whose counts and leaks are known. */
import binaryen from "binaryen";
import { describe, expect, it } from "vitest";
import { instructionsOf } from "../../attack/instrument/instructions.ts";
import { WasmModule } from "../../attack/instrument/module.ts";
import { readTrace, type Trace, type TraceOptions, traced } from "../../attack/instrument/trace.ts";
import { loadPrimitives, type Primitives, primitivesBytes } from "../primitives.ts";
import { instantiate } from "../wasm.ts";
import { type Counts, counted, countsOf } from "./count.ts";

type Run = (...values: number[]) => number;
type Exports = { run: Run } & Record<string, { value: bigint }>;

function assembled(wat: string): Uint8Array {
  const module = binaryen.parseText(wat);
  module.setFeatures(binaryen.Features.BulkMemory | binaryen.Features.BulkMemoryOpt);
  if (!module.validate()) throw new Error("the test's module is no module");
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

/** What `run` executes, and what it returns, in an instrumented module. */
function count(wat: string, values: number[], imports: object = {}): Counts & { result: number | undefined } {
  const exports = instantiate<Exports>(counted(assembled(wat)), imports);
  let result: number | undefined;
  const counts = countsOf(
    (name) => exports[name]!.value,
    () => {
      try {
        result = exports.run(...values);
      } catch {
        result = undefined;
      }
    },
  );
  return { ...counts, result };
}

function trace(wat: string, values: number[], options: TraceOptions = {}): Trace & { result: number } {
  const exports = instantiate<Exports>(traced(assembled(wat), options).bytes);
  const result = exports.run(...values);
  return { ...readTrace((name) => exports[name]!.value), result };
}

describe("counting", () => {
  const counts = (instructions: number, result: number | undefined, more: Partial<Counts> = {}) => ({
    instructions,
    loads: 0,
    stores: 0,
    calls: 0,
    result,
    ...more,
  });

  it("counts a straight line", () => {
    const wat = `(module (func (export "run") (param i32 i32) (result i32)
      local.get 0 local.get 1 i32.add i32.const 3 i32.mul))`;
    expect(count(wat, [2, 5])).toEqual(counts(5, 21));
  });

  it("counts the arm that is taken, and not the other", () => {
    const wat = `(module (func (export "run") (param i32) (result i32)
      (if (result i32) (local.get 0)
        (then (i32.const 7))
        (else (i32.add (i32.const 1) (i32.const 2))))))`;
    expect(count(wat, [1])).toEqual(counts(2 + 1, 7));
    expect(count(wat, [0])).toEqual(counts(2 + 3, 3));
  });

  it("counts a loop as often as it goes round", () => {
    const wat = `(module (func (export "run") (param i32) (result i32) (local i32)
      (loop $again
        (local.set 1 (i32.add (local.get 1) (local.get 0)))
        (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
      (local.get 1)))`;
    for (const rounds of [1, 2, 10])
      expect(count(wat, [rounds])).toEqual(counts(9 * rounds + 1, (rounds * (rounds + 1)) / 2));
  });

  it("counts up to an early exit: out of a block, out of the function, by a table", () => {
    const exit = `(module (func (export "run") (param i32) (result i32)
      (block $out (br_if $out (local.get 0)) (return (i32.const 5)))
      (i32.const 6)))`;
    expect(count(exit, [0])).toEqual(counts(2 + 2, 5));
    expect(count(exit, [1])).toEqual(counts(2 + 1, 6));
    const table = `(module (func (export "run") (param i32) (result i32)
      (block $b (block $a (br_table $a $b $b (local.get 0))) (return (i32.const 5)))
      (drop (i32.const 0)) (i32.const 6)))`;
    expect(count(table, [0])).toEqual(counts(2 + 2, 5));
    expect(count(table, [9])).toEqual(counts(2 + 3, 6));
  });

  it("counts what a called function does, as often as it is called", () => {
    const wat = `(module
      (func $twice (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1)))
      (func (export "run") (param i32) (result i32) (call $twice (call $twice (local.get 0)))))`;
    expect(count(wat, [3])).toEqual(counts(3 + 2 * 3, 12, { calls: 2 }));
  });

  it("counts nothing after a call that does not come back", () => {
    const wat = `(module (import "hal" "cut" (func $cut))
      (func (export "run") (result i32) (drop (i32.const 1)) (call $cut) (i32.add (i32.const 1) (i32.const 1))))`;
    const cut = () => {
      throw new Error("power");
    };
    expect(count(wat, [], { hal: { cut } })).toEqual(counts(3, undefined, { calls: 1 }));
    expect(count(wat, [], { hal: { cut() {} } })).toEqual(counts(6, 2, { calls: 1 }));
  });

  it("tells loads and stores apart", () => {
    const wat = `(module (memory 1) (func (export "run") (param i32) (result i32)
      (i32.store8 (i32.const 8) (local.get 0))
      (i64.store (i32.const 16) (i64.load8_u (i32.const 8)))
      (memory.copy (i32.const 24) (i32.const 16) (i32.const 8))
      (i32.load (i32.const 24))))`;
    expect(count(wat, [300])).toEqual(counts(3 + 4 + 4 + 2, 44, { loads: 2, stores: 2 }));
  });
});

describe("tracing", () => {
  const table = (index: string) => `(module (memory 1) (func (export "run") (param i32) (result i32)
    (i32.load8_u offset=64 ${index})))`;
  const differs = (wat: string, a: number[], b: number[], options?: TraceOptions) =>
    trace(wat, a, options).hash !== trace(wat, b, options).hash;

  it("sees a table that is read at a secret index", () => {
    expect(differs(table("(local.get 0)"), [1], [2])).toBe(true);
    expect(differs(table("(i32.const 1)"), [1], [2])).toBe(false);
  });

  it("sees where a secret is written, copied and filled to, and how much of it", () => {
    for (const code of [
      "(i32.store (local.get 0) (i32.const 1))",
      "(i64.store16 (local.get 0) (i64.const 1))",
      "(memory.copy (local.get 0) (i32.const 0) (i32.const 4))",
      "(memory.copy (i32.const 0) (local.get 0) (i32.const 4))",
      "(memory.copy (i32.const 0) (i32.const 64) (local.get 0))",
      "(memory.fill (local.get 0) (i32.const 0) (i32.const 4))",
      "(memory.fill (i32.const 64) (i32.const 0) (local.get 0))",
    ]) {
      const wat = `(module (memory 1) (func (export "run") (param i32) (result i32) ${code} (i32.const 0)))`;
      expect(differs(wat, [8], [16]), code).toBe(true);
    }
  });

  it("does not see what is written", () => {
    for (const code of [
      "(i32.store (i32.const 0) (local.get 0))",
      "(i64.store (i32.const 0) (i64.extend_i32_u (local.get 0)))",
      "(memory.fill (i32.const 0) (local.get 0) (i32.const 4))",
    ]) {
      const wat = `(module (memory 1) (func (export "run") (param i32) (result i32) ${code} (i32.load (i32.const 0))))`;
      expect(differs(wat, [8], [16]), code).toBe(false);
    }
  });

  it("sees which way a branch goes, even if both ways are alike", () => {
    for (const code of [
      "(if (local.get 0) (then (nop)) (else (nop)))",
      "(block $out (br_if $out (local.get 0)))",
      "(block $b (block $a (br_table $a $b (local.get 0))))",
    ]) {
      const wat = `(module (func (export "run") (param i32) (result i32) ${code} (i32.const 0)))`;
      expect(differs(wat, [0], [1]), code).toBe(true);
      expect(differs(wat, [1], [1]), code).toBe(false);
    }
    const yes = `(module (func (export "run") (param i32) (result i32) (if (local.get 0) (then (nop))) (i32.const 0)))`;
    expect(differs(yes, [2], [5]), "a decision is yes or no").toBe(false);
  });

  it("sees the numbers of a division, of both widths", () => {
    const wat = (expression: string) => `(module (func (export "run") (param i32 i32) (result i32) ${expression}))`;
    const narrow = wat("(i32.rem_u (local.get 0) (local.get 1))");
    const wide = wat("(i32.wrap_i64 (i64.div_u (i64.extend_i32_u (local.get 0)) (i64.extend_i32_u (local.get 1))))");
    for (const code of [narrow, wide]) {
      expect(differs(code, [9, 3], [8, 3])).toBe(true);
      expect(differs(code, [9, 3], [9, 2])).toBe(true);
    }
  });

  it("lets a choice without a branch be, unless it is asked for", () => {
    const wat = `(module (func (export "run") (param i32) (result i32)
      (select (i32.const 5) (i32.const 6) (local.get 0))))`;
    expect(differs(wat, [0], [1])).toBe(false);
    expect(differs(wat, [0], [1], { selects: true })).toBe(true);
  });

  it("knows one order from another, and nothing from zeros", () => {
    const wat = `(module (memory 1) (func (export "run") (param i32 i32) (result i32)
      (i32.add (i32.load8_u (local.get 0)) (i32.load8_u (local.get 1)))))`;
    expect(differs(wat, [1, 2], [2, 1])).toBe(true);
    expect(trace(wat, [0, 0]).hash).not.toBe(trace(table("(i32.const 0)"), [0]).hash);
    expect(trace(wat, [0, 0]).events).toBe(2n);
  });

  it("stops where it is told, and says which instruction it saw last", () => {
    const wat = `(module (memory 1) (func (export "run") (param i32) (result i32)
      (i32.add (i32.load8_u (i32.const 3)) (i32.load16_u (local.get 0)))))`;
    const { sites } = traced(assembled(wat));
    expect(sites.map(({ op }) => op)).toEqual([0x2d, 0x2f]);
    expect(trace(wat, [1], { eventsMax: 1n })).toMatchObject({ events: 1n, site: 0n });
    expect(trace(wat, [1], { eventsMax: 1n }).hash).toBe(trace(wat, [2], { eventsMax: 1n }).hash);
    expect(trace(wat, [1])).toMatchObject({ events: 2n, site: 1n });
  });
});

/** Something of every primitive. */
function exercised(primitives: Primitives): unknown[] {
  const seed = Uint8Array.from({ length: 32 }, (_, i) => 5 * i);
  const message = new Uint8Array(200).fill(9);
  const signature = primitives.ed25519Sign(seed, message);
  const publicKey = primitives.ed25519PublicKey(seed);
  return [
    signature,
    publicKey,
    primitives.ed25519Verify(signature, message, publicKey),
    primitives.ed25519Verify(signature, message.subarray(1), publicKey),
    primitives.hkdfSha256(seed, message, message, 70),
    primitives.sha512(message),
    primitives.cborCheck(message),
    primitives.coseSign1Verify(message, publicKey, seed),
  ];
}

describe("an instrumented module", () => {
  it("is made of the bytes that ship: they are read and written back as they are", () => {
    const bytes = primitivesBytes();
    expect(Buffer.from(new WasmModule(bytes).toBytes()).equals(bytes)).toBe(true);
  });

  it("computes what the plain one does, and leaves the same memory", () => {
    const plain = loadPrimitives();
    const expected = exercised(plain);
    for (const bytes of [counted(primitivesBytes()), traced(primitivesBytes(), { selects: true }).bytes]) {
      const same = loadPrimitives(bytes);
      expect(exercised(same)).toEqual(expected);
      expect(Buffer.from(same.memory()).equals(plain.memory())).toBe(true);
    }
  });

  it("is refused if it has what firmware may not have", () => {
    const floating = `(module (func (export "run") (result i32) (i32.trunc_f32_s (f32.const 1))))`;
    expect(() => counted(assembled(floating))).toThrow("none that firmware may have");
    expect(() => [...instructionsOf(Uint8Array.of(0x41))]).toThrow("ends in the middle");
  });
});
