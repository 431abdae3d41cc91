/** What passes between a caller that waits and the thread that asks for it: calls, and what came of them, as bytes. */
import { deserialize, serialize } from "node:v8";
import { Refusal } from "../protocol/refusal.ts";
import type { Registration } from "../service/service.ts";
import { VerifierError } from "../verifier/errors.ts";
import { CLIENT_ERRORS, ClientError, type ClientErrorCode, type Problem } from "./errors.ts";
import type { ClientOptions } from "./options.ts";
import { detailOf, verifierError } from "./problem.ts";

/** What can be told to another thread: no functions. */
type SyncClientOptions = Omit<ClientOptions, "sign">;

export interface NamedClient {
  readonly name: string;
  readonly options: SyncClientOptions;
}

export interface SyncWorkerData {
  /** Of the circle. */
  readonly verifiers: readonly NamedClient[];
  readonly others: readonly NamedClient[];
  readonly registration: Partial<Registration> | undefined;
  readonly graceMs: number | undefined;
  /** See `WORDS` and what follows them. */
  readonly shared: SharedArrayBuffer;
}

/** `of`: the name of one verifier, or nothing for the circle of all. */
export interface SyncCall {
  readonly of: string | undefined;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** The shared memory: two words of 32 bits, then the bytes of the answer. */
export const Word = { STATE: 0, LENGTH: 1 } as const;
export const WORDS_BYTES = 8;
export const State = { STARTING: 0, ASKED: 1, ANSWERED: 2 } as const;

type Told =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "verifier"; readonly code: string; readonly message: string }
  | {
      readonly kind: "client";
      readonly code: ClientErrorCode;
      readonly message: string;
      readonly problem: Problem | undefined;
      readonly retryAfterMs: number | undefined;
    }
  | { readonly kind: "refusal"; readonly code: number; readonly message: string }
  | { readonly kind: "fault"; readonly message: string };

export function valueBytes(value: unknown): Uint8Array {
  return serialize({ kind: "value", value } satisfies Told);
}

export function errorBytes(error: unknown): Uint8Array {
  return serialize(toldError(error));
}

/** The value, or the error thrown anew. */
export function readTold(bytes: Uint8Array): unknown {
  const told = deserialize(bytes) as Told;
  switch (told.kind) {
    case "value":
      return told.value;
    case "verifier":
      throw verifierError(told.code, told.message);
    case "client": {
      const { code, message, problem, retryAfterMs } = told;
      throw new ClientError(code, detailOf(CLIENT_ERRORS[code][1], message), { problem, retryAfterMs });
    }
    case "refusal":
      throw new Refusal(told.code, told.message);
    case "fault":
      throw new Error(told.message);
  }
}

function toldError(error: unknown): Told {
  if (error instanceof VerifierError) return { kind: "verifier", code: error.code, message: error.message };
  if (error instanceof ClientError) {
    const { code, message, problem, retryAfterMs } = error;
    return { kind: "client", code, message, problem, retryAfterMs };
  }
  if (error instanceof Refusal) return { kind: "refusal", code: error.code, message: error.message };
  return { kind: "fault", message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
