/**
 * Instructions of a function, one by one (WebAssembly core specification, section 5.4): as much of the set as the
 * firmware may use. What it may not use (floating point, SIMD, tables of functions) is refused.
 */
import { Cursor } from "./module.ts";

/** What the tools ask for by name. */
export const Op = {
  UNREACHABLE: 0x00,
  BLOCK: 0x02,
  LOOP: 0x03,
  IF: 0x04,
  ELSE: 0x05,
  END: 0x0b,
  BR: 0x0c,
  BR_IF: 0x0d,
  BR_TABLE: 0x0e,
  RETURN: 0x0f,
  CALL: 0x10,
  DROP: 0x1a,
  SELECT: 0x1b,
  LOCAL_GET: 0x20,
  LOCAL_SET: 0x21,
  LOCAL_TEE: 0x22,
  GLOBAL_GET: 0x23,
  GLOBAL_SET: 0x24,
  I32_LOAD8_U: 0x2d,
  I32_STORE8: 0x3a,
  I32_CONST: 0x41,
  I64_CONST: 0x42,
  I32_EQZ: 0x45,
  I32_NE: 0x47,
  I32_LT_U: 0x49,
  I64_EQ: 0x51,
  I64_LT_U: 0x54,
  I64_GT_U: 0x56,
  I32_ADD: 0x6a,
  I32_XOR: 0x73,
  I32_SHL: 0x74,
  I64_ADD: 0x7c,
  I64_MUL: 0x7e,
  I64_OR: 0x84,
  I64_XOR: 0x85,
  I64_SHL: 0x86,
  I64_ROTL: 0x89,
  I32_WRAP_I64: 0xa7,
  I64_EXTEND_I32_U: 0xad,
  /** Of the two-byte instructions, the prefix and the second byte together. */
  MEMORY_COPY: 0xfc0a,
  MEMORY_FILL: 0xfc0b,
} as const;

export type Instruction = { op: number; start: number; end: number };

const within = (first: number, last: number) => (op: number) => op >= first && op <= last;

export const isLoad = within(0x28, 0x35);
/** Bits that a load takes from memory, and whether its result is an `i64`. */
export function widthOf(op: number): { bits: number; wide: boolean } {
  const bits = [32, 64, 32, 64, 8, 8, 16, 16, 8, 8, 16, 16, 32, 32][op - 0x28]!;
  return { bits, wide: op === 0x29 || op >= 0x30 };
}
/** `i32.store`, and its narrow ones. */
export const isStore32 = (op: number) => op === 0x36 || op === 0x3a || op === 0x3b;
/** `i64.store`, and its narrow ones. */
export const isStore64 = (op: number) => op === 0x37 || within(0x3c, 0x3e)(op);
/** Division and remainder. */
export const isDivision32 = within(0x6d, 0x70);
export const isDivision64 = within(0x7f, 0x82);
/** Comparisons and arithmetic of integers, conversions between them: no operand stands in the code. */
const isPlain = (op: number) =>
  op <= 0x01 ||
  [Op.ELSE, Op.END, Op.RETURN, Op.DROP, Op.SELECT].includes(op as never) ||
  within(0x45, 0x5a)(op) ||
  within(0x67, 0x8a)(op) ||
  [Op.I32_WRAP_I64, 0xac, Op.I64_EXTEND_I32_U].includes(op as never) ||
  within(0xc0, 0xc4)(op);
/** One number follows: a type, a label, a function, a local, a global, a constant. */
const takesNumber = (op: number) =>
  within(Op.BLOCK, Op.IF)(op) ||
  [Op.BR, Op.BR_IF, Op.CALL].includes(op as never) ||
  within(Op.LOCAL_GET, Op.GLOBAL_SET)(op) ||
  [0x3f, Op.I32_CONST, Op.I64_CONST].includes(op as never);

/** @throws Error for an instruction that firmware may not have. */
export function* instructionsOf(code: Uint8Array): Generator<Instruction> {
  const cursor = new Cursor(code);
  while (cursor.at < code.length) {
    const start = cursor.at;
    const first = cursor.byte();
    const op = first === 0xfc ? 0xfc00 + cursor.byte() : first;
    skipOperands(cursor, op);
    yield { op, start, end: cursor.at };
  }
}

function skipOperands(cursor: Cursor, op: number): void {
  if (isPlain(op)) return;
  if (takesNumber(op)) cursor.skipNumber();
  else if (isLoad(op) || isStore32(op) || isStore64(op)) skipNumbers(cursor, 2);
  else if (op === Op.MEMORY_COPY) skipNumbers(cursor, 2);
  else if (op === Op.MEMORY_FILL) cursor.skipNumber();
  else if (op === Op.BR_TABLE) skipNumbers(cursor, cursor.unsigned() + 1);
  else throw new Error(`instruction 0x${op.toString(16)} is none that firmware may have`);
}

function skipNumbers(cursor: Cursor, count: number): void {
  for (let i = 0; i < count; i++) cursor.skipNumber();
}
