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
  out(values.json ? `${JSON.stringify(document, undefined, 2)}\n` : `${forPeople(document)}\n`);
  return 0;
}

function forPeople({ results }: BenchDocument): string {
  const figure = (value: number) => value.toLocaleString("en-US", { maximumSignificantDigits: 3 });
  return table(
    [
      { title: "what" },
      { title: "unit" },
      { title: "ours", right: true },
      { title: "theirs", right: true },
      { title: "against" },
      { title: "ours/theirs", right: true },
    ],
    results.map(({ name, unit, ours, theirs, against, ratio }) => [
      name,
      unit,
      figure(ours),
      figure(theirs),
      against,
      figure(ratio),
    ]),
  );
}
