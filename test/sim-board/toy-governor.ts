/** Small governors, compiled from source in memory, that do what a real one never should. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compile } from "../compile.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

const HEAD = `
import "../../firmware/panic";
import { flashErase, flashProgram, flashRead, gateClose, gateGrant, ticks, workRead } from "../../firmware/hal";
const box: usize = memory.data(4096, 8);
const block: usize = memory.data(64, 8);
export function mailbox(): usize { return box; }
export function stateBlock(): usize { return block; }
export function stateBytes(): usize { return 64; }
`;

const BODY = `
export function boot(handoffBytes: i32): u32 { store<u32>(block, 0x64a7185b, 8); return 0xfedcba98; }
/** The first byte of a request says what to do. */
export function doorbell(requestBytes: i32): i32 {
  const what = load<u8>(box);
  if (what == 1) unreachable();
  if (what == 2) flashRead(0, 131071, 2);
  if (what == 3) flashProgram(255, box, 2);
  if (what == 4) gateGrant(12, 1);
  if (what == 5) return 4097;
  if (what == 6) { gateGrant(9, 0xffffffffffffffff); store<u64>(box, workRead(9)); return 8; }
  if (what == 7) { store<u64>(box, ticks()); return 8; }
  if (what == 8) { gateGrant(9, 1000); store<u32>(block, 0x39d4c2a6, 8); }
  if (what == 9) { gateClose(); flashErase(0); }
  if (what == 10) { store<u32>(block + 16, load<u32>(block + 16) + 1); store<u32>(box, load<u32>(block + 16)); return 4; }
  return requestBytes;
}
export function tick(): void { if (load<u32>(block, 12) == 1) unreachable(); }
export function creditLow(): void { gateGrant(9, 1000); }
export function tamper(): void { store<u32>(block, 0x72ca617f, 8); }
`;

/** Compiles (a second or so). `replace` edits the source. */
export async function toyGovernor(replace: (source: string) => string = (source) => source): Promise<Uint8Array> {
  const source = replace(HEAD + BODY);
  const entry = "test/sim-board/toy.ts";
  const readFile = (path: string) => (path === entry ? source : readSource(`${root}${path}`));
  return (await compile(entry, { target: "governor", readFile })).bytes;
}

function readSource(path: string): string | null {
  return existsSync(path) ? readFileSync(path, "utf8") : null;
}
