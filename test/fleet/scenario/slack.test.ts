/** What the scenario `slack` expects is what the formulas say of its own parameters; `quiesce fleet reproduce` measures it. */
import { describe, expect, it } from "vitest";
import { scenarioText } from "../../../fleet/scenario/files.ts";
import { parametersAt, parseScenario, readScenario } from "../../../fleet/scenario/read-scenario.ts";
import type { FleetParameters } from "../../../fleet/studies/fleet/parameters.ts";
import { STUDIES } from "../../../fleet/studies.ts";

const study = STUDIES.find(({ name }) => name === "fleet")!;
const scenario = readScenario(parseScenario(scenarioText("slack")), STUDIES);

describe("slack against leak", () => {
  it.each(scenario.points.map((point) => [point.name, point] as const))("%s", (name, point) => {
    const { agreement, operator, load, outages, durationSeconds, timeline } = parametersAt(
      scenario,
      point,
      study,
    ) as unknown as FleetParameters;
    const share = operator.renewAfterPermille / 1000;
    const renewSeconds = share * agreement.licenseSeconds;
    // Remaining times are spread evenly only if boards begin evenly over whole periods, all of them before anything happens.
    expect(operator.startSpreadSeconds % renewSeconds).toBe(0);
    const happensSeconds = outages[0]?.fromSeconds ?? timeline[0]!.atSeconds;
    expect(happensSeconds).toBeGreaterThan(operator.startSpreadSeconds);
    expect(durationSeconds - happensSeconds).toBeGreaterThan(agreement.licenseSeconds);
    const [expected, ...others] = scenario.expect.filter((one) => one.point === name);
    expect(others).toEqual([]);
    if (outages.length === 0) {
      const leak = agreement.licenseSeconds * (1 - share / 2) * load.operationsPerSecond;
      expect(expected).toMatchObject({ metric: "leakOperationsPerBoard", expected: leak });
      return;
    }
    const slackSeconds = agreement.licenseSeconds - renewSeconds;
    const stopped = Math.min(1, Math.max(0, (outages[0]!.seconds - slackSeconds) / renewSeconds));
    expect(expected).toMatchObject({ metric: "falseStopsPerBoard", expected: expect.closeTo(stopped, 4) });
  });
});
