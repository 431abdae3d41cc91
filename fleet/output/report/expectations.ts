/** Expected figures beside the measured ones: as a table, and as marks in the plots. */
import type { RunResult } from "../../run/result.ts";
import { BASES, type Expectation } from "../../scenario/scenario.ts";
import type { Metric } from "../../study.ts";
import { element, escaped } from "../markup.ts";
import type { Expected } from "../plot/chart.ts";
import { numberText, quantityText, shortText } from "../plot/quantity.ts";
import { judge, type Verdict } from "../verdict.ts";
import { linked, table } from "./html.ts";
import { capital, metricTitle, pointLabel } from "./names.ts";

export interface Judged {
  readonly expectation: Expectation;
  readonly verdict: Verdict;
  readonly unit: string;
  /** Of the point. */
  readonly label: string;
}

/** Of figures that stand beside each other, a reader wants to see the difference. */
const DIGITS = 4;

export function judged({ scenario, points }: RunResult, metrics: readonly Metric[]): Judged[] {
  return scenario.expect.map((expectation) => {
    const point = points.find(({ name }) => name === expectation.point);
    const unit = metrics.find(({ name }) => name === expectation.metric)?.unit ?? "";
    const label = point ? pointLabel(point, scenario) : expectation.point;
    return { expectation, verdict: judge(expectation, point?.runs ?? []), unit, label };
  });
}

export function expectationsTable(all: readonly Judged[]): string {
  return table(
    "Expected figures beside the measured ones",
    ["Figure", "Point", "Expected", "Measured", "Tolerance", "Verdict"],
    all.map((one) => {
      const { expectation, verdict, unit } = one;
      return [
        element("strong", {}, escaped(capital(expectation.figure))) +
          small(`${metricTitle({ name: expectation.metric })}, ${ofText(expectation.of)}`) +
          element("small", {}, `Source: ${linked(expectation.source)}`),
        escaped(one.label),
        number(quantityText(expectation.expected, unit, DIGITS)) + small(BASES[expectation.basis]),
        number(measuredText(one)) + small(rangeText(one)),
        escaped(toleranceText(one)),
        element(
          "span",
          { class: verdict.ok ? "verdict agrees" : "verdict differs" },
          verdict.ok ? "✓ agrees" : "✗ differs",
        ),
      ];
    }),
    ["", "", "number", "number", "", ""],
    true,
  );
}

function number(text: string): string {
  return element("span", { class: "figure" }, escaped(text));
}

function small(text: string): string {
  return text === "" ? "" : element("small", {}, escaped(text));
}

function ofText(of: Expectation["of"]): string {
  return { mean: "mean of the seeds", max: "largest seed", min: "least seed", each: "every seed" }[of];
}

export function measuredText({ verdict, unit }: Judged): string {
  return verdict.held === undefined ? "did not come about" : quantityText(verdict.held, unit, DIGITS);
}

function rangeText({ verdict: { measured, missing }, unit }: Judged): string {
  const texts: string[] = [];
  const [least, most] = [measured?.min, measured?.max].map((end) =>
    end === undefined ? "" : shortText(end, unit, DIGITS),
  );
  if (least !== most) texts.push(`${least} to ${most}`);
  if (missing > 0) texts.push(`absent in ${missing} of ${missing + (measured?.n ?? 0)} runs`);
  return texts.join("; ");
}

export function toleranceText({ expectation: { tolerance, expected }, unit }: Judged): string {
  if (tolerance === "atMost") return `at most ${shortText(expected, unit, DIGITS)}`;
  if (tolerance === "atLeast") return `at least ${shortText(expected, unit, DIGITS)}`;
  if ("from" in tolerance) {
    return `${shortText(tolerance.from, unit, DIGITS)} to ${shortText(tolerance.to, unit, DIGITS)}`;
  }
  if ("relative" in tolerance)
    return tolerance.relative === 0 ? "exactly" : `± ${numberText(tolerance.relative * 100)} %`;
  return tolerance.absolute === 0 ? "exactly" : `± ${shortText(tolerance.absolute, unit)}`;
}

/** The marks of a metric at a point. */
export function expectedAt(all: readonly Judged[], metric: string, point: string): Expected[] {
  return all
    .filter(({ expectation }) => expectation.metric === metric && expectation.point === point)
    .map((one) => {
      const { expectation, verdict, unit } = one;
      const text = `Expected: ${quantityText(expectation.expected, unit, DIGITS)} (${expectation.figure}), tolerance: ${toleranceText(one)}`;
      return { value: expectation.expected, from: verdict.from, to: verdict.to, text };
    });
}
