/**
 * `npm run firmware:hash`: takes the firmware just built as what is meant. Its hash and what its operations execute are
 * then the committed ones; what changed is shown.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { countAll } from "../instructions/operations.ts";
import { differences, differenceTable, readRecord, writeRecord } from "../instructions/record.ts";

const image = new URL("../../build/governor.wasm", import.meta.url);
const committed = new URL("../../firmware/governor.sha256", import.meta.url);

// The form that `sha256sum --check` reads from the top of a clone.
const line = `${createHash("sha256").update(readFileSync(image)).digest("hex")}  build/governor.wasm\n`;
writeFileSync(committed, line);
process.stdout.write(line);

const counted = countAll();
const changed = differences(readRecord(), counted);
writeRecord(counted);
process.stdout.write(changed.length > 0 ? `${differenceTable(changed)}\n` : "the same instructions as before\n");
