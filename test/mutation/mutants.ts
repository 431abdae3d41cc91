/**
 * Mutants of the module that ships: one small change each, of the kinds that programmers' mistakes are made of, in the
 * functions that decide about work. The suite should notice every one.
 *
 *     condition    the other branch is taken, the other value chosen
 *     comparison   the boundary belongs to the other side; equal for not equal
 *     arithmetic   another operation: minus for plus, or for and
 *     constant     one more, in what is compared or computed with it
 *     omission     a store, a call or a copy is left out; a call's result is then 0
 *
 * One module holds them all, and a global says which one is awake: it is compiled once, and runs at full speed.
 */
import { type Instruction, instructionsOf, isStore32, isStore64, Op } from "../../attack/instrument/instructions.ts";
import { I32, I64, type Insertion, Instrument } from "../../attack/instrument/instrument.ts";
import { Cursor, type Signature, signed, unsigned, WasmModule } from "../../attack/instrument/module.ts";
import { turnHelper } from "../../attack/instrument/turns.ts";

export const MUTANT_KINDS = ["condition", "comparison", "arithmetic", "constant", "omission"] as const;
export type MutantKind = (typeof MUTANT_KINDS)[number];

export type Mutant = {
  /** `function:kind:number`, the number counting from 1 among those of the kind in the function. */
  id: string;
  kind: MutantKind;
  /** Value of the global `mutant.awake` that wakes it. */
  number: bigint;
  /** Among all functions, the imported ones first. */
  functionIndex: number;
  instruction: Instruction;
};

/** Globals of the module with mutants: which one is awake, and how many turns its loops may make. */
export const MutantGlobal = { AWAKE: "mutant.awake", TURNS_MAX: "mutant.turnsMax" } as const;

const SOURCES = ["gate/", "journal/", "meter/", "objects/license", "objects/order"];
const isTarget = (name: string) => SOURCES.some((source) => name.startsWith(`firmware/${source}`));

/** `names`: of the module's functions, by index. */
export function mutantsOf(bytes: Uint8Array, names: readonly string[]): Mutant[] {
  const module = new WasmModule(bytes);
  const first = module.importedFunctions;
  const mutants: Mutant[] = [];
  for (const [i, { code }] of module.bodies.entries()) {
    const name = names[first + i]!;
    if (!isTarget(name)) continue;
    const counts = new Map<MutantKind, number>();
    const instructions = [...instructionsOf(code)];
    for (const [at, instruction] of instructions.entries()) {
      if (choosesBetweenEquals(instructions, at, code)) continue;
      const kind = kindAt(instruction, instructions[at + 1]);
      if (kind === undefined) continue;
      const count = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, count);
      const id = `${name.slice("firmware/".length)}:${kind}:${count}`;
      mutants.push({ id, kind, number: BigInt(mutants.length + 1), functionIndex: first + i, instruction });
    }
  }
  return mutants;
}

/** Least and greatest: at the boundary both are the same, and it makes no mutant to take the other. */
function choosesBetweenEquals(instructions: readonly Instruction[], at: number, code: Uint8Array): boolean {
  const [arm, left, right, comparison, choice] = instructions.slice(at - 3, at + 2);
  if (at < 3 || choice?.op !== Op.SELECT || isEquality(comparison!.op) || !COMPARISONS.has(comparison!.op))
    return false;
  if (left!.op !== Op.LOCAL_GET || right!.op !== Op.LOCAL_GET) return false;
  if (arm!.op !== Op.LOCAL_GET && arm!.op !== Op.LOCAL_TEE) return false;
  const local = ({ start, end }: Instruction) => Buffer.from(code.subarray(start + 1, end)).toString("hex");
  return local(arm!) === local(left!) || local(arm!) === local(right!);
}

function kindAt({ op }: Instruction, next: Instruction | undefined): MutantKind | undefined {
  if (op === Op.IF || op === Op.BR_IF || op === Op.SELECT) return "condition";
  if (COMPARISONS.has(op)) {
    // Turned around where it decides a branch, it would be the branch's own mutant.
    const decides = next !== undefined && (next.op === Op.IF || next.op === Op.BR_IF);
    return isEquality(op) && decides ? undefined : "comparison";
  }
  if (ARITHMETIC.has(op)) return "arithmetic";
  if (op === Op.I32_CONST || op === Op.I64_CONST) return next && isOperation(next.op) ? "constant" : undefined;
  const acts = [Op.CALL, Op.GLOBAL_SET, Op.MEMORY_COPY, Op.MEMORY_FILL].includes(op as never);
  return acts || isStore32(op) || isStore64(op) ? "omission" : undefined;
}

/** The module with all of these, asleep, and with loops that end. */
export function withMutants(bytes: Uint8Array, mutants: readonly Mutant[]): Uint8Array {
  const module = new WasmModule(bytes);
  const signatureOf = (functionIndex: number) => module.signatures[module.typeOf(functionIndex)]!;
  const instrument = new Instrument(bytes);
  const awake = instrument.global(MutantGlobal.AWAKE);
  const turn = turnHelper(instrument, "mutant.");
  const isAwake = ({ number }: Mutant) => [
    ...[Op.GLOBAL_GET, ...unsigned(awake)],
    ...[Op.I64_CONST, ...signed(number), Op.I64_EQ],
  ];
  const block = (signature: Signature) => signed(BigInt(instrument.type(signature)));
  return instrument.insert((code, index) => {
    const here = mutants.filter(({ functionIndex }) => functionIndex === index);
    const changes = here.map((mutant) => changeOf(mutant, code, isAwake(mutant), block, signatureOf));
    const loops = [...instructionsOf(code)].filter(({ op }) => op === Op.LOOP);
    const turns = loops.map(({ end }) => ({ at: end, code: [Op.CALL, ...unsigned(turn)] }));
    return [...turns, ...changes].sort((a, b) => a.at - b.at);
  });
}

/** The instruction, or what the mutant does in its place. */
function changeOf(
  { kind, instruction: { op, start, end } }: Mutant,
  code: Uint8Array,
  isAwake: readonly number[],
  block: (signature: Signature) => readonly number[],
  signatureOf: (functionIndex: number) => Signature,
): Insertion {
  const itself = [...code.subarray(start, end)];
  const instead = (bytes: readonly number[]): Insertion => ({ at: start, code: bytes, instead: end - start });
  /** One or the other, with the same operands. */
  const either = (other: readonly number[], signature: Signature) =>
    instead([...isAwake, Op.IF, ...block(signature), ...other, Op.ELSE, ...itself, Op.END]);
  switch (kind) {
    case "condition":
      // (not c) = awake: c while it sleeps, not c when it is awake.
      return { at: start, code: [Op.I32_EQZ, ...isAwake, I32_EQ] };
    case "comparison":
      return either([COMPARISONS.get(op)!], { parameters: operandsOf(op), results: [I32] });
    case "arithmetic":
      return either([ARITHMETIC.get(op)!], { parameters: operandsOf(op), results: [operandsOf(op)[0]!] });
    case "constant":
      return instead([...itself, ...isAwake, ...(op === Op.I64_CONST ? [Op.I64_EXTEND_I32_U, Op.I64_ADD] : [I32_ADD])]);
    case "omission": {
      const { parameters, results } =
        op === Op.CALL ? signatureOf(new Cursor(code, start + 1).unsigned()) : { parameters: takenBy(op), results: [] };
      const zeros = results.flatMap((type) => [type === I64 ? Op.I64_CONST : Op.I32_CONST, 0]);
      return either([...parameters.map(() => Op.DROP), ...zeros], { parameters, results });
    }
  }
}

/** What an instruction that only has an effect takes. */
function takenBy(op: number): number[] {
  if (op === Op.GLOBAL_SET) return [I32];
  if (isStore32(op)) return [I32, I32];
  if (isStore64(op)) return [I32, I64];
  return [I32, I32, I32];
}

const I32_EQ = 0x46;
const I32_ADD = 0x6a;
/** Of section 5.4.7, unsigned and signed: less and less or equal, greater and greater or equal, equal and not equal. */
const COMPARISONS = new Map(
  pairs([
    [I32_EQ, 0x47],
    [0x48, 0x4c],
    [0x49, 0x4d],
    [0x4a, 0x4e],
    [0x4b, 0x4f],
    [Op.I64_EQ, 0x52],
    [0x53, 0x57],
    [Op.I64_LT_U, 0x58],
    [0x55, 0x59],
    [Op.I64_GT_U, 0x5a],
  ]),
);
const isEquality = (op: number) => op === I32_EQ || op === 0x47 || op === Op.I64_EQ || op === 0x52;

/** Plus and minus, and and or, left and right; times and over become plus and times, exclusive or becomes or. */
const ARITHMETIC = new Map([
  ...pairs([
    [I32_ADD, 0x6b],
    [0x71, 0x72],
    [Op.I32_SHL, 0x76],
    [Op.I64_ADD, 0x7d],
    [0x83, Op.I64_OR],
    [Op.I64_SHL, 0x88],
  ]),
  ...[[0x6c, I32_ADD] as const, [0x6e, 0x6c] as const, [0x70, 0x6e] as const, [Op.I32_XOR, 0x72] as const],
  ...[[Op.I64_MUL, Op.I64_ADD] as const, [0x80, Op.I64_MUL] as const, [0x82, 0x80] as const],
  ...[[Op.I64_XOR, Op.I64_OR] as const],
]);

const isOperation = (op: number) => COMPARISONS.has(op) || ARITHMETIC.has(op);

/** Two operands of the width that the opcode's place in its section says. */
function operandsOf(op: number): number[] {
  const isWide = (op >= Op.I64_EQ && op <= 0x5a) || (op >= Op.I64_ADD && op <= 0x8a);
  return isWide ? [I64, I64] : [I32, I32];
}

function pairs(list: readonly (readonly [number, number])[]): [number, number][] {
  return list.flatMap(([a, b]) => [[a, b] as [number, number], [b, a] as [number, number]]);
}

/** The bits of one exported global of 64: which mutants' places were come to. */
const reachName = (index: number) => `mutant.reached${index}`;
const BITS = 64;

/** The module that notes the mutants' places that it comes to, one bit each. */
export function withReaches(bytes: Uint8Array, mutants: readonly Mutant[]): Uint8Array {
  const instrument = new Instrument(bytes);
  const globals = Array.from({ length: Math.ceil(mutants.length / BITS) }, (_, i) => instrument.global(reachName(i)));
  const places = mutants.map(({ functionIndex, instruction }, i) => {
    const global = unsigned(globals[Math.floor(i / BITS)]!);
    const bit = signed(BigInt.asIntN(64, 1n << BigInt(i % BITS)));
    const code = [Op.GLOBAL_GET, ...global, Op.I64_CONST, ...bit, Op.I64_OR, Op.GLOBAL_SET, ...global];
    return { functionIndex, insertion: { at: instruction.start, code } };
  });
  return instrument.insert((_, index) =>
    places.filter(({ functionIndex }) => functionIndex === index).map(({ insertion }) => insertion),
  );
}

/** Of `mutants`, those whose place an instance of the module came to. */
export function reachedIn(global: (name: string) => bigint, mutants: readonly Mutant[]): Mutant[] {
  const words = Array.from({ length: Math.ceil(mutants.length / BITS) }, (_, i) =>
    BigInt.asUintN(BITS, global(reachName(i))),
  );
  return mutants.filter((_, i) => (words[Math.floor(i / BITS)]! >> BigInt(i % BITS)) & 1n);
}
