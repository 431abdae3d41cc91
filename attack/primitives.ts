/** `build/primitives.wasm`: the governor's own primitives, to be called one by one. */
import { readFileSync } from "node:fs";

export function primitivesBytes(): Uint8Array {
  return new Uint8Array(readFileSync(new URL("../build/primitives.wasm", import.meta.url)));
}
