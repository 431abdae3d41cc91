// Reads vitest's JSON report and prints two numbers: tests that passed, tests that failed. A file that could not be
// run at all counts as one failure. Skipped tests count as neither; how many there are is said on stderr.
import { readFileSync } from "node:fs";

const path = process.argv[2];
let report;
try {
  report = JSON.parse(readFileSync(path, "utf8"));
} catch (error) {
  console.error(`no test results: ${error.message}`);
  process.exit(1);
}
const tests = report.testResults.flatMap((file) => file.assertionResults);
const passed = tests.filter((test) => test.status === "passed").length;
const failed = tests.filter((test) => test.status === "failed").length;
const skipped = tests.length - passed - failed;
const unrun = report.testResults.filter(
  (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
);
for (const file of unrun) console.error(`could not be run: ${file.name}`);
if (skipped > 0) console.error(`${skipped} tests were skipped`);
console.log(`${passed} ${failed + unrun.length}`);
