/**
 * A module that counts its branches: each way out of each `if`, `br_if` and `br_table` has a byte, which rises to 255
 * and stays there. The bytes lie at the very end of the memory that the module is bounded to, above all that it uses
 * itself, so that an access out of its memory traps as it did before. Loops that turn too often are stopped by a trap.
 */
import { instructionsOf, Op } from "./instructions.ts";
import { I32, type Insertion, Instrument } from "./instrument.ts";
import { Cursor, signed, unsigned, WasmModule } from "./module.ts";
import { turnHelper } from "./turns.ts";

const PAGE_BYTES = 65_536;
const COUNT_MAX = 255;

export type Covered = {
  bytes: Uint8Array;
  pages: number;
  /** Where the counters lie, one byte each. */
  counters: number;
  /** How many there are. */
  branches: number;
  /** Names under which the module's own changing globals are exported. */
  globals: readonly string[];
};

/** @throws Error if the module leaves no room for its counters. */
export function withCoverage(bytes: Uint8Array): Covered {
  const module = new WasmModule(bytes);
  const pages = module.importedMemoryPages;
  const branches = module.bodies.reduce((sum, { code }) => sum + branchesIn(code), 0);
  const counters = pages * PAGE_BYTES - branches;
  const used = Math.max(0, ...module.data.map(({ address, length }) => address + length));
  if (used > counters) throw new Error(`no room for ${branches} counters above byte ${used} of the memory`);

  const instrument = new Instrument(bytes);
  const globals = instrument.exportGlobals((index) => `own.${index}`);
  const turn = turnHelper(instrument);
  const either = instrument.helper({ parameters: [I32, I32], results: [I32], code: [...EITHER_WAY, ...COUNT] });
  const chosen = instrument.helper({ parameters: [I32, I32, I32], results: [I32], code: [...WAY_CHOSEN, ...COUNT] });
  let next = counters;
  const made = instrument.insert((code) => {
    const insertions: Insertion[] = [];
    for (const { op, start, end } of instructionsOf(code)) {
      const ways = waysOf(op, code, start);
      if (op === Op.LOOP) insertions.push({ at: end, code: callOf(turn) });
      else if (op === Op.BR_TABLE)
        insertions.push({ at: start, code: [...constant(next), ...constant(ways - 1), ...callOf(chosen)] });
      else if (ways > 0) insertions.push({ at: start, code: [...constant(next), ...callOf(either)] });
      next += ways;
    }
    return insertions;
  });
  return { bytes: made, pages, counters, branches, globals };
}

function branchesIn(code: Uint8Array): number {
  let sum = 0;
  for (const { op, start } of instructionsOf(code)) sum += waysOf(op, code, start);
  return sum;
}

/** Ways out of an instruction that branches; 0 for the others. */
function waysOf(op: number, code: Uint8Array, at: number): number {
  if (op === Op.IF || op === Op.BR_IF) return 2;
  return op === Op.BR_TABLE ? new Cursor(code, at + 1).unsigned() + 1 : 0;
}

const constant = (value: number) => [Op.I32_CONST, ...signed(BigInt(value))];
const callOf = (functionIndex: number) => [Op.CALL, ...unsigned(functionIndex)];
const get = (local: number) => [Op.LOCAL_GET, local];
/** At the address in local 1. */
const COUNTED = [...get(1), Op.I32_LOAD8_U, 0, 0];

/** `(condition, first)`: the first counter is that of a condition that holds. */
const EITHER_WAY = [...get(1), ...get(0), Op.I32_EQZ, Op.I32_ADD, Op.LOCAL_SET, 1];
/** `(index, first, last)`: an index beyond the last way takes the last. */
const WAY_CHOSEN = [
  ...[...get(1), ...get(0), ...get(2), ...get(0), ...get(2), Op.I32_LT_U, Op.SELECT],
  ...[Op.I32_ADD, Op.LOCAL_SET, 1],
];
/** Raises the counter whose address is in local 1, and gives local 0 back. */
const COUNT = [
  ...[...get(1), ...COUNTED, ...COUNTED, ...constant(COUNT_MAX), Op.I32_NE, Op.I32_ADD, Op.I32_STORE8, 0, 0],
  ...get(0),
];
