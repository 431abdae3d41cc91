/** The tables as CSV (RFC 4180): a header, CRLF, quotes where they are needed, numbers as short as they read back. */
import type { RunResult } from "../run/result.ts";
import { canonicalJson } from "../scenario/canonical.ts";
import type { Json, Metric } from "../study.ts";
import { resultColumns, summaryRows } from "./table.ts";

/** A row a figure: see `resultColumns`. */
export function resultsCsv(result: RunResult, metrics: readonly Metric[]): string {
  const columns = resultColumns(result, metrics);
  const rows = columns[0]!.values.map((_, row) => columns.map(({ values }) => values[row]));
  return csvText([columns.map(({ name }) => name), ...rows]);
}

const SUMMARY_HEAD = ["point", "metric", "unit", "n", "mean", "ci95Low", "ci95High", "min", "max"];

/** A row for each metric of each point, over its seeds. Without a second seed there is no interval. */
export function summaryCsv(result: RunResult, metrics: readonly Metric[]): string {
  const rows = summaryRows(result, metrics).map(({ point, metric, summary }) => {
    const { n, mean, ci95, min, max } = summary;
    return [point, metric.name, metric.unit, n, mean, ci95?.low, ci95?.high, min, max];
  });
  return csvText([SUMMARY_HEAD, ...rows]);
}

export function csvText(rows: readonly (readonly (Json | undefined)[])[]): string {
  return rows.map((row) => `${row.map(fieldText).join(",")}\r\n`).join("");
}

/** Nothing where there is no value; an empty text is `""`, lists and objects are JSON. */
function fieldText(value: Json | undefined): string {
  if (value === undefined) return "";
  const text = typeof value === "string" ? value : canonicalJson(value);
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
