/** What became of each thing that was carried, as rows for a table or a document. */
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { type Failure, failureOf } from "../agent/outcome.ts";
import { errorPhrase } from "../protocol/error-phrases.ts";
import { errorCodeText } from "../protocol/refusal.ts";
import { CourierError } from "./errors.ts";

/**
 * `known`: it was there already. `left`: it was not asked for now, and the detail says why. `refused`: board or verifier
 * would not. `unreached`: neither did, for the way to one of them.
 */
export type RowOutcome = "done" | "known" | "left" | "refused" | "unreached";

export interface Row {
  /** Name of a board at its site, or its UEID; or the address of a verifier. */
  readonly who: string;
  readonly what: string;
  readonly outcome: RowOutcome;
  /** Of a refusal or a failure: the governor's name of it, or the verifier's code. */
  readonly code?: string;
  readonly detail?: string;
}

/** What only another stick can mend. */
const ADVICE: Readonly<Record<number, string>> = {
  [ErrorCode.LOG_PROOF_MISSING]: "the stick has no proof of this: pack it again at the verifiers",
  [ErrorCode.LOG_ROLLED_BACK]: "a newer stick was here before: a new one is needed from the verifiers",
  [ErrorCode.LOG_FORKED]:
    "the stick does not start from where this board is: bring its evidence to the verifiers, and a new stick back",
  [ErrorCode.LOG_STALE]:
    "the stick was on its way for longer than the agreement's checkpointSecondsMax allows: pack it again at the verifiers",
};

export class Rows {
  readonly all: Row[] = [];

  add(who: string, what: string, outcome: RowOutcome, detail?: string): void {
    this.all.push({ who, what, outcome, ...(detail !== undefined && { detail }) });
  }

  /** What `act` gives; undefined where it failed, which is a row then. A fault is thrown on. */
  async attempt<T>(who: string, what: string, act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      this.fail(who, what, error);
      return undefined;
    }
  }

  /** The same, where it is a row too that it was done. */
  async carry(who: string, what: string, act: () => Promise<unknown>, detail?: string): Promise<boolean> {
    const isDone = await this.attempt(who, what, async () => {
      await act();
      return true;
    });
    if (isDone) this.add(who, what, "done", detail);
    return isDone === true;
  }

  /** Throws a fault on. */
  fail(who: string, what: string, error: unknown): void {
    if (error instanceof CourierError) {
      this.all.push({ who, what, outcome: "refused", code: error.code, detail: error.message });
      return;
    }
    const failure = failureOf(error);
    if (!failure) throw error;
    const outcome = failure.by === "link" && !isRefusal(failure.code) ? "unreached" : "refused";
    this.all.push({ who, what, outcome, ...wordsOf(failure) });
  }

  has(outcome: RowOutcome): boolean {
    return this.all.some((row) => row.outcome === outcome);
  }
}

/** Of the ways to fail that are not the network's. */
function isRefusal(code: string): boolean {
  return ["client/unauthorized", "client/forbidden", "client/refused", "client/quorum"].includes(code);
}

function wordsOf(failure: Failure): { readonly code: string; readonly detail: string } {
  if (failure.by !== "board") return { code: failure.code, detail: failure.message };
  const detail = `${failure.message} (${errorCodeText(failure.code)})`;
  const advice = ADVICE[failure.code];
  return { code: errorPhrase(failure.code).name, detail: advice === undefined ? detail : `${detail}: ${advice}` };
}
