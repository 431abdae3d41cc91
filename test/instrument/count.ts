/**
 * Counts what a module executes. An instruction is each operator of the module as it ships, each time it is executed,
 * but `block`, `loop`, `else` and `end`, which mark structure and do nothing. `memory.copy` and `memory.fill` are one
 * each, whatever they move; what the silicon does in a call of the HAL is not counted.
 *
 * One addition stands at the head of each straight line, for all of it: code that control enters at its first
 * instruction only and leaves at its last. A call ends a line, since it may not come back (power can go in it); a line
 * that traps is counted whole.
 */
import { instructionsOf, isLoad, isStore32, isStore64, Op } from "../../attack/instrument/instructions.ts";
import { type Insertion, Instrument } from "../../attack/instrument/instrument.ts";
import { signed, unsigned } from "../../attack/instrument/module.ts";

export const COUNTERS = ["instructions", "loads", "stores", "calls"] as const;
export type Counter = (typeof COUNTERS)[number];
export type Counts = Record<Counter, number>;

const MARKS: ReadonlySet<number> = new Set([Op.BLOCK, Op.LOOP, Op.ELSE, Op.END]);
/** After each of these begins another line. */
const LINE_ENDS: ReadonlySet<number> = new Set([
  Op.UNREACHABLE,
  Op.LOOP,
  Op.IF,
  Op.ELSE,
  Op.END,
  Op.BR,
  Op.BR_IF,
  Op.BR_TABLE,
  Op.RETURN,
  Op.CALL,
]);

/** The module with a global `count.…` exported for each of `COUNTERS`. */
export function counted(bytes: Uint8Array): Uint8Array {
  const instrument = new Instrument(bytes);
  const globals = COUNTERS.map((name) => instrument.global(nameOf(name)));
  return instrument.insert((code) => {
    const insertions: Insertion[] = [];
    let line = { at: 0, counts: none() };
    for (const { op, end } of instructionsOf(code)) {
      count(line.counts, op);
      if (!LINE_ENDS.has(op)) continue;
      insertions.push({ at: line.at, code: additions(globals, line.counts) });
      line = { at: end, counts: none() };
    }
    return insertions;
  });
}

/** What was executed in `act`. */
export function countsOf(global: (name: string) => bigint, act: () => void): Counts {
  const before = readCounts(global);
  act();
  const after = readCounts(global);
  return Object.fromEntries(COUNTERS.map((name) => [name, after[name] - before[name]])) as Counts;
}

const nameOf = (counter: Counter) => `count.${counter}`;
const none = (): Counts => ({ instructions: 0, loads: 0, stores: 0, calls: 0 });

/** What the counters of an instance read now, by a function that reads a global. */
function readCounts(global: (name: string) => bigint): Counts {
  return Object.fromEntries(COUNTERS.map((name) => [name, Number(global(nameOf(name)))])) as Counts;
}

function count(counts: Counts, op: number): void {
  if (!MARKS.has(op)) counts.instructions++;
  if (isLoad(op)) counts.loads++;
  if (isStore32(op) || isStore64(op)) counts.stores++;
  if (op === Op.CALL) counts.calls++;
}

function additions(globals: readonly number[], counts: Counts): number[] {
  return COUNTERS.flatMap((name, i) => (counts[name] === 0 ? [] : addTo(globals[i]!, counts[name])));
}

/** `global += amount`. */
function addTo(global: number, amount: number): number[] {
  const constant = [Op.I64_CONST, ...signed(BigInt(amount))];
  return [Op.GLOBAL_GET, ...unsigned(global), ...constant, Op.I64_ADD, Op.GLOBAL_SET, ...unsigned(global)];
}
