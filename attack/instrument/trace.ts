/**
 * Hashes what a module lets the outside see of its data: every decision (`if`, `br_if`, `br_table`), the address of
 * every load and store, the addresses and length of every `memory.copy` and `memory.fill`, and the operands of every
 * division and remainder, which few cores do in constant time. Two runs have one hash if, and but for a chance of
 * 2^-64 only if, they took the same branches, touched the same addresses and divided the same numbers.
 *
 * `select` is left out unless asked for: it is the instruction that chooses without branching, and compilers make a
 * conditional move of it. Multiplication is taken to be constant-time, as it is on the cores of today.
 */
import {
  type Instruction,
  instructionsOf,
  isDivision32,
  isDivision64,
  isLoad,
  isStore32,
  isStore64,
  Op,
} from "./instructions.ts";
import { type Helper, I32, I64, type Insertion, Instrument } from "./instrument.ts";
import { signed, unsigned } from "./module.ts";

/** A place in the module: an instruction that was watched. */
export type Site = { functionIndex: number; op: number; at: number };

export type Trace = {
  hash: bigint;
  /** How many things were hashed. */
  events: bigint;
  /** Index of the site of the last. */
  site: bigint;
};

export type TraceOptions = {
  /** Whether the choice of a `select` counts as a decision. Default false. */
  selects?: boolean;
  /** Hashing ends after so many events: the way to find the first difference. Default: never. */
  eventsMax?: bigint;
};

/**
 * Prime and offset of 64-bit FNV. A product's high bits depend on all the bits of its factors: the rotation brings them
 * to where the next product spreads them. The offset keeps zeros from leaving a hash of zero as it is.
 */
const PRIME = 0x100000001b3n;
const OFFSET = BigInt.asIntN(64, 0xcbf29ce484222325n);
const ROTATION = 29n;
const I64_MAX = 2n ** 63n - 1n;
const EMPTY_BLOCK = 0x40;

/** The module with globals `trace.hash`, `trace.events` and `trace.site` exported, and where its sites are. */
export function traced(bytes: Uint8Array, options: TraceOptions = {}): { bytes: Uint8Array; sites: Site[] } {
  const instrument = new Instrument(bytes);
  const helpers = helpersOf(instrument, options.eventsMax ?? I64_MAX);
  const sites: Site[] = [];
  const traced = instrument.insert((code, functionIndex) => {
    const insertions: Insertion[] = [];
    for (const instruction of instructionsOf(code)) {
      const watcher = watcherOf(instruction, options.selects === true);
      if (watcher === undefined) continue;
      const site = [Op.I32_CONST, ...signed(BigInt(sites.length))];
      insertions.push({ at: instruction.start, code: [...site, Op.CALL, ...unsigned(helpers[watcher])] });
      sites.push({ functionIndex, op: instruction.op, at: instruction.start });
    }
    return insertions;
  });
  return { bytes: traced, sites };
}

export function readTrace(global: (name: string) => bigint): Trace {
  return { hash: global("trace.hash"), events: global("trace.events"), site: global("trace.site") };
}

/** Looks at the operands on the stack, which it puts back. */
type Watcher = "decision" | "operand" | "store32" | "store64" | "copy" | "fill" | "division32" | "division64";

function watcherOf({ op }: Instruction, selects: boolean): Watcher | undefined {
  if (op === Op.IF || op === Op.BR_IF || (selects && op === Op.SELECT)) return "decision";
  if (op === Op.BR_TABLE || isLoad(op)) return "operand";
  if (isStore32(op)) return "store32";
  if (isStore64(op)) return "store64";
  if (op === Op.MEMORY_COPY) return "copy";
  if (op === Op.MEMORY_FILL) return "fill";
  if (isDivision32(op)) return "division32";
  if (isDivision64(op)) return "division64";
  return undefined;
}

const get = (local: number) => [Op.LOCAL_GET, ...unsigned(local)];
const extended = (local: number) => [...get(local), Op.I64_EXTEND_I32_U];

function helpersOf(instrument: Instrument, eventsMax: bigint): Record<Watcher, number> {
  const note = instrument.helper(noteHelper(instrument, eventsMax));
  /** A watcher of operands of these types: `seen` says which of them, as 64-bit values, are hashed. */
  const watcher = (types: readonly number[], ...seen: readonly number[][]) => {
    const noted = seen.flatMap((value) => [...value, ...get(types.length), Op.CALL, ...unsigned(note)]);
    const code = [...noted, ...types.flatMap((_, i) => get(i))];
    return instrument.helper({ parameters: [...types, I32], results: types, code });
  };
  const isSet = [...get(0), Op.I32_EQZ, Op.I64_EXTEND_I32_U];
  return {
    decision: watcher([I32], isSet),
    operand: watcher([I32], extended(0)),
    store32: watcher([I32, I32], extended(0)),
    store64: watcher([I32, I64], extended(0)),
    copy: watcher([I32, I32, I32], extended(0), extended(1), extended(2)),
    fill: watcher([I32, I32, I32], extended(0), extended(2)),
    division32: watcher([I32, I32], extended(0), extended(1)),
    division64: watcher([I64, I64], get(0), get(1)),
  };
}

/** `note(value, site)`: hash = rotate((hash ^ value) * PRIME) + OFFSET, and the site is remembered. */
function noteHelper(instrument: Instrument, eventsMax: bigint): Helper {
  const hash = instrument.global("trace.hash");
  const events = instrument.global("trace.events");
  const site = instrument.global("trace.site");
  const constant = (value: bigint) => [Op.I64_CONST, ...signed(value)];
  const read = (global: number) => [Op.GLOBAL_GET, ...unsigned(global)];
  const write = (global: number) => [Op.GLOBAL_SET, ...unsigned(global)];
  const product = [...read(hash), ...get(0), Op.I64_XOR, ...constant(PRIME), Op.I64_MUL];
  const code = [
    ...[...read(events), ...constant(eventsMax), Op.I64_LT_U, Op.IF, EMPTY_BLOCK],
    ...[...product, ...constant(ROTATION), Op.I64_ROTL, ...constant(OFFSET), Op.I64_ADD, ...write(hash)],
    ...[...extended(1), ...write(site)],
    ...[...read(events), ...constant(1n), Op.I64_ADD, ...write(events)],
    Op.END,
  ];
  return { parameters: [I64, I32], results: [], code };
}
