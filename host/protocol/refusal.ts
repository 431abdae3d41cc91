/** What the host throws where the governor would answer with an error code: the same code. */
import type { ErrorCode } from "../../firmware/protocol/errors.ts";

/** An object was refused. `code` is one of `firmware/protocol/errors.ts`; docs/errors.md explains each. */
export class Refusal extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message = "refused", options?: ErrorOptions) {
    super(`${message} (${errorCodeText(code)})`, options);
    this.name = "Refusal";
    this.code = code;
  }
}

/** A code as the docs write it: `0x0204`. */
export function errorCodeText(code: number): string {
  return `0x${code.toString(16).padStart(4, "0")}`;
}
