/**
 * The agent's log: lines of JSON on stderr, with the board, the task, the code, and the verifier's own name of a request.
 * Never an object's bytes, a token or a key. What fails again and again in the same way is said once, and when it ends.
 */
import { type DestinationStream, type Logger, pino } from "pino";
import type { HeadSplit } from "../../log/heads.ts";
import type { LogLevel } from "../../log-levels.ts";
import { errorPhrase } from "../../protocol/error-phrases.ts";
import type { Failure, Outcome } from "../outcome.ts";

/** What goes well all the time is for those who debug. */
const QUIET: ReadonlySet<string> = new Set(["time", "reports", "openings"]);

export function agentLogger(
  level: LogLevel,
  stream: DestinationStream = pino.destination({ dest: 2, sync: true }),
): Logger {
  const options = { level, base: { service: "quiesce-agent" }, timestamp: pino.stdTimeFunctions.isoTime };
  return pino(options, stream);
}

export class OutcomeLog {
  readonly #log: Logger;
  readonly #failing = new Map<string, string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  take(board: string, task: string, outcome: Outcome): void {
    const key = `${board} ${task}`;
    const before = this.#failing.get(key);
    if (outcome.ok) {
      this.#failing.delete(key);
      const level = QUIET.has(task) && before === undefined ? "debug" : "info";
      this.#log[level]({ board, task }, before === undefined ? "done" : "done again");
      return;
    }
    const { code } = outcome;
    this.#failing.set(key, String(code));
    this.#log[before === String(code) ? "debug" : "warn"]({ board, task, ...failureFields(outcome) }, "not done");
  }

  verifier(verifier: string, failure: Failure): void {
    this.#log.warn({ verifier, ...failureFields(failure) }, "not reached");
  }

  /** Two heads that no honest log can have signed: both are in the status, to be published. */
  splitView(origin: string, { size, otherSize }: HeadSplit): void {
    this.#log.error({ origin, size, otherSize }, "split view");
  }

  fault(where: object, error: unknown): void {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    this.#log.error({ ...where, error: { name, message, stack } }, "fault");
  }
}

function failureFields(failure: Failure): object {
  const { by, message, requestId } = failure;
  const code = failure.by === "board" ? errorPhrase(failure.code).name : failure.code;
  return { by, code, message, ...(requestId !== undefined && { requestId }) };
}
