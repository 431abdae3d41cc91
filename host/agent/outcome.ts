/** How a step of the agent ended, as a value: done, or not, by whom, and with which code. */
import type { ErrorCode } from "../../firmware/protocol/errors.ts";
import { ClientError, type ClientErrorCode } from "../client/errors.ts";
import { requestIdOf } from "../client/problem.ts";
import { errorPhrase } from "../protocol/error-phrases.ts";
import { Refusal } from "../protocol/refusal.ts";
import { VerifierError, type VerifierErrorCode } from "../verifier/errors.ts";
import { DriverError, type DriverErrorCode } from "./driver.ts";
import { AgentError, type AgentErrorCode } from "./errors.ts";
import type { Step } from "./step.ts";

interface Failed {
  readonly ok: false;
  readonly message: string;
  /** What the verifier's log calls the request. */
  readonly requestId?: string;
}

/** `link`: neither end refused, one of them was not reached. `agent`: its own folder, or what it was not given. */
export type Failure =
  | (Failed & { readonly by: "board"; readonly code: ErrorCode })
  | (Failed & { readonly by: "verifier"; readonly code: VerifierErrorCode })
  | (Failed & { readonly by: "link"; readonly code: ClientErrorCode | DriverErrorCode })
  | (Failed & { readonly by: "agent"; readonly code: AgentErrorCode });

export type Outcome = { readonly ok: true } | Failure;

const DONE: Outcome = { ok: true };

/** The step's end as a value; what is no refusal of either end and no failure of a link is a fault, and is thrown. */
export function* attempt(step: Step<unknown>): Step<Outcome> {
  try {
    yield* step;
    return DONE;
  } catch (error) {
    const failure = failureOf(error);
    if (failure) return failure;
    throw error;
  }
}

/** Undefined for a fault. */
export function failureOf(error: unknown): Failure | undefined {
  if (error instanceof Refusal) {
    return { ok: false, by: "board", code: error.code, message: errorPhrase(error.code).phrase };
  }
  const requestId = requestIdOf(error);
  const told = { ok: false, ...(requestId !== undefined && { requestId }) } as const;
  if (error instanceof VerifierError) return { ...told, by: "verifier", code: error.code, message: error.message };
  if (error instanceof ClientError || error instanceof DriverError) {
    return { ...told, by: "link", code: error.code, message: error.message };
  }
  if (error instanceof AgentError) return { ok: false, by: "agent", code: error.code, message: error.message };
  return undefined;
}
