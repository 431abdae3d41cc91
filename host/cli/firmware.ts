/** The governor image that the commands run: `build/governor.wasm`, beside the sources. */
import { readFileSync } from "node:fs";
import { GovernorImage } from "../../sim-board/governor-module.ts";
import { wrongUse } from "./exit.ts";

const BUILT = new URL("../../build/governor.wasm", import.meta.url);

/** Throws a `CliError` that says what to run if the firmware was not built yet. */
export function loadGovernor(image: URL = BUILT): GovernorImage {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(readFileSync(image));
  } catch (cause) {
    throw wrongUse("build/governor.wasm is missing: run `npm run build` first", cause);
  }
  return new GovernorImage(bytes);
}
