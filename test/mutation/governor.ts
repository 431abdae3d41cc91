/** The governor that ships, with the names of its functions. */
import { readFileSync } from "node:fs";
import { functionNames } from "../compile.ts";

const built = new URL("../../build/", import.meta.url);

/** `names`: of all functions, by index. Run `npm run build` before. */
export function governorModule(): { bytes: Uint8Array; names: string[] } {
  const bytes = new Uint8Array(readFileSync(new URL("governor.wasm", built)));
  return { bytes, names: functionNames(readFileSync(new URL("governor.wat", built), "utf8")) };
}
