/** The scenarios that come with Quiesce are read as they are, and fleets of them are the same bytes on any number of threads. */
import { describe, expect, it } from "vitest";
import { Plan } from "../../fleet/run/plan.ts";
import { runScenario } from "../../fleet/run/run-scenario.ts";
import { inlineRunner } from "../../fleet/run/runner.ts";
import { BUILT_IN_STUDIES } from "../../fleet/run/study-modules.ts";
import { threadRunner } from "../../fleet/run/threads.ts";
import { canonicalJson } from "../../fleet/scenario/canonical.ts";
import { builtInScenarios, scenarioText } from "../../fleet/scenario/files.ts";
import { parseScenario, readScenario } from "../../fleet/scenario/read-scenario.ts";
import { STUDIES } from "../../fleet/studies.ts";

const IDENTITY = { version: "0.0.0", firmwareSha256: "00" };

describe("a scenario that comes with Quiesce", () => {
  it.each(builtInScenarios())("%s is whole, asks something and names its sources", (name) => {
    const scenario = readScenario(parseScenario(scenarioText(name)), STUDIES);
    expect(scenario.name).toBe(name);
    expect(scenario.question).toContain("?");
    expect(scenario.sources.length).toBeGreaterThan(0);
    const study = STUDIES.find((one) => one.name === scenario.study)!;
    expect(new Plan(scenario, study, "1").taskCount).toBeGreaterThan(0);
  });

  it("is there for every study", () => {
    const asked = builtInScenarios().map((name) => readScenario(parseScenario(scenarioText(name)), STUDIES).study);
    expect([...new Set(asked)].sort()).toEqual(STUDIES.map(({ name }) => name).sort());
  });
});

describe("a fleet whose parameters do not fit one another", () => {
  const refused = (parameters: object) => {
    const scenario = { format: 1, name: "bad", title: "Bad", question: "What is wrong?", study: "fleet", parameters };
    return () => readScenario(scenario, STUDIES);
  };

  // biome-ignore format: a table
  it.each<[string, object, RegExp]>([
    ["a quorum of more than there are", { agreement: { pauseQuorum: 4 } }, /^parameters\.agreement\.pauseQuorum: 4: must be at most agreement\.parties, 3$/],
    ["a slice that no register holds", { agreement: { sliceSeconds: 5000 } }, /^parameters\.agreement\.sliceSeconds: 5000: must be at most 4611 at this rate of work$/],
    ["a workload of no name", { load: { workload: "chess" } }, /^parameters\.load\.workload: "chess": no built-in workload is called "chess"; known: /],
    ["a recording that is not there", { load: { recording: "none.txt" } }, /^parameters\.load\.recording: "none\.txt": none\.txt cannot be opened: ENOENT$/],
    ["ranks of no recording", { load: { recordingRanks: 8 } }, /^parameters\.load\.recordingRanks: 8: goes with load\.recording, and only with it$/],
    ["a data type that the chip lacks", { load: { engineClass: "fp4" } }, /^parameters\.load\.engineClass: "fp4": is none that load\.accelerator, h100, has$/],
    ["cheats that are none", { operator: { cheatsPermille: 10 } }, /^parameters\.operator\.cheats: \[\]: must name a cheat, for operator\.cheatsPermille is 10$/],
    ["a resume of nothing", { timeline: [{ atSeconds: 1, do: "resume" }] }, /^parameters\.timeline\[0\]\.do: "resume": must come after what it lifts, in a region of that$/],
    ["a resume of another region", { boards: { count: 4, perCell: 1, regions: 2 }, timeline: [{ atSeconds: 1, do: "pause", region: 0 }, { atSeconds: 2, do: "resume", region: 1 }] }, /^parameters\.timeline\[1\]\.do: "resume": must come after/],
    ["two orders of one second", { timeline: [{ atSeconds: 1, do: "pause" }, { atSeconds: 1, do: "slow", permille: 500 }] }, /^parameters\.timeline\[1\]\.atSeconds: 1: must be another second than that of timeline\[0\]: which of the two comes first is not said$/],
    ["an end of signing in the second of a resume", { timeline: [{ atSeconds: 1, do: "pause" }, { atSeconds: 2, do: "resume" }, { atSeconds: 2, do: "stop-licenses" }] }, /^parameters\.timeline\[2\]\.atSeconds: 2: must be another second than that of timeline\[1\]/],
    ["a resume of what was lifted", { timeline: [{ atSeconds: 1, do: "pause" }, { atSeconds: 2, do: "resume" }, { atSeconds: 3, do: "resume" }] }, /^parameters\.timeline\[2\]\.do: "resume": must come after what it lifts/],
    ["regions without cells", { boards: { count: 4, perCell: 2, regions: 3 } }, /^parameters\.boards\.regions: 3: must be at most the number of cells, 2: cells belong to regions in turn$/],
    ["the hash of no recording", { load: { recordingSha256: "0".repeat(64) } }, /^parameters\.load\.recordingSha256: "0{50,}\.\.\.: goes with load\.recording, and only with it$/],
    ["beacons rarer than a lease", { operator: { beaconSeconds: 301 } }, /^parameters\.operator\.beaconSeconds: 301: must be at most agreement\.leaseSeconds, 300$/],
    ["a region that is none", { outages: [{ fromSeconds: 0, seconds: 1, region: 1 }] }, /^parameters\.outages\[0\]\.region: 1: must be below boards\.regions, 1$/],
    ["an order after the end", { timeline: [{ atSeconds: 3601, do: "pause" }] }, /^parameters\.timeline\[0\]\.atSeconds: 3601: must be at most durationSeconds, 3600$/],
    ["a slow order without a rate", { timeline: [{ atSeconds: 1, do: "slow" }] }, /^parameters\.timeline\[0\]\.permille: null: goes with slow, and only with it$/],
    ["a cheat of no name", { operator: { cheats: ["bribe"] } }, /^parameters\.operator\.cheats\[0\]: "bribe": must be one of withhold-orders, /],
  ])("%s is refused in one line", (_what, parameters, line) => {
    expect(refused(parameters)).toThrow(line);
  });
});

describe("fleets with the real firmware", () => {
  const scenario = {
    ...(parseScenario(scenarioText("withheld-order")) as object),
    parameters: {
      boards: { count: 8, perCell: 2, timerSeconds: 5 },
      operator: { beaconSeconds: 60, cheatsPermille: 500, cheats: ["withhold-orders", "cycle-power"] },
      timeline: [{ atSeconds: 200, do: "pause" }],
      durationSeconds: 400,
    },
    sweep: { "agreement.leaseSeconds": [120, 300] },
    seeds: 2,
    expect: [],
  };

  it("give the same bytes here, on two threads and on four", async () => {
    const plan = () => new Plan(readScenario(scenario, STUDIES), STUDIES.find(({ name }) => name === "fleet")!, "1");
    const here = canonicalJson(await runScenario(plan(), inlineRunner(plan()), IDENTITY));
    for (const threads of [2, 4]) {
      const there = await runScenario(plan(), threadRunner(plan(), [BUILT_IN_STUDIES], threads), IDENTITY);
      expect(canonicalJson(there)).toBe(here);
    }
  });
});
