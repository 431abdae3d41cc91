/** Bodies in CBOR: a refusal of the codec is told with the code that all parts of the protocol have for it. */
import { errorPhrase } from "../protocol/error-phrases.ts";
import { errorCodeText, Refusal } from "../protocol/refusal.ts";
import { HttpProblem } from "./problem-codes.ts";

/** Throws an `HttpProblem` for what the codec refuses. */
export function decodeBody<T>(body: Uint8Array, decode: (body: Uint8Array) => T): T {
  try {
    return decode(body);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { name } = errorPhrase(error.code);
    throw new HttpProblem("request/cbor", error.message, {
      members: { refusal: errorCodeText(error.code), refusalName: name },
    });
  }
}
