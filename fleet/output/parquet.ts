/** The results as Parquet: the same table as `results.csv`, with types. */
import { parquetWriteBuffer } from "hyparquet-writer";
import type { RunResult } from "../run/result.ts";
import { canonicalJson } from "../scenario/canonical.ts";
import type { Metric } from "../study.ts";
import { type Column, resultColumns } from "./table.ts";

/**
 * A column is DOUBLE or BOOLEAN where all its values are, else STRING, with JSON for what is no text; null where a point
 * has no such parameter. The file's metadata name scenario, seed, firmware and version, and nothing of the machine.
 */
export function resultsParquet(result: RunResult, metrics: readonly Metric[]): Uint8Array {
  const { scenario, scenarioSha256, seed, firmwareSha256, version } = result;
  const bytes = parquetWriteBuffer({
    columnData: resultColumns(result, metrics).map(columnSource),
    createdBy: `quiesce version ${version}`,
    kvMetadata: [
      { key: "quiesce.scenario", value: scenario.name },
      { key: "quiesce.scenarioSha256", value: scenarioSha256 },
      { key: "quiesce.seed", value: seed },
      { key: "quiesce.firmwareSha256", value: firmwareSha256 },
    ],
  });
  return new Uint8Array(bytes);
}

function columnSource({ name, values }: Column) {
  const type = typeOf(values);
  const text =
    type === "STRING" ? (value: unknown) => (typeof value === "string" ? value : canonicalJson(value)) : null;
  const data = values.map((value) => (value === undefined ? null : text ? text(value) : value));
  return { name, type, nullable: data.includes(null), data };
}

function typeOf(values: Column["values"]): "DOUBLE" | "BOOLEAN" | "STRING" {
  const present = values.filter((value) => value !== undefined);
  const all = (type: string) => present.length > 0 && present.every((value) => typeof value === type);
  return all("number") ? "DOUBLE" : all("boolean") ? "BOOLEAN" : "STRING";
}
