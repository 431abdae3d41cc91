/** Reading what stands in rows: it may be anything, and what cannot be read is a finding, never an end. */

import type { ObjectType } from "../../../firmware/protocol/claims.ts";
import { objectAad } from "../../objects/aad.ts";
import type { Agreement } from "../../objects/agreement.ts";
import type { AllWork } from "../../objects/work.ts";
import { parseSign, verifyQuorum } from "../../protocol/cose.ts";
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
      error instanceof VerifierError;
    if (isOfTheBytes) return { fault: error.message };
    throw error;
  }
}

/** Throws a `Refusal` unless all signatures hold, each of another party, and they are not more than the quorum. */
export function checkSignatures(bytes: Uint8Array, { parties }: Agreement, quorum: number, type: ObjectType): void {
  const { signatures } = parseSign(bytes);
  if (signatures.length > 0) verifyQuorum(bytes, parties, Math.min(signatures.length, quorum), objectAad(type));
}

export function sameWork(a: AllWork, b: AllWork): boolean {
  return a.length === b.length && a.every((work, engineClass) => work === b[engineClass]);
}
