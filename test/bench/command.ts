/** `npm run bench -- NAME [--json]`, `npm run bench -- --list`. */
import { parseArgs } from "node:util";
import { table } from "../../host/cli/output.ts";
import type { Streams } from "../streams.ts";
import { BENCHES } from "./benches.ts";
import { type BenchDocument, type Effort, FULL_EFFORT, runBench } from "./frame.ts";

const WRONG_USE = 2;
const USAGE = "npm run bench -- NAME [--json], or --list";

/** Runs the command and returns its exit code: 0, or 2 for wrong use. */
export async function benchCommand(
  args: string[],
  { out, err }: Streams,
  effort: Effort = FULL_EFFORT,
): Promise<number> {
  let parsed: { values: { json?: boolean; list?: boolean }; positionals: string[] };
  try {
    parsed = parseArgs({
      args,
      options: { json: { type: "boolean" }, list: { type: "boolean" } },
      allowPositionals: true,
    });
  } catch (error) {
    err(`${(error as Error).message.split("\n")[0]} Usage: ${USAGE}\n`);
    return WRONG_USE;
  }
  const { values, positionals } = parsed;
  if (values.list) {
    out(`${[...BENCHES].map(([name, { about }]) => `${name.padEnd(14)}${about}`).join("\n")}\n`);
    return 0;
  }
  const [name, ...more] = positionals;
  const bench = name === undefined ? undefined : BENCHES.get(name);
  if (name === undefined || bench === undefined || more.length > 0) {
    const wrong =
      name === undefined
        ? "no benchmark named"
        : bench
          ? `one at a time, not ${positionals.length}`
          : `no benchmark "${name}"`;
    err(`${wrong}: there are ${[...BENCHES.keys()].join(", ")}. Usage: ${USAGE}\n`);
    return WRONG_USE;
  }
  const document = await runBench(name, bench, effort, (line) => err(`${name} ${line}\n`));
  out(values.json ? `${forPrograms(document)}\n` : `${forPeople(document)}\n`);
  return 0;
}

/** Without what is for people alone. */
function forPrograms({ bench, results }: BenchDocument): string {
  return JSON.stringify({ bench, results: results.map(({ bytes, ...result }) => result) }, undefined, 2);
}

const figure = (value: number) => value.toLocaleString("en-US", { maximumSignificantDigits: 3 });

/** How often a second, or how many megabytes if they are what counts. */
function perSecond(time: number, { unit, bytes }: BenchDocument["results"][number]): string {
  if (unit === "1/s") return figure(time);
  if (unit === "B") return "";
  const runs = (unit === "µs" ? 1e6 : 1e3) / time;
  return bytes === undefined ? figure(runs) : `${figure((runs * bytes) / 1e6)} MB`;
}

function forPeople({ results }: BenchDocument): string {
  return table(
    [
      { title: "what" },
      { title: "unit" },
      { title: "ours", right: true },
      { title: "theirs", right: true },
      { title: "against" },
      { title: "ours/theirs", right: true },
      { title: "ours a second", right: true },
      { title: "theirs a second", right: true },
    ],
    results.map((result) => [
      result.name,
      result.unit,
      figure(result.ours),
      figure(result.theirs),
      result.against,
      figure(result.ratio),
      perSecond(result.ours, result),
      perSecond(result.theirs, result),
    ]),
  );
}
