/** The governor that ships, as `npm run build` leaves it: compiled once a process, or a thread. */
import { readFileSync } from "node:fs";
import { GovernorImage } from "./governor-module.ts";

const BUILT = new URL("../build/governor.wasm", import.meta.url);
let image: GovernorImage | undefined;

export function governorImage(): GovernorImage {
  image ??= new GovernorImage(new Uint8Array(readFileSync(BUILT)));
  return image;
}
