/** Reading what stands in rows: it may be anything, and what cannot be read is a finding, never an end. */

import { LogError } from "../../log/errors.ts";
import type { AllWork } from "../../objects/work.ts";
import { Refusal } from "../../protocol/refusal.ts";
import { VerifierError } from "../../verifier/errors.ts";

export type Read<T> = { readonly value: T } | { readonly fault: string };

export function readOf<T>(read: () => T): Read<T> {
  try {
    return { value: read() };
  } catch (error) {
    const isOfTheBytes =
      error instanceof Refusal ||
      error instanceof RangeError ||
      error instanceof SyntaxError ||
      error instanceof VerifierError ||
      error instanceof LogError;
    if (isOfTheBytes) return { fault: error.message };
    throw error;
  }
}

export function sameWork(a: AllWork, b: AllWork): boolean {
  return a.length === b.length && a.every((work, engineClass) => work === b[engineClass]);
}
