/**
 * A module made over so that it can be given one fault, or two, of a processor that is glitched: at any instruction that
 * decides or has an effect, each time that it is executed. One module serves all cases: each place asks whether it is
 * its turn, by a counter of all that were passed.
 *
 *     branch   a condition is taken for its opposite; a `br_table` goes to each of its targets
 *     skip     a store, a `local.set`, a `global.set` or a call has no effect; the result of a call is then 0
 *     result   a call is made, and its result is 0, 1 or -1
 *     load     one bit of what comes from memory is another
 *
 * Calls of costly functions can be looked after: the host is asked before each whether it knows the outcome.
 */
import {
  type Instruction,
  instructionsOf,
  isLoad,
  isStore32,
  isStore64,
  Op,
  widthOf,
} from "../instrument/instructions.ts";
import { I32, I64, type Insertion, Instrument } from "../instrument/instrument.ts";
import { Cursor, type Signature, signed, unsigned } from "../instrument/module.ts";
import { turnHelper } from "../instrument/turns.ts";

export const FAULT_KINDS = ["branch", "skip", "result", "load"] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** An instruction that can be hit. */
export type FaultSite = {
  kind: FaultKind;
  /** Number among the module's own functions. */
  body: number;
  /** Byte of the function's code. */
  at: number;
  op: number;
  /** What the fault can do here: each is a value of the global `fault.mode`. */
  modes: readonly bigint[];
};

export type FaultOptions = {
  /** Whether this one of the module's own functions gets sites. Default: every one. */
  hits?: (body: number) => boolean;
  /** Own functions whose calls the host looks after. */
  watched?: ReadonlySet<number>;
  /** Whether the host is told of every site that is passed. */
  noted?: boolean;
};

/** What the host gives a module with faults. */
export type FaultImports = {
  /** A site was passed, if that is asked for. */
  note(site: number): void;
  /** A watched function is called, with its arguments in `fault.argument…`: 1 if `fault.result` is its result already. */
  enter(body: number): number;
  /** It has come back. */
  leave(body: number): void;
};

export const ARGUMENTS_MAX = 9;
export const argumentName = (i: number) => `fault.argument${i}`;
const EMPTY_BLOCK = 0x40;
const RESULTS: readonly bigint[] = [0n, 1n, -1n];

export type Faulty = {
  bytes: Uint8Array;
  sites: readonly FaultSite[];
  /** Names under which the module's own changing globals are exported. */
  globals: readonly string[];
};

export function withFaults(bytes: Uint8Array, options: FaultOptions = {}): Faulty {
  const instrument = new Instrument(bytes);
  const globals = instrument.exportGlobals((index) => `own.${index}`);
  const tools = toolsOf(instrument, options);
  const sites: FaultSite[] = [];
  const made = instrument.insert((code, functionIndex) => {
    const body = functionIndex - tools.firstOwn;
    const hit = options.hits?.(body) ?? true;
    return insertionsInto(code, tools, (site) => (hit ? sites.push({ ...site, body }) - 1 : undefined));
  });
  return { bytes: made, sites, globals };
}

type Place = Omit<FaultSite, "body">;
/** Takes up a site, and gives its number; nothing where there is to be none. */
type Take = (site: Place) => number | undefined;

function insertionsInto(code: Uint8Array, tools: Tools, take: Take): Insertion[] {
  const insertions: Insertion[] = [];
  for (const instruction of instructionsOf(code)) {
    const { before, instead, after } = around(instruction, code, tools, take);
    const { start, end } = instruction;
    insertions.push({
      at: start,
      code: [...before, ...(instead ?? code.subarray(start, end)), ...after],
      instead: end - start,
    });
  }
  return insertions;
}

/** Code around an instruction, and in its place. */
type Around = { before: readonly number[]; instead?: readonly number[]; after: readonly number[] };
const NOTHING: Around = { before: [], after: [] };

function around(instruction: Instruction, code: Uint8Array, tools: Tools, take: Take): Around {
  const { op, start: at } = instruction;
  const place = (kind: FaultKind, modes: readonly bigint[] = [0n]) => take({ kind, at, op, modes });
  if (op === Op.CALL) return aroundCall(new Cursor(code, at + 1).unsigned(), tools, place);
  if (op === Op.LOOP) return { before: [], after: callOf(tools.turn) };
  if (op === Op.IF || op === Op.BR_IF) return { before: asked(place("branch"), tools.invert), after: [] };
  if (op === Op.BR_TABLE) {
    const targets = new Cursor(code, at + 1).unsigned() + 1;
    return { before: asked(place("branch", numbers(targets)), tools.force32), after: [] };
  }
  if (isLoad(op)) {
    const { bits, wide } = widthOf(op);
    return { before: [], after: asked(place("load", numbers(bits)), wide ? tools.flip64 : tools.flip32) };
  }
  if (op === Op.LOCAL_SET || op === Op.LOCAL_TEE || op === Op.GLOBAL_SET) {
    return keptInstead(instruction, code, tools, place("skip"));
  }
  const parameters = operandsOf(op);
  return parameters ? skipped(place("skip"), { parameters, results: [] }, tools) : NOTHING;
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => BigInt(i));
const constant = (value: number) => [Op.I32_CONST, ...signed(BigInt(value))];
const callOf = (functionIndex: number) => [Op.CALL, ...unsigned(functionIndex)];

/** A helper that takes what is on the stack, and gives it back as it is or not. */
function asked(site: number | undefined, helper: number): number[] {
  return site === undefined ? [] : [...constant(site), ...callOf(helper)];
}

/** What the variable holds already is put in place of what it would be set to. */
function keptInstead(
  { op, start, end }: Instruction,
  code: Uint8Array,
  tools: Tools,
  site: number | undefined,
): Around {
  if (site === undefined) return NOTHING;
  const get = [op === Op.GLOBAL_SET ? Op.GLOBAL_GET : Op.LOCAL_GET, ...code.subarray(start + 1, end)];
  return { before: [...get, ...asked(site, tools.hit), Op.I32_EQZ, Op.SELECT], after: [] };
}

/** What an instruction that only has an effect takes from the stack. */
function operandsOf(op: number): readonly number[] | undefined {
  if (isStore32(op)) return [I32, I32];
  if (isStore64(op)) return [I32, I64];
  if (op === Op.MEMORY_COPY || op === Op.MEMORY_FILL) return [I32, I32, I32];
  return undefined;
}

/** The instruction in an arm that is not taken when it is hit; the other one drops its operands. */
function skipped(site: number | undefined, { parameters, results }: Signature, tools: Tools): Around {
  if (site === undefined) return NOTHING;
  const block = signed(BigInt(tools.typeOf({ parameters, results })));
  const zeros = results.flatMap((type) => [type === I64 ? Op.I64_CONST : Op.I32_CONST, 0]);
  const drops = parameters.map(() => Op.DROP);
  return { before: [...asked(site, tools.hit), Op.IF, ...block, ...drops, ...zeros, Op.ELSE], after: [Op.END] };
}

function aroundCall(
  callee: number,
  tools: Tools,
  place: (kind: FaultKind, modes?: readonly bigint[]) => number | undefined,
): Around {
  const signature = tools.signatureOf(callee);
  const [result] = signature.results;
  const { before, after } = skipped(place("skip"), signature, tools);
  const forced =
    result === undefined ? [] : asked(place("result", RESULTS), result === I64 ? tools.force64 : tools.force32);
  return { before, instead: callOf(tools.watcherOf(callee)), after: [...after, ...forced] };
}

type Tools = {
  firstOwn: number;
  /** `(site) -> hit`: counts, and says whether it is this one's turn. */
  hit: number;
  /** Once in every turn of a loop. */
  turn: number;
  invert: number;
  flip32: number;
  flip64: number;
  force32: number;
  force64: number;
  typeOf(signature: Signature): number;
  signatureOf(functionIndex: number): Signature;
  /** What is called in a function's place: itself, or what looks after it. */
  watcherOf(functionIndex: number): number;
};

const get = (local: number) => [Op.LOCAL_GET, ...unsigned(local)];
const read = (global: number) => [Op.GLOBAL_GET, ...unsigned(global)];
const write = (global: number) => [Op.GLOBAL_SET, ...unsigned(global)];
const wide = (value: number) => [Op.I64_CONST, ...signed(BigInt(value))];

function toolsOf(instrument: Instrument, { noted = false, watched = new Set() }: FaultOptions): Tools {
  const note = instrument.import("fault", "note", { parameters: [I32], results: [] });
  const enter = instrument.import("fault", "enter", { parameters: [I32], results: [I32] });
  const leave = instrument.import("fault", "leave", { parameters: [I32], results: [] });
  const firstOwn = leave + 1;
  const mode = instrument.global("fault.mode");
  const hit = instrument.helper(hitHelper(instrument, mode, noted ? [...get(0), ...callOf(note)] : []));
  /** `(value, site) -> value`, or what `changed` makes of it. */
  const changer = (type: number, changed: readonly number[]) =>
    instrument.helper({
      parameters: [type, I32],
      results: [type],
      code: [...get(1), ...callOf(hit), Op.IF, type, ...changed, Op.ELSE, ...get(0), Op.END],
    });
  const narrow = [...read(mode), Op.I32_WRAP_I64];
  const types = new Map<string, number>();
  const signatures = new Map<number, Signature>();
  const tools: Tools = {
    firstOwn,
    hit,
    turn: turnHelper(instrument, "fault."),
    invert: changer(I32, [...get(0), Op.I32_EQZ]),
    flip32: changer(I32, [...get(0), Op.I32_CONST, 1, ...narrow, Op.I32_SHL, Op.I32_XOR]),
    flip64: changer(I64, [...get(0), Op.I64_CONST, 1, ...read(mode), Op.I64_SHL, Op.I64_XOR]),
    force32: changer(I32, narrow),
    force64: changer(I64, read(mode)),
    typeOf(signature) {
      const key = JSON.stringify(signature);
      if (!types.has(key)) types.set(key, instrument.type(signature));
      return types.get(key)!;
    },
    signatureOf(functionIndex) {
      if (!signatures.has(functionIndex)) signatures.set(functionIndex, instrument.signatureOf(functionIndex));
      return signatures.get(functionIndex)!;
    },
    watcherOf: (functionIndex) => watchers.get(functionIndex) ?? functionIndex,
  };
  const registers = Array.from({ length: ARGUMENTS_MAX }, (_, i) => instrument.global(argumentName(i)));
  const result = instrument.global("fault.result");
  const watchers = new Map<number, number>();
  for (const body of watched) {
    const callee = firstOwn + body;
    const code = watcherCode(callee, body, tools.signatureOf(callee), { enter, leave, registers, result });
    watchers.set(callee, instrument.helper({ ...tools.signatureOf(callee), code }));
  }
  return tools;
}

/** Counts; at the armed number the fault is there, and the next one is armed. */
function hitHelper(
  instrument: Instrument,
  mode: number,
  noting: readonly number[],
): { parameters: number[]; results: number[]; code: number[] } {
  const [count, armed, armedMode, next, nextMode] = ["count", "armed", "armedMode", "next", "nextMode"].map((name) =>
    instrument.global(`fault.${name}`),
  ) as [number, number, number, number, number];
  const move = (from: number, to: number) => [...read(from), ...write(to)];
  const code = [
    ...noting,
    ...[...read(count), ...wide(1), Op.I64_ADD, ...write(count)],
    ...[...read(count), ...read(armed), Op.I64_EQ, Op.IF, I32],
    ...[...move(armedMode, mode), ...move(next, armed), ...move(nextMode, armedMode), ...constant(1)],
    ...[Op.ELSE, ...constant(0), Op.END],
  ];
  return { parameters: [I32], results: [I32], code };
}

type Watching = { enter: number; leave: number; registers: readonly number[]; result: number };

function watcherCode(callee: number, body: number, { parameters, results }: Signature, watching: Watching): number[] {
  const { enter, leave, registers, result } = watching;
  if (parameters.length > registers.length)
    throw new RangeError(`a watched function takes ${parameters.length} values`);
  const isWide = results[0] === I64;
  const widened = isWide ? [] : [Op.I64_EXTEND_I32_U];
  const given = results.length === 0 ? [] : [...read(result), ...(isWide ? [] : [Op.I32_WRAP_I64])];
  const kept = results.length === 0 ? [] : [...widened, ...write(result)];
  return [
    ...parameters.flatMap((type, i) => [
      ...get(i),
      ...(type === I64 ? [] : [Op.I64_EXTEND_I32_U]),
      ...write(registers[i]!),
    ]),
    ...[...constant(body), ...callOf(enter), Op.IF, EMPTY_BLOCK, ...given, Op.RETURN, Op.END],
    ...[...parameters.flatMap((_, i) => get(i)), ...callOf(callee), ...kept],
    ...[...constant(body), ...callOf(leave), ...given],
  ];
}
