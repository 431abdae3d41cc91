/** How the command ends: exit codes, and the errors that carry them. docs/cli.md lists them. */

import { errorPhrase } from "../protocol/error-phrases.ts";
import { Refusal } from "../protocol/refusal.ts";
import { codeName } from "./names.ts";

export const Exit = {
  DONE: 0,
  /** The thing judged is not good: an invalid signature, a broken invariant, a refusal, a damaged store. */
  NOT_GOOD: 1,
  /** Wrong use: an unknown option or command, a missing file, a wrong type, an unreadable trace. */
  WRONG_USE: 2,
  /** A fault of this program. */
  INTERNAL: 3,
  /** Another process that is needed is not there: a verifier or a database that has ended, or does not answer. */
  UNREACHABLE: 4,
  /** A log signed two heads that contradict each other: what it says is worth nothing any more. */
  SPLIT_VIEW: 5,
} as const;

export type Exit = (typeof Exit)[keyof typeof Exit];

/** Ends the command with one line on stderr. The message says what was wrong, with what, and what to do. */
export class CliError extends Error {
  readonly exit: Exit;

  constructor(exit: Exit, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CliError";
    this.exit = exit;
  }
}

export function wrongUse(message: string, cause?: unknown): CliError {
  return new CliError(Exit.WRONG_USE, message, { cause });
}

/** Errors that say that a board or a verifier did not do what a good one does. */
const NOT_GOOD: ReadonlySet<string> = new Set([
  "InvariantBroken",
  "SiteError",
  "JobStalled",
  "VerifierError",
  "ClientError",
  "CourierError",
]);

/** Errors that say that something else was not there. */
const UNREACHABLE: ReadonlySet<string> = new Set(["VerifierProcessError", "LinkError"]);

/** Whatever was thrown, as an exit code and one line for people. */
export function verdictOf(error: unknown): { exit: Exit; line: string } {
  if (error instanceof CliError) return { exit: error.exit, line: oneLine(error.message) };
  const name = error instanceof Error ? error.name : "";
  const message = oneLine(error instanceof Error ? error.message : String(error));
  // By name: the modules that throw these are loaded only by the commands that need them.
  if (name === "WorkloadError") return { exit: Exit.WRONG_USE, line: message };
  if (name === "SplitView") return { exit: Exit.SPLIT_VIEW, line: `log/split-view: ${message}` };
  if (name === "LogError") return { exit: Exit.NOT_GOOD, line: `${(error as { code?: string }).code}: ${message}` };
  if (error instanceof Refusal)
    return { exit: Exit.NOT_GOOD, line: `refused: ${codeName(error.code)}, ${refusalText(error)}` };
  if (UNREACHABLE.has(name) || isNetwork(error)) return { exit: Exit.UNREACHABLE, line: message };
  if (NOT_GOOD.has(name)) return { exit: Exit.NOT_GOOD, line: message };
  return { exit: Exit.INTERNAL, line: `internal error: ${message} (--debug shows where)` };
}

/** A `ClientError` by which a verifier was not reached. */
function isNetwork(error: unknown): boolean {
  const { name, class: errorClass } = Object(error) as { name?: string; class?: string };
  return name === "ClientError" && errorClass === "network";
}

/** The phrase of a refusal's code, and what was found. */
export function refusalText(error: Refusal): string {
  const { phrase } = errorPhrase(error.code);
  const detail = error.message.replace(/ \(0x[0-9a-f]{4}\)$/, "");
  return detail === phrase ? phrase : `${phrase}: ${detail}`;
}

/** Errors of commander: "error: unknown option '--x'", with a suggestion on a second line. */
export function usageLine(text: string): string {
  return oneLine(text.replace(/^error: /, ""));
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, " ").trim();
}
