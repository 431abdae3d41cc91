/** What the `quiesce fleet` commands are given: studies, scenarios, values of options; and how what is wrong ends them. */
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { OutputError, type OutputErrorCode } from "../../fleet/output/errors.ts";
import { RunError } from "../../fleet/run/errors.ts";
import { BUILT_IN_STUDIES, studiesOf } from "../../fleet/run/study-modules.ts";
import { THREADS_MAX } from "../../fleet/run/threads.ts";
import { ScenarioError } from "../../fleet/scenario/errors.ts";
import { scenarioText } from "../../fleet/scenario/files.ts";
import { parseJson } from "../../fleet/scenario/json.ts";
import { parseScenario } from "../../fleet/scenario/read-scenario.ts";
import type { Json, Study } from "../../fleet/study.ts";
import { shown } from "../policy/errors.ts";
import { StoreError } from "../store/errors.ts";
import type { Assignment } from "./commands/fleet.ts";
import { CliError, Exit, wrongUse } from "./exit.ts";
import { loadGovernor } from "./firmware.ts";
import { plainText } from "./names.ts";
import { hex } from "./output.ts";
import { version } from "./version.ts";

export interface Studies {
  readonly modules: readonly string[];
  readonly studies: readonly Study<never>[];
}

/** Those that come with Quiesce and those of the modules at these paths. Throws a `CliError`. */
export async function loadStudies(paths: readonly string[] = []): Promise<Studies> {
  const modules = [BUILT_IN_STUDIES, ...paths.map((path) => pathToFileURL(resolve(path)).href)];
  try {
    return { modules, studies: await studiesOf(modules) };
  } catch (cause) {
    if (paths.length === 0) throw cause;
    throw wrongUse(`--studies: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

/** What the file of a scenario holds, not yet checked. Throws a `ScenarioError`. */
export function scenarioValue(nameOrPath: string): unknown {
  return parseScenario(scenarioText(nameOrPath), nameOrPath);
}

/** What every result says of the program that made it. */
export function programIdentity(): { readonly version: string; readonly firmwareSha256: string } {
  return { version: version(), firmwareSha256: hex(loadGovernor().sha256) };
}

export function workersOf(asked: number | undefined): number {
  return asked ?? Math.min(availableParallelism(), THREADS_MAX);
}

/** A value as JSON, or where it is none the text itself. Throws a `CliError`. */
export function jsonOf(text: string): Json {
  try {
    return parseJson(text) as Json;
  } catch (error) {
    if (error instanceof ScenarioError) throw wrongUse(`${shown(text)}: ${error.mistakes[0]}`, error);
    return text;
  }
}

/** Of `60,300`, or of a JSON list. */
export function axisValues({ text }: Assignment): readonly Json[] {
  const whole = jsonOf(text);
  return Array.isArray(whole) ? (whole as readonly Json[]) : text.split(",").map(jsonOf);
}

/** Runs it. What is wrong with a scenario is a line for each field; all else is one. */
export async function withFleetErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ScenarioError) throw mistakesOf(error);
    if (error instanceof RunError) throw new CliError(exitOf(error), textOf(error), { cause: error });
    if (error instanceof StoreError) throw storeError(error);
    if (error instanceof OutputError) throw new CliError(outputExit(error), error.message, { cause: error });
    throw error;
  }
}

/** All but the last are told at once: a command ends with one line. */
function mistakesOf(error: ScenarioError): CliError {
  for (const mistake of error.mistakes.slice(0, -1)) process.stderr.write(`quiesce: ${plainText(mistake)}\n`);
  return wrongUse(error.mistakes.at(-1)!, error);
}

function textOf({ message, code, cell }: RunError): string {
  return code === "fleet/cell" && cell !== undefined ? `${message} (--cell ${cell} runs it alone)` : message;
}

function exitOf({ code, causeName }: RunError): Exit {
  if (code === "fleet/checkpoint" || code === "fleet/unknown-cell") return Exit.WRONG_USE;
  if (code === "fleet/job") return Exit.NOT_GOOD;
  // Recordings that cannot be read are a fault of neither the study nor this program.
  return causeName === "WorkloadError" ? Exit.WRONG_USE : Exit.INTERNAL;
}

/** Of what cannot be written or read where it was asked for; all else is about results that are there. */
const PLACES: ReadonlySet<OutputErrorCode> = new Set(["output/not-empty", "output/io", "output/missing"]);

function outputExit({ code }: OutputError): Exit {
  if (code === "output/metric") return Exit.INTERNAL;
  return PLACES.has(code) ? Exit.WRONG_USE : Exit.NOT_GOOD;
}

function storeError(error: StoreError): CliError {
  const exit = error.class === "wait" ? Exit.UNREACHABLE : error.class === "operator" ? Exit.WRONG_USE : Exit.INTERNAL;
  return new CliError(exit, `${error.code}: ${error.message}`, { cause: error });
}
