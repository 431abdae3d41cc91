/** `npm run instructions [-- --json]`: what each operation of the firmware executes. */
import { parseArgs } from "node:util";
import { table } from "../../host/cli/output.ts";
import { COUNTERS } from "../instrument/count.ts";
import type { Streams } from "../streams.ts";
import { type Counted, countAll } from "./operations.ts";
import { change, figure, type Recorded, readRecord } from "./record.ts";

const WRONG_USE = 2;
const USAGE = "npm run instructions [-- --json]";

/** Runs the command and returns its exit code: 0, or 2 for wrong use. */
export function instructionsCommand(args: string[], { out, err }: Streams): number {
  let json: boolean;
  try {
    json = parseArgs({ args, options: { json: { type: "boolean" } } }).values.json === true;
  } catch (error) {
    err(`${(error as Error).message.split("\n")[0]} Usage: ${USAGE}\n`);
    return WRONG_USE;
  }
  const counted = countAll();
  const recorded = readRecord();
  out(json ? forPrograms(counted, recorded) : `${forPeople(counted, recorded)}\n`);
  return 0;
}

function forPrograms(counted: readonly Counted[], recorded: Recorded): string {
  const operations = counted.map(({ module, name, counts }) => ({
    module,
    name,
    ...counts,
    recorded: recorded[module]?.[name] ?? null,
  }));
  return `${JSON.stringify({ operations }, undefined, 2)}\n`;
}

function forPeople(counted: readonly Counted[], recorded: Recorded): string {
  return table(
    [
      { title: "module" },
      { title: "operation" },
      ...COUNTERS.map((title) => ({ title, right: true })),
      { title: "against the record", right: true },
    ],
    counted.map(({ module, name, counts }) => [
      module,
      name,
      ...COUNTERS.map((counter) => figure(counts[counter])),
      change(recorded[module]?.[name], counts.instructions),
    ]),
  );
}
