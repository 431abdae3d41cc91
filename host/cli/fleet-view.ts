/** What `quiesce fleet list` and `describe` show. */
import type { TSchema } from "@sinclair/typebox";
import { Plan } from "../../fleet/run/plan.ts";
import { studyOf } from "../../fleet/run/study-modules.ts";
import { builtInScenarios } from "../../fleet/scenario/files.ts";
import { readScenario } from "../../fleet/scenario/read-scenario.ts";
import type { JsonObject, Scenario } from "../../fleet/scenario/scenario.ts";
import { whatText } from "../../fleet/scenario/schema.ts";
import type { Json, Study } from "../../fleet/study.ts";
import type { StudyOptions } from "./commands/fleet.ts";
import { loadStudies, scenarioValue, withFleetErrors } from "./fleet-input.ts";
import { numberText } from "./fleet-result-view.ts";
import { countText, exactText, plainText } from "./names.ts";
import { color, facts, print, printJson, table } from "./output.ts";

/** Points beyond these are counted, not named. */
const POINTS_SHOWN_MAX = 20;

export function showScenarios(options: StudyOptions, json: boolean): Promise<void> {
  return withFleetErrors(async () => {
    const { studies } = await loadStudies(options.studies);
    const scenarios = builtInScenarios().map((name) => readScenario(scenarioValue(name), studies));
    if (json) {
      printJson({
        scenarios: scenarios.map(({ name, title, question, study, points, seeds, expect }) => {
          return { name, title, question, study, points: points.length, seeds, expectations: expect.length };
        }),
        studies: studies.map(({ name, title }) => ({ name, title })),
      });
      return;
    }
    const columns = [
      { title: "scenario" },
      { title: "study" },
      { title: "runs", right: true },
      { title: "expected", right: true },
      { title: "what it is about" },
    ];
    const rows = scenarios.map(({ name, study, points, seeds, expect, title }) => {
      return [name, study, exactText(points.length * seeds), exactText(expect.length), plainText(title)];
    });
    print(table(columns, rows, ""));
  });
}

export function describeScenario(nameOrPath: string, options: StudyOptions, json: boolean): Promise<void> {
  return withFleetErrors(async () => {
    const { studies } = await loadStudies(options.studies);
    const scenario = readScenario(scenarioValue(nameOrPath), studies);
    const study = studyOf(studies, scenario.study);
    const cells = new Plan(scenario, study, "1").taskCount;
    if (json) printJson({ scenario, cells, study: { name: study.name, title: study.title, metrics: study.metrics } });
    else print(descriptionText(scenario, study, cells));
  });
}

function descriptionText(scenario: Scenario, study: Study<never>, cells: number): string {
  const { title, question, notes, sources, seeds, points, expect } = scenario;
  const lines = [color.bold(plainText(title)), plainText(question), ""];
  for (const note of notes) lines.push(plainText(note), "");
  lines.push(
    facts(
      [
        ["study", `${study.name}: ${study.title}`],
        [
          "runs",
          `${countText(points.length, "point")}, ${countText(seeds, "seed")} of each, ${countText(cells, "cell")} in all`,
        ],
        ...sources.map((source) => ["source", plainText(source)] as const),
      ],
      "",
    ),
  );
  lines.push(
    "",
    table(
      [{ title: "parameter" }, { title: "value" }, { title: "may be" }, { title: "what it is" }],
      parameterRows(scenario, study),
      "",
    ),
  );
  lines.push("", pointsText(scenario));
  const metrics = study.metrics.map(({ name, unit, meaning }) => [name, unit, meaning]);
  lines.push("", table([{ title: "metric" }, { title: "unit" }, { title: "what is measured" }], metrics, ""));
  if (expect.length > 0) {
    const rows = expect.map((one) => [
      plainText(one.figure),
      plainText(one.point),
      numberText(one.expected),
      one.basis,
      plainText(one.source),
    ]);
    const columns = [
      { title: "figure" },
      { title: "point" },
      { title: "expected", right: true },
      { title: "basis" },
      { title: "source" },
    ];
    lines.push("", table(columns, rows, ""));
  }
  return lines.join("\n");
}

function pointsText({ points }: Scenario): string {
  const rows = points.slice(0, POINTS_SHOWN_MAX).map(({ name, set }) => [
    plainText(name),
    plainText(
      Object.entries(set)
        .map(([path, value]) => `${path} = ${JSON.stringify(value)}`)
        .join(", "),
    ),
  ]);
  const text = table([{ title: "point" }, { title: "what it sets" }], rows, "");
  return points.length > POINTS_SHOWN_MAX ? `${text}\nand ${exactText(points.length - POINTS_SHOWN_MAX)} more` : text;
}

/** Leaves of the schema, with the value that the scenario has; marked where it is not the default. */
function parameterRows({ parameters }: Scenario, study: Study<never>): string[][] {
  const rows: string[][] = [];
  const walk = (schema: TSchema, value: Json | undefined, path: string) => {
    if (schema.type === "object" && schema.properties !== undefined) {
      for (const [name, inner] of Object.entries(schema.properties as Record<string, TSchema>)) {
        walk(inner, (value as JsonObject | undefined)?.[name], path === "" ? name : `${path}.${name}`);
      }
      return;
    }
    const isOwn = value !== undefined && JSON.stringify(value) !== JSON.stringify(schema.default);
    const shown = value === undefined ? "-" : plainText(JSON.stringify(value));
    rows.push([path, isOwn ? color.bold(shown) : shown, whatText(schema), schema.description ?? ""]);
  };
  walk(study.parameters, parameters, "");
  return rows;
}
