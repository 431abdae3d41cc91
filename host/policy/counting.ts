/**
 * How operations of different data types become one figure. "native": each counts as one. "fp16-equivalent-or-native":
 * as many 16-bit operations as its width makes it, or as itself, whichever is higher (the rule of the draft agreement in
 * arXiv 2511.10783): a wide operation counts more, a narrow one never less than one. So nobody comes under a threshold
 * by computing in fewer bits.
 *
 * The width is that of the operands, as in TPP = TOPS × bit length (US BIS, 3A090). TF32 is stored in 32 bits and counts
 * as such; the vector units count as 32 bits wide. Bytes of copy and links are no operations.
 */
import type { EngineClass } from "../../firmware/protocol/classes.ts";
import { allWork, type WorkByClass } from "../objects/work.ts";
import { isByteClass } from "./classes.ts";

export const COUNTING_RULES = ["native", "fp16-equivalent-or-native"] as const;
export type CountingRule = (typeof COUNTING_RULES)[number];

/** Bits of an operand, by class number 0 to 8. */
const OPERAND_BITS: readonly bigint[] = [64n, 32n, 16n, 16n, 8n, 8n, 4n, 4n, 32n];
export const REFERENCE_BITS = 16n;

/** Of a class of operations. */
export function operandBits(engineClass: EngineClass): bigint {
  return OPERAND_BITS[engineClass]!;
}

/** What one operation of a class counts as; a whole number under either rule, 0 for bytes. */
export function operationFactor(engineClass: EngineClass, rule: CountingRule): bigint {
  if (isByteClass(engineClass)) return 0n;
  const bits = operandBits(engineClass);
  return rule === "native" || bits <= REFERENCE_BITS ? 1n : bits / REFERENCE_BITS;
}

/** Operations of all classes as one figure. */
export function countedOperations(work: WorkByClass, rule: CountingRule): bigint {
  return allWork(work).reduce(
    (sum, amount, engineClass) => sum + amount * operationFactor(engineClass as EngineClass, rule),
    0n,
  );
}
