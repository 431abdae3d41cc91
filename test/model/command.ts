/** `npm run model`: searches the model, breaks it on purpose, or draws traces from it. */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Streams } from "../streams.ts";
import { MUTANTS, SEARCHES } from "./searches.ts";
import { type Found, missingTool, type Search, search } from "./spin.ts";
import { drawTraces, TRACES } from "./traces.ts";

const NOT_AS_CLAIMED = 1;
const WRONG_USE = 2;
const TOOL_MISSING = 3;
const USAGE = `npm run model [-- options]

  --mutants  searches the model with one guard out at a time: each must break its claim
  --traces   draws test/model/traces/ anew
  --json     one JSON document

Needs spin and gcc: apt install spin gcc. The exit code is 0; 1 if a claim does not hold, or a mutant breaks none; 2 for
wrong use; 3 where spin or gcc is missing.

Example:
  $ npm run model -- --mutants
`;

/** Runs the command and returns its exit code. */
export function modelCommand(args: string[], { out, err }: Streams, missing = missingTool): number {
  let values: { mutants?: boolean; traces?: boolean; json?: boolean; help?: boolean };
  try {
    const boolean = { type: "boolean" } as const;
    ({ values } = parseArgs({ args, options: { mutants: boolean, traces: boolean, json: boolean, help: boolean } }));
  } catch (error) {
    err(`${(error as Error).message.split("\n")[0]} npm run model -- --help says what there is\n`);
    return WRONG_USE;
  }
  if (values.help) {
    out(USAGE);
    return 0;
  }
  const tool = missing();
  if (tool !== undefined) {
    err(`${tool} is not here: apt install spin gcc. Nothing was searched\n`);
    return TOOL_MISSING;
  }
  if (values.traces) {
    for (const [name, text] of drawTraces()) {
      writeFileSync(new URL(name, TRACES), text);
      out(`${name}\n`);
    }
    return 0;
  }
  return report(values.mutants ? MUTANTS : SEARCHES, values.mutants !== true, values.json === true, out);
}

function report(searches: readonly Search[], hold: boolean, json: boolean, out: Streams["out"]): number {
  const found = searches.map(search);
  const asClaimed = (one: Found) => one.holds === hold;
  if (json) out(`${JSON.stringify(found, undefined, 2)}\n`);
  else for (const line of [HEAD, ...found.map(row)]) out(`${line}\n`);
  return found.every(asClaimed) ? 0 : NOT_AS_CLAIMED;
}

const columns = (cells: readonly (string | number)[]) =>
  cells.map((cell, i) => (i < 2 ? String(cell).padEnd(22) : String(cell).padStart(12))).join("");
const HEAD = columns(["search", "claim", "states", "transitions", "depth", "MiB", "seconds", "verdict"]);

function row({ name, claim, states, transitions, depth, memoryMib, seconds, holds }: Found): string {
  return columns([name, claim, states, transitions, depth, memoryMib, seconds, holds ? "holds" : "broken"]);
}
