/** The governor image that the commands run: `build/governor.wasm`, beside the sources. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { GovernorImage } from "../../sim-board/governor-module.ts";
import { wrongUse } from "./exit.ts";

/** Throws a `CliError` that says what to run if the firmware was not built yet. */
export function loadGovernor(): GovernorImage {
  const path = fileURLToPath(new URL("../../build/governor.wasm", import.meta.url));
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(readFileSync(path));
  } catch (cause) {
    throw wrongUse("build/governor.wasm is missing: run `npm run build` first", cause);
  }
  return new GovernorImage(bytes);
}
