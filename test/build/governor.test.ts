/** What the shipped governor is made of: its shape, its limits, and the hash that is committed. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { StateHead } from "../../firmware/protocol/board.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { placesOf } from "../size/abi.ts";
import { IMAGE_BYTES_MAX, PAGE_BYTES, PAGES_MAX, STATE_BYTES_MAX } from "../size/limits.ts";
import { wasmMemory } from "../wasm.ts";

type Described = { module?: string; name: string; kind: string };
interface WebAssemblyApi {
  Module: {
    new (bytes: Uint8Array<ArrayBuffer>): object;
    imports(module: object): Described[];
    exports(module: object): Described[];
  };
}
const wasm = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

const root = new URL("../../", import.meta.url);
const text = (path: string) => readFileSync(new URL(path, root), "utf8");

let bytes: Uint8Array<ArrayBuffer>;
let module: object;
beforeAll(() => {
  bytes = new Uint8Array(readFileSync(new URL("build/governor.wasm", root)));
  module = new wasm.Module(bytes);
});

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
    const { mailbox, state, stateBytes } = placesOf(bytes, wasmMemory(PAGES_MAX));
    for (const address of [mailbox, state]) expect(address % 8).toBe(0);
    expect(state + stateBytes).toBeLessThanOrEqual(PAGES_MAX * PAGE_BYTES);
    expect(mailbox + Limit.MESSAGE_BYTES_MAX).toBeLessThanOrEqual(PAGES_MAX * PAGE_BYTES);
    const apart = mailbox + Limit.MESSAGE_BYTES_MAX <= state || state + stateBytes <= mailbox;
    expect(apart).toBe(true);
    expect(stateBytes).toBeGreaterThan(StateHead.LAST_CODE + 4);
  });

  it("has a State block of at most 4 KiB, so that thousands of devices fit where one program runs", () => {
    expect(placesOf(bytes, wasmMemory(PAGES_MAX)).stateBytes).toBeLessThanOrEqual(STATE_BYTES_MAX);
  });
});
