/** What a call was refused with, so that tests can hold the two ends side by side. */
import { Refusal } from "../host/protocol/refusal.ts";

/** The code of the `Refusal` that `act` throws, or 0 if it throws none. Anything else it throws is passed on. */
export function codeOf(act: () => unknown): number {
  try {
    act();
    return 0;
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));
}
