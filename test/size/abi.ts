/** What the governor says of its own memory. */
import { instantiate } from "../wasm.ts";

export type Places = { mailbox: number; state: number; stateBytes: number };

type Exports = Record<"mailbox" | "stateBlock" | "stateBytes", () => number> & { _initialize?(): void };

/** Asks an instance whose silicon does nothing. */
export function placesOf(bytes: Uint8Array, memory: object): Places {
  const hal = new Proxy({}, { get: () => () => 0 });
  const exports = instantiate<Exports>(bytes, { env: { memory }, hal });
  exports._initialize?.();
  return {
    mailbox: exports.mailbox() >>> 0,
    state: exports.stateBlock() >>> 0,
    stateBytes: exports.stateBytes() >>> 0,
  };
}
