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
const scenario = join(folder, "killed.json");
const STUDIES = ["--studies", fileURLToPath(new URL("../gated-fleet.ts", import.meta.url))];
const children: ChildProcess[] = [];

afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
  if (isHere) await withPostgres((client) => client.query(`drop schema if exists ${schema} cascade`));
});

/** Rows, or none while there are no tables yet. */
async function shards(): Promise<{ state: number }[]> {
  return withPostgres(async (client) => {
    const { rows } = await client.query("select to_regclass($1) as found", [`${schema}.shards`]);
    if (rows[0].found === null) return [];
    return (await client.query(`select state from ${schema}.shards order by shard`)).rows;
  });
}

/** Boards with the firmware that ships, from the factory to the end of a pause. */
function fleetScenario(): object {
  const parameters = {
    boards: { count: 12, perCell: 4, timerSeconds: 30 },
    timeline: [
      { atSeconds: 250, do: "pause" },
      { atSeconds: 400, do: "resume" },
    ],
    durationSeconds: 600,
  };
  return coinScenario({ name: "killed", study: "gated-fleet", parameters: { gate, fleet: parameters }, seeds: 2 });
}

describe.runIf(isHere)("a worker that is killed", () => {
  it("loses its shard to another one, and changes nothing of what a fleet of real governors did", async () => {
    writeFileSync(scenario, JSON.stringify(fleetScenario()));
    const work = ["fleet", "work", DATABASE_URL, "--schema", schema, "--workers", "1", ...STUDIES];
    const asking = ["--distributed", DATABASE_URL, "--schema", schema, "--lease", "1", "--no-work"];
    const asked = quiesce(["fleet", "run", scenario, ...STUDIES, ...asking, "--json"]);
    const victim = spawn(process.execPath, [QUIESCE, ...work], { stdio: "ignore" });
    children.push(victim);
    // Its first shard is done, and it dies with the second in its hands, for nothing else gets through the gate.
    const states = async () => (await shards()).map(({ state }) => state);
    while ((await states()).slice(0, 2).join() !== "2,1") await delay(20);
    const ended = new Promise((resolve) => victim.on("exit", (_code, signal) => resolve(signal)));
    victim.kill("SIGKILL");
    expect(await ended).toBe("SIGKILL");
    expect(await states()).toEqual([2, 1, 0, 0, 0, 0]);

    writeFileSync(gate, "");
    const heir = await quiesce([...work, "--once"]);
    expect(heir).toEqual({ exit: 0, stdout: "killed, seed 1: 5 cells in 5 shards\n", stderr: "" });
    const result = await asked;
    expect([result.exit, result.stderr]).toEqual([0, ""]);
    expect(result.stdout).toBe((await quiesceHere(["fleet", "run", scenario, ...STUDIES, "--json"])).stdout);
    const [point] = JSON.parse(result.stdout).points;
    const measures = point.runs.map((run: { outcome: { measures: object } }) => run.outcome.measures);
    expect(measures).toMatchObject([
      { resumed: 12, neverClosed: 0 },
      { resumed: 12, neverClosed: 0 },
    ]);
  });
});
