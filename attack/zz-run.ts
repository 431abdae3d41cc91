import { readFileSync } from "node:fs";
import { FaultBench } from "./faults/bench.ts";
import { singleFaults } from "./faults.ts";
import { WasmModule } from "./instrument/module.ts";
import { functionNames } from "../test/compile.ts";
import { SCENES } from "./faults/scenes.ts";
const bytes = new Uint8Array(readFileSync("build/governor.wasm"));
const names = functionNames(readFileSync("build/governor.wat","utf8")).slice(new WasmModule(bytes).importedFunctions);
const [kinds, filter, share] = process.argv.slice(2);
let t0 = performance.now();
const bench = new FaultBench(bytes, SCENES.filter((s) => new RegExp(filter ?? ".").test(s.name)));
const cases = singleFaults(bench);
console.log("cases", cases.count, "setup", (performance.now() - t0).toFixed(0), "ms", "sites", bench.sites.length);
t0 = performance.now();
const verdicts: Record<string, number> = {}; const found = new Map<string, string[]>(); let n = 0;
const step = Number(share ?? 1);
for (let i = 0; i < cases.count; i += step) {
  const id = cases.idOf(i);
  if (!new RegExp(kinds ?? ".").test(id.split(":")[1]!)) continue;
  n++;
  let v: string;
  try { v = cases.run(i); } catch (e) {
    if ((e as Error).name !== "AttackSucceeded") throw e;
    v = id.split(":")[1] + " FOUND";
    const m = (e as Error).message;
    const where = m.replace(/function (\d+)/, (_, b) => names[Number(b)]!).replace(/: class.*/, "");
    const key = id.split(":")[0] + " | " + where.replace(/^bit \d of /, "");
    found.set(key, [...(found.get(key) ?? []), id.split(":").slice(1).join(":")]);
  }
  verdicts[v] = (verdicts[v] ?? 0) + 1;
}
const s = (performance.now() - t0) / 1000;
console.log(n, "in", s.toFixed(1), "s", (s * 1e6 / n).toFixed(0), "us each");
console.log(verdicts);
for (const [k, ids] of found) console.log(k, ids.length, ids.slice(0, 2).join(" "));
