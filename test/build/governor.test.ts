/** What the shipped governor is made of: its shape, its limits, and the hash that is committed. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { StateHead } from "../../firmware/protocol/board.ts";
import { Limit } from "../../firmware/protocol/limits.ts";

type Described = { module?: string; name: string; kind: string };
type Memory = { buffer: ArrayBuffer };
interface WebAssemblyApi {
  Module: {
    new (bytes: Uint8Array<ArrayBuffer>): object;
    imports(module: object): Described[];
    exports(module: object): Described[];
  };
  Instance: new (module: object, imports: object) => { exports: object };
  Memory: new (shape: { initial: number; maximum: number }) => Memory;
}
const wasm = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

const KIB = 1024;
const PAGE_BYTES = 64 * KIB;
const PAGES = 2;
const IMAGE_BYTES_MAX = 48 * KIB;

const root = new URL("../../", import.meta.url);
const text = (path: string) => readFileSync(new URL(path, root), "utf8");

let bytes: Uint8Array<ArrayBuffer>;
let module: object;
beforeAll(() => {
  bytes = new Uint8Array(readFileSync(new URL("build/governor.wasm", root)));
  module = new wasm.Module(bytes);
});

/** An instance whose silicon does nothing: enough to ask it for addresses. */
function addresses(): { mailbox: number; state: number; stateBytes: number; memory: Memory } {
  const memory = new wasm.Memory({ initial: PAGES, maximum: PAGES });
  const hal = Object.fromEntries(
    wasm.Module.imports(module)
      .filter((entry) => entry.module === "hal")
      .map((entry) => [entry.name, () => 0]),
  );
  const exported = new wasm.Instance(module, { env: { memory }, hal }).exports as Record<string, () => number>;
  exported._initialize?.();
  return {
    mailbox: exported.mailbox!() >>> 0,
    state: exported.stateBlock!() >>> 0,
    stateBytes: exported.stateBytes!() >>> 0,
    memory,
  };
}

describe("the governor that ships", () => {
  it("is the one whose hash is committed", () => {
    const committed = text("firmware/governor.sha256");
    const actual = createHash("sha256").update(bytes).digest("hex");
    expect(committed, "if the firmware was meant to change, run `npm run firmware:hash`").toBe(
      `${actual}  build/governor.wasm\n`,
    );
  });

  it("fits 48 KiB", () => {
    expect(bytes.length).toBeLessThanOrEqual(IMAGE_BYTES_MAX);
  });

  it("imports its memory and functions of the HAL, and nothing else", () => {
    const declared = [...text("firmware/hal.ts").matchAll(/^export declare function (\w+)/gm)].map(([, name]) => name);
    const imports = wasm.Module.imports(module).map(({ module, name, kind }) => `${kind} ${module}.${name}`);
    expect(imports.sort()).toEqual(["memory env.memory", ...declared.map((name) => `function hal.${name}`)].sort());
  });

  it("exports exactly the ABI of docs/protocol.md, and not its memory", () => {
    const abi = text("docs/protocol.md").split("## Module ABI")[1]!;
    const rows = [...abi.matchAll(/^\| (`.*?`) \|/gm)].map(([, cell]) => cell!);
    const names = rows.flatMap((cell) => [...cell.matchAll(/`(\w+)/g)].map(([, name]) => name!));
    const exports = wasm.Module.exports(module).map(({ name, kind }) => `${kind} ${name}`);
    expect(exports.sort()).toEqual(names.map((name) => `function ${name}`).sort());
  });

  it("asks for two pages of memory, no less and no more", () => {
    const memories = [...text("build/governor.wat").matchAll(/\(memory .*?(\d+) (\d+)\)/g)].map((m) => [m[1], m[2]]);
    expect(memories).toEqual([["2", "2"]]);
  });

  it("neither allocates nor collects garbage", () => {
    const forbidden =
      /__new\b|__renew\b|__alloc\b|__free\b|__pin\b|__unpin\b|__collect\b|memory\.grow|~lib\/rt\/(?:tlsf|itcms|stub)/;
    const functions = [...text("build/governor.wat").matchAll(/\(func \$(\S+)/g)].map(([, name]) => name!);
    expect(functions.length).toBeGreaterThan(10);
    expect(text("build/governor.wat").match(forbidden)?.[0]).toBeUndefined();
  });

  it("has no floating point, no SIMD and no table of functions that a stray index could call", () => {
    const code = text("build/governor.wat");
    expect(code.match(/\b(?:f32|f64|v128|i8x16|i16x8|i32x4|i64x2)\.\w+/)?.[0]).toBeUndefined();
    expect(code.match(/\bcall_indirect\b/)?.[0]).toBeUndefined();
  });

  it("keeps mailbox and State block apart, aligned and inside its memory", () => {
    const { mailbox, state, stateBytes, memory } = addresses();
    expect(memory.buffer.byteLength).toBe(PAGES * PAGE_BYTES);
    for (const address of [mailbox, state]) expect(address % 8).toBe(0);
    expect(state + stateBytes).toBeLessThanOrEqual(PAGES * PAGE_BYTES);
    expect(mailbox + Limit.MESSAGE_BYTES_MAX).toBeLessThanOrEqual(PAGES * PAGE_BYTES);
    const apart = mailbox + Limit.MESSAGE_BYTES_MAX <= state || state + stateBytes <= mailbox;
    expect(apart).toBe(true);
    expect(stateBytes).toBeGreaterThan(StateHead.LAST_CODE + 4);
  });

  it("has a State block small enough that one memory can hold its scratch and it, and thousands fit 64 MiB", () => {
    expect(addresses().stateBytes).toBeLessThanOrEqual((64 * KIB * KIB) / 4096);
  });
});
