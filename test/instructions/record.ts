/** `firmware/instructions.json`: what each operation executed when the firmware was last changed on purpose. */
import { readFileSync, writeFileSync } from "node:fs";
import { table } from "../../host/cli/output.ts";
import type { Counted } from "./operations.ts";

const path = new URL("../../firmware/instructions.json", import.meta.url);

/** Instructions by module and operation. */
export type Recorded = Record<string, Record<string, number>>;

/** What is recorded and what is counted now; one of them is missing for an operation that came or went. */
export type Comparison = { module: string; name: string; recorded: number | undefined; now: number | undefined };

export function readRecord(): Recorded {
  return JSON.parse(readFileSync(path, "utf8")) as Recorded;
}

export function writeRecord(counted: readonly Counted[]): void {
  const record: Recorded = {};
  for (const { module, name, counts } of counted) {
    record[module] ??= {};
    record[module][name] = counts.instructions;
  }
  writeFileSync(path, `${JSON.stringify(record, undefined, 2)}\n`);
}

/** All operations whose counts are not what is recorded. */
export function differences(recorded: Recorded, counted: readonly Counted[]): Comparison[] {
  const rows: Comparison[] = counted.map(({ module, name, counts }) => ({
    module,
    name,
    recorded: recorded[module]?.[name],
    now: counts.instructions,
  }));
  const counting = new Set(counted.map(({ module, name }) => `${module} ${name}`));
  for (const [module, operations] of Object.entries(recorded)) {
    for (const [name, instructions] of Object.entries(operations)) {
      if (!counting.has(`${module} ${name}`)) rows.push({ module, name, recorded: instructions, now: undefined });
    }
  }
  return rows.filter(({ recorded, now }) => recorded !== now);
}

export function differenceTable(rows: readonly Comparison[]): string {
  return table(
    [
      { title: "module" },
      { title: "operation" },
      { title: "recorded", right: true },
      { title: "now", right: true },
      { title: "difference", right: true },
    ],
    rows.map(({ module, name, recorded, now }) => [module, name, figure(recorded), figure(now), change(recorded, now)]),
  );
}

export function figure(value: number | undefined): string {
  return value === undefined ? "-" : value.toLocaleString("en-US");
}

/** How much more or less it is, in percent. */
export function change(recorded: number | undefined, now: number | undefined): string {
  if (now === undefined) return "gone";
  if (recorded === undefined) return "new";
  if (recorded === now) return "=";
  const percent = (100 * (now - recorded)) / recorded;
  return `${percent > 0 ? "+" : ""}${percent.toLocaleString("en-US", { maximumSignificantDigits: 3 })} %`;
}
