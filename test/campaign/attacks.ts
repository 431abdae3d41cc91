/** `npm run campaign -- attack`: every campaign of `quiesce attack`, whole, each in a process of its own. */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Outcome } from "../../attack/campaign.ts";
import { CAMPAIGNS } from "../../attack/campaigns.ts";
import { table } from "../../host/cli/output.ts";
import { WrongUse, wholeOption } from "../options.ts";
import type { Streams } from "../streams.ts";

const FOUND = 1;
const WRONG_USE = 2;
const LANES_MAX = 64;
const SEED_MAX = 2 ** 31 - 1;
const program = fileURLToPath(new URL("../../host/cli/quiesce.mjs", import.meta.url));
const USAGE = `npm run campaign -- attack [campaign ...] [options]

  --seed N    all that is random comes from it (default 1)
  --cases N   at most so many cases of each (default: all)
  --lanes N   campaigns at a time (default: one for each core)
  --json      one JSON document

Runs the campaigns of quiesce attack that are named, or all of them, whole: hours of a core. The exit code is 1 if one
of them finds something.

Example:
  $ npm run campaign -- attack cuts flash --seed 7
`;

/** What a campaign came to, or why it came to nothing. */
type Ran = { campaign: string } & ((Outcome & { seconds: number }) | { broken: string });

/** Runs the command and returns its exit code: 0, 1 if anything was found, or 2 for wrong use. */
export async function attacksCommand(args: string[], { out, err }: Streams): Promise<number> {
  let wanted: Wanted | undefined;
  try {
    wanted = read(args);
  } catch (error) {
    if (!(error instanceof WrongUse)) throw error;
    err(`${error.message}\n\n${USAGE}`);
    return WRONG_USE;
  }
  if (wanted === undefined) {
    out(USAGE);
    return 0;
  }
  const results = await runAll(wanted, process.stderr.isTTY ? err : () => {});
  const ok = results.every((result) => "findingCount" in result && result.findingCount === 0);
  out(wanted.json ? `${JSON.stringify({ ok, seed: wanted.seed, results }, undefined, 2)}\n` : forPeople(results));
  return ok ? 0 : FOUND;
}

type Wanted = { names: string[]; seed: number; cases: number | undefined; lanes: number; json: boolean };

/** Undefined where help is wanted. @throws WrongUse */
function read(args: string[]): Wanted | undefined {
  let values: { seed?: string; cases?: string; lanes?: string; json?: boolean; help?: boolean };
  let positionals: string[];
  try {
    const text = { type: "string" } as const;
    const flags = { json: { type: "boolean" }, help: { type: "boolean", short: "h" } } as const;
    const options = { seed: text, cases: text, lanes: text, ...flags };
    ({ values, positionals } = parseArgs({ args, options, allowPositionals: true }));
  } catch (error) {
    throw new WrongUse((error as Error).message.split("\n")[0]);
  }
  if (values.help) return undefined;
  const known = CAMPAIGNS.map(({ name }) => name);
  const stranger = positionals.find((name) => !known.includes(name));
  if (stranger !== undefined) throw new WrongUse(`there is no campaign "${stranger}": there are ${known.join(", ")}`);
  return {
    names: positionals.length > 0 ? positionals : known,
    seed: wholeOption("seed", values.seed, { preset: 1, most: SEED_MAX }),
    cases: wholeOption("cases", values.cases, { preset: undefined, most: SEED_MAX }),
    lanes: wholeOption("lanes", values.lanes, { preset: availableParallelism(), most: LANES_MAX }),
    json: values.json === true,
  };
}

async function runAll({ names, seed, cases, lanes }: Wanted, progress: (line: string) => void): Promise<Ran[]> {
  const waiting = [...names.entries()];
  const results: Ran[] = [];
  const running = new Set<string>();
  const tell = () => {
    const done = results.filter(Boolean).length;
    progress(`\r\x1b[K${done} of ${names.length} campaigns done, running: ${[...running].join(", ")}`);
  };
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [at, name] = next;
      running.add(name);
      tell();
      results[at] = await runOne(name, seed, cases);
      running.delete(name);
      tell();
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  progress("\r\x1b[K");
  return results;
}

async function runOne(name: string, seed: number, cases: number | undefined): Promise<Ran> {
  const share = cases === undefined ? [] : ["--cases", String(cases)];
  const args = [program, "attack", name, "--seed", String(seed), ...share, "--json"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const said = { out: "", err: "" };
  child.stdout.on("data", (chunk) => (said.out += chunk));
  child.stderr.on("data", (chunk) => (said.err += chunk));
  await new Promise((resolve) => child.on("close", resolve));
  try {
    return JSON.parse(said.out) as Outcome & { seconds: number };
  } catch {
    return { campaign: name, broken: said.err.trim() || "it ended without a word" };
  }
}

const count = (value: number) => value.toLocaleString("en-US");

function forPeople(results: readonly Ran[]): string {
  const rows = results.map((result) =>
    "broken" in result
      ? [result.campaign, "", "", "", result.broken.split("\n")[0]!]
      : [
          result.campaign,
          `${count(result.tried)} of ${count(result.cases)}`,
          count(result.findingCount),
          `${Math.round(result.seconds)} s`,
          result.findings[0] ? `--case ${result.findings[0].id}` : "",
        ],
  );
  const columns = [
    { title: "campaign" },
    { title: "cases", right: true },
    { title: "findings", right: true },
    { title: "time", right: true },
    { title: "the first" },
  ];
  return `${table(columns, rows)}\n`;
}
