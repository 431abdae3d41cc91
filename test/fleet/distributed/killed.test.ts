/** Three processes, one of them killed in the middle of its work: the result has the bytes that one process gives. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { QUIESCE, quiesce } from "../../host/cli/run-cli.ts";
import { quiesceHere } from "../../host/cli/run-here.ts";
import { DATABASE_URL, engines, withPostgres } from "../../host/store/engines.ts";
import { coinScenario } from "../coins.ts";

const isHere = engines.some(({ engine }) => engine === "postgres");
const folder = mkdtempSync(join(tmpdir(), "quiesce-fleet-"));
const schema = `fleet_test_${randomBytes(8).toString("hex")}`;
const gate = join(folder, "gate");
const scenario = join(folder, "gated.json");
const STUDIES = ["--studies", fileURLToPath(new URL("../gated.ts", import.meta.url))];
const children: ChildProcess[] = [];

afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
  if (isHere) await withPostgres((client) => client.query(`drop schema if exists ${schema} cascade`));
});

/** Rows, or none while there are no tables yet. */
async function shards(): Promise<{ state: number; holder: string | null }[]> {
  return withPostgres(async (client) => {
    const { rows } = await client.query("select to_regclass($1) as found", [`${schema}.shards`]);
    if (rows[0].found === null) return [];
    return (await client.query(`select state, holder from ${schema}.shards order by shard`)).rows;
  });
}

describe.runIf(isHere)("a worker that is killed", () => {
  it("loses its shard to another one, and changes nothing of the result", async () => {
    writeFileSync(scenario, JSON.stringify(coinScenario({ study: "gated", parameters: { gate }, seeds: 2 })));
    const work = ["fleet", "work", DATABASE_URL, "--schema", schema, "--workers", "1", ...STUDIES];
    const asking = ["--distributed", DATABASE_URL, "--schema", schema, "--lease", "1", "--no-work"];
    const asked = quiesce(["fleet", "run", scenario, ...STUDIES, ...asking, "--json"]);
    const victim = spawn(process.execPath, [QUIESCE, ...work], { stdio: "ignore" });
    children.push(victim);
    // Nothing gets through the gate before it is killed: it dies with a shard in its hands.
    while (!(await shards()).some(({ state }) => state === 1)) await delay(20);
    const ended = new Promise((resolve) => victim.on("exit", (_code, signal) => resolve(signal)));
    victim.kill("SIGKILL");
    expect(await ended).toBe("SIGKILL");
    expect((await shards()).map(({ state }) => state)).toEqual([1, 0, 0, 0, 0, 0]);

    writeFileSync(gate, "");
    const heir = await quiesce([...work, "--once"]);
    expect(heir).toEqual({ exit: 0, stdout: "coin-tosses, seed 1: 6 cells in 6 shards\n", stderr: "" });
    const result = await asked;
    expect([result.exit, result.stderr]).toEqual([0, ""]);
    expect(result.stdout).toBe((await quiesceHere(["fleet", "run", scenario, ...STUDIES, "--json"])).stdout);
  });
});
