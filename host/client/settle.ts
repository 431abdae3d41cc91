/** The same asked of several verifiers at once: what came of it at each, a refusal or a failure of the way there included. */
import { VerifierError } from "../verifier/errors.ts";
import type { CircleMember } from "./circle.ts";
import { ClientError } from "./errors.ts";

export type Result<T> = { readonly name: string; readonly value: T | undefined; readonly error?: Error };

export function settle<T>(
  members: readonly CircleMember[],
  ask: (member: CircleMember) => Promise<T>,
): Promise<Result<T>[]> {
  return Promise.all(members.map((member) => settleOne(member, ask)));
}

export async function settleOne<T>(
  member: CircleMember,
  ask: (member: CircleMember) => Promise<T>,
): Promise<Result<T>> {
  const { name } = member;
  try {
    return { name, value: await ask(member) };
  } catch (error) {
    return { name, value: undefined, error: failureOf(error) };
  }
}

/** Refusals, and failures of the way there; anything else is a fault. */
export function isFailure(error: unknown): error is ClientError | VerifierError {
  return error instanceof ClientError || error instanceof VerifierError;
}

/** A fault is thrown on. */
export function failureOf(error: unknown): ClientError | VerifierError {
  if (isFailure(error)) return error;
  throw error;
}

/** Of the refusal or the failure. */
export function codeOf(error: Error): string {
  return isFailure(error) ? error.code : error.name;
}
