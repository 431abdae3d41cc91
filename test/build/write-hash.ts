/** `npm run firmware:hash`: takes the hash of the governor just built as the one that is committed. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

const image = new URL("../../build/governor.wasm", import.meta.url);
const committed = new URL("../../firmware/governor.sha256", import.meta.url);

// The form that `sha256sum --check` reads from the top of a clone.
const line = `${createHash("sha256").update(readFileSync(image)).digest("hex")}  build/governor.wasm\n`;
writeFileSync(committed, line);
process.stdout.write(line);
