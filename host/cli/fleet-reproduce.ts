/** `quiesce fleet reproduce`: what was expected beside what is measured; where they part, the exit code says so. */
import { join } from "node:path";
import { RunError } from "../../fleet/run/errors.ts";
import { Plan } from "../../fleet/run/plan.ts";
import { studyOf } from "../../fleet/run/study-modules.ts";
import { builtInScenarios } from "../../fleet/scenario/files.ts";
import { readScenario } from "../../fleet/scenario/read-scenario.ts";
import { BASES, type Basis, type Scenario } from "../../fleet/scenario/scenario.ts";
import type { ReproduceOptions } from "./commands/fleet.ts";
import { Exit, wrongUse } from "./exit.ts";
import { loadStudies, type Studies, scenarioValue, withFleetErrors } from "./fleet-input.ts";
import { prepareFolder, writeFolder } from "./fleet-report.ts";
import { type Judgement, judgements, verdictTable } from "./fleet-result-view.ts";
import { runPlan } from "./fleet-run.ts";
import { countText, durationText, plainText } from "./names.ts";
import { color, print, printJson } from "./output.ts";

interface Reproduced {
  readonly scenario: Scenario;
  readonly judged: readonly Judgement[];
  /** Why it could not be run to its end. */
  readonly failure?: string;
  readonly seconds: number;
}

export function showReproduction(names: readonly string[], options: ReproduceOptions, json: boolean): Promise<void> {
  return withFleetErrors(async () => {
    const loaded = await loadStudies(options.studies);
    const scenarios = scenariosOf(names, loaded);
    for (const { name } of scenarios) if (options.out !== undefined) prepareFolder(join(options.out, name));
    const all: Reproduced[] = [];
    for (const scenario of scenarios) {
      const one = await reproduced(scenario, loaded, options);
      if (!json) print(textOf(one));
      all.push(one);
    }
    const figures = all.flatMap(({ judged }) => judged);
    const parted = figures.filter(({ verdict }) => !verdict.ok).length;
    const failed = all.filter(({ failure }) => failure !== undefined).length;
    if (parted + failed > 0) process.exitCode = Exit.NOT_GOOD;
    if (json) printJson({ ok: parted + failed === 0, seed: options.seed, scenarios: all.map(documentOf) });
    else print(endText(figures, parted, failed));
  });
}

/** All are read before the first runs: what is wrong with the last one is told at once. */
function scenariosOf(names: readonly string[], { studies }: Studies): Scenario[] {
  const wanted = names.length > 0 ? [...new Set(names)] : builtInScenarios();
  const scenarios = wanted.map((name) => readScenario(scenarioValue(name), studies));
  const bare = scenarios.find(({ expect }) => expect.length === 0);
  if (names.length > 0 && bare) throw wrongUse(`${bare.name} expects no figure: quiesce fleet run runs it`);
  return scenarios.filter(({ expect }) => expect.length > 0);
}

/** A scenario that fails keeps nobody from hearing of the others. */
async function reproduced(scenario: Scenario, loaded: Studies, options: ReproduceOptions): Promise<Reproduced> {
  const { seed, workers, out } = options;
  const study = studyOf(loaded.studies, scenario.study);
  const begunMs = performance.now();
  const seconds = () => (performance.now() - begunMs) / 1000;
  try {
    const result = await runPlan(new Plan(scenario, study, seed), loaded, {
      ...(workers !== undefined && { workers }),
    });
    if (out !== undefined) await writeFolder(join(out, scenario.name), result, study);
    return { scenario, judged: judgements(result), seconds: seconds() };
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    return { scenario, judged: [], failure: error.message, seconds: seconds() };
  }
}

function textOf({ scenario, judged, failure, seconds }: Reproduced): string {
  const head = `${color.bold(scenario.name)}: ${plainText(scenario.title)} (${durationText(seconds)})`;
  const body = failure === undefined ? verdictTable(judged) : `${color.red("✗")} ${plainText(failure)}`;
  return `${head}\n${body}\n\n`;
}

function endText(figures: readonly Judgement[], parted: number, failed: number): string {
  if (parted + failed === 0)
    return `${color.green("✓")} ${countText(figures.length, "figure")} reproduced: ${basesText(figures)}`;
  const parts = [
    ...(parted > 0
      ? [`${countText(parted, "figure")} of ${figures.length} ${parted === 1 ? "is" : "are"} not reproduced`]
      : []),
    ...(failed > 0 ? [`${countText(failed, "scenario")} did not run to the end`] : []),
  ];
  return `${color.red("✗")} ${parts.join(", ")}`;
}

function basesText(figures: readonly Judgement[]): string {
  const all = Object.entries(BASES) as [Basis, string][];
  return all.map(([basis, text]) => `${figures.filter((one) => one.basis === basis).length} ${text}`).join(", ");
}

function documentOf({ scenario, judged, failure, seconds }: Reproduced) {
  return {
    name: scenario.name,
    title: scenario.title,
    seeds: scenario.seeds,
    seconds,
    ...(failure !== undefined && { failure }),
    expectations: judged.map(({ verdict, ...expectation }) => {
      // JSON has no infinity: an open side is left out.
      const { from, to, ...rest } = verdict;
      const ends = { ...(Number.isFinite(from) && { from }), ...(Number.isFinite(to) && { to }) };
      return { ...expectation, ...rest, ...ends };
    }),
  };
}
