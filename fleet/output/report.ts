/**
 * The report of a run: one HTML file that needs no script and fetches nothing. It answers the scenario's question from the
 * numbers, holds expected figures beside the measured ones, and says what a simulation cannot show.
 */
import type { RunResult } from "../run/result.ts";
import type { Json, Metric } from "../study.ts";
import { element, escaped } from "./markup.ts";
import { curveFigures } from "./report/curves.ts";
import { expectationsTable, type Judged, judged } from "./report/expectations.ts";
import { constantsTable, metricFigures, pointTable, sorted } from "./report/figures.ts";
import { linked, paragraph, section, table } from "./report/html.ts";
import { layoutOf } from "./report/layout.ts";
import { counted, settingText } from "./report/names.ts";
import { STYLE } from "./report/style.ts";
import { type Findings, findings, valuesText } from "./report/summary.ts";
import { pathsSet, settingOf } from "./settings.ts";

/** `metrics` are those of the scenario's study. The same result gives the same text. */
export function renderReport(result: RunResult, metrics: readonly Metric[]): string {
  const { scenario } = result;
  const layout = layoutOf(result);
  const expectations = judged(result, metrics);
  const { varied, constant } = sorted(result, metrics);
  const page = { result, layout, expectations };
  const curves = curveFigures(result);
  const body = [
    summarySection(findings(result, varied, constant, layout, expectations)),
    ...(expectations.length > 0 ? [section("expected", "Expected and measured", expectationsTable(expectations))] : []),
    ...(varied.length > 0 ? [section("figures", "Figures", metricFigures(page, varied))] : []),
    ...(constant.length > 0
      ? [
          layout.kind === "single"
            ? section("figures", "Figures", pointTable(result, constant))
            : section("constant", "The same at every point", constantsTable(result, constant)),
        ]
      : []),
    ...(curves.length > 0 ? [section("curves", "Over time", element("div", { class: "figures" }, ...curves))] : []),
    section("parameters", "Parameters", element("div", { class: "parameters" }, parametersTable(result))),
    ...(scenario.notes.length > 0 ? [section("notes", "Notes", ...scenario.notes.map((text) => paragraph(text)))] : []),
    LIMITS,
    ...(scenario.sources.length > 0 ? [sourcesSection(scenario.sources)] : []),
    reproduceSection(result),
  ];
  const head = [
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    // Even if a scenario's text were not escaped, nothing could run or be fetched.
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    element("title", {}, escaped(`${scenario.title} · Quiesce`)),
    element("style", {}, STYLE),
  ];
  const html = element(
    "html",
    { lang: "en" },
    element("head", {}, ...head),
    element("body", {}, header(result, expectations), element("main", {}, ...body), footer(result)),
  );
  return `<!doctype html>\n${html}\n`;
}

/** A longer question is set smaller. */
const LEAD_CHARACTERS = 240;

function header({ scenario, points }: RunResult, expectations: readonly Judged[]): string {
  const held = expectations.filter(({ verdict }) => verdict.ok).length;
  const facts: [string, string][] = [
    ["Scenario", scenario.name],
    ["Study", scenario.study],
    ["Points", counted(points.length, "point")],
    ["Seeds", counted(scenario.seeds, "seed")],
    ...(expectations.length > 0
      ? [["Expected figures", `${held} of ${expectations.length} agree`] as [string, string]]
      : []),
  ];
  return element(
    "header",
    {},
    paragraph("Quiesce · results of a fleet", "kicker"),
    element("h1", {}, escaped(scenario.title)),
    paragraph(scenario.question, scenario.question.length > LEAD_CHARACTERS ? "question long" : "question"),
    element(
      "dl",
      { class: "facts" },
      ...facts.map(([name, fact]) =>
        element("div", {}, element("dt", {}, escaped(name)), element("dd", {}, escaped(fact))),
      ),
    ),
  );
}

function summarySection({ asked, found, sure, held, parted }: Findings): string {
  const list = (lines: readonly string[]) =>
    lines.length === 0
      ? ""
      : element("ul", { class: "summary" }, ...lines.map((text) => element("li", {}, escaped(text))));
  return section("summary", "Summary", paragraph(asked), list(found), paragraph(sure), paragraph(held), list(parted));
}

/** Of every parameter what it was, or all that the points have there. */
function parametersTable(result: RunResult): string {
  const { scenario, points } = result;
  const set = pathsSet(result);
  const varied = set.map((path) => {
    const values = points.map((point) => settingOf(point, path, scenario));
    const texts = new Set<string>();
    const distinct = values.filter((value) => {
      const text = settingText(path, value);
      const isNew = !texts.has(text);
      texts.add(text);
      return isNew;
    });
    return [path, valuesText(path, distinct)];
  });
  const fixed = flattened(scenario.parameters, "").filter(
    ([path]) => !set.some((one) => path === one || path.startsWith(`${one}.`)),
  );
  return table(
    "Parameters of the run",
    ["Parameter", "Value"],
    [
      ...varied.map(([path, text]) => [
        element("span", { class: "code" }, escaped(path!)),
        escaped(text!) + (points.length > 1 ? element("small", {}, "differs between the points") : ""),
      ]),
      ...fixed.map(([path, value]) => [
        element("span", { class: "code" }, escaped(path)),
        escaped(settingText(path, value)),
      ]),
    ],
  );
}

/** Objects by their fields, by name; lists of plain values in one line. */
function flattened(value: Json, path: string): [path: string, value: Json][] {
  const below = (name: string) => (path === "" ? name : `${path}.${name}`);
  if (Array.isArray(value) && value.some((item) => typeof item === "object" && item !== null)) {
    return value.flatMap((item: Json, at) => flattened(item, below(String(at))));
  }
  if (typeof value !== "object" || value === null) return [[path, value]];
  if (Array.isArray(value)) return [[path, value.map((item: Json) => settingText(path, item)).join(", ") || "none"]];
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.flatMap(([name, inner]) => flattened(inner, below(name)));
}

const LIMITS = section(
  "limits",
  "What this can show, and what it cannot",
  paragraph(
    "A simulator shows that logic holds, not that silicon does. Where boards stand in a study, each runs the governor " +
      "firmware with the hash below, to the byte; what is around the chip is a model. These figures follow from the " +
      "rules and from the parameters above, and whoever runs the scenario again with the same seed gets them again.",
  ),
  paragraph(
    "They do not show that a real chip resists probing, glitching or a changed mask, that a network, an operator or an " +
      "adversary behaves as the parameters say, or that a parameter has the value that the world has. An interval " +
      "over seeds speaks of chance within the model alone: it grows no wider where an assumption is wrong.",
  ),
);

function sourcesSection(sources: readonly string[]): string {
  return section("sources", "Sources", element("ol", {}, ...sources.map((text) => element("li", {}, linked(text)))));
}

function reproduceSection({ scenario, scenarioSha256, seed, version, firmwareSha256 }: RunResult): string {
  const command = `quiesce fleet run ${scenario.name} --seed ${shellWord(seed)} --out again`;
  const hash = (text: string) => element("span", { class: "code hash" }, escaped(text));
  return section(
    "again",
    "Run it again",
    element("pre", {}, element("code", {}, escaped(command))),
    paragraph(
      "With the same version, firmware, scenario and seed, every file beside this one comes out the same to the byte, on " +
        "any machine and with any number of workers. Of a scenario that is not one of Quiesce's own, name its file " +
        "instead; options that changed it, as --set or --seeds do, are given again. The scenario's hash says whether it " +
        "is the one that ran here, and results.json holds it whole.",
    ),
    table(
      "What a run is known by",
      ["Name", "Value"],
      [
        ["Version", hash(version)],
        ["Seed", hash(seed)],
        ["Scenario (SHA-256)", hash(scenarioSha256)],
        ["Firmware (SHA-256)", hash(firmwareSha256)],
      ],
    ),
  );
}

/** As a shell takes it for one word. */
function shellWord(text: string): string {
  return /^[A-Za-z0-9._/:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function footer({ version }: RunResult): string {
  return element(
    "footer",
    {},
    escaped(`Quiesce ${version}: an open reference for a hardware-enforced pause of AI compute. `) +
      "The figures are in results.csv, summary.csv and results.parquet beside this file; manifest.json has their hashes.",
  );
}
