// Reads the demo's document: it must say that all is well, of the firmware whose hash is committed.
import { readFileSync } from "node:fs";

const [documentPath, hashPath] = process.argv.slice(2);
const document = JSON.parse(readFileSync(documentPath, "utf8"));
const committed = readFileSync(hashPath, "utf8").split(" ")[0];
const { ok, seed, firmware } = document;
console.log(`ok ${ok}, seed ${seed}, firmware ${firmware?.sha256}`);
if (ok !== true) {
  console.error("the demo does not say ok");
  process.exitCode = 1;
}
if (firmware?.sha256 !== committed) {
  console.error(`the demo ran another firmware than firmware/governor.sha256 names: ${committed}`);
  process.exitCode = 1;
}
