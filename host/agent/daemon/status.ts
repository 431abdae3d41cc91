/** What `quiesce agent status` shows: written to a file now and then, read by whoever may read the state folder. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { toBase64 } from "../../log/base64.ts";
import { originOf } from "../../log/heads.ts";
import type { MemoryHeads } from "../../log/memory-heads.ts";
import { errorPhrase } from "../../protocol/error-phrases.ts";
import { errorCodeText } from "../../protocol/refusal.ts";
import { AgentError } from "../errors.ts";
import type { Failure } from "../outcome.ts";
import { MACHINE_FILES } from "./files.ts";

export interface StatusError {
  readonly by: Failure["by"];
  readonly code: string;
  readonly message: string;
}

export interface BoardStatus {
  readonly name: string;
  /** In hex; null before the first contact. */
  readonly ueid: string | null;
  /** `GateState`; null before the first contact. */
  readonly gateState: number | null;
  readonly epoch: number | null;
  readonly licenseSequence: string | null;
  /** What is left of the license, 0 to 1. */
  readonly licenseLeft: number | null;
  /** Reports that too few verifiers have. */
  readonly reportsWaiting: number;
  /** Of the machine's clock; 0: none yet. */
  readonly lastContactMs: number;
  readonly error: StatusError | null;
  /** Reached, obeying or at work, and nothing stands in its way. */
  readonly isWell: boolean;
}

export interface VerifierStatus {
  readonly name: string;
  readonly url: string;
  readonly isListening: boolean;
  readonly lastContactMs: number;
  readonly error: StatusError | null;
}

export interface AgentStatus {
  readonly version: 1;
  readonly pid: number;
  readonly startedMs: number;
  readonly writtenMs: number;
  /** It is written at least this often while the agent runs. */
  readonly everyMs: number;
  readonly error: StatusError | null;
  readonly boards: readonly BoardStatus[];
  readonly verifiers: readonly VerifierStatus[];
  readonly log: LogStatus;
}

/** What the verifiers say of the agreements' logs. */
export interface LogStatus {
  /** The newest of each log. */
  readonly heads: readonly { readonly origin: string; readonly size: number; readonly root: string }[];
  /** Two heads that no one log can have: with the notes and the path, in base64, that prove it. */
  readonly splitViews: readonly {
    readonly origin: string;
    readonly size: number;
    readonly otherSize: number;
    readonly first: string;
    readonly second: string;
    readonly proof?: readonly string[];
  }[];
}

export const STATUS_EVERY_MS = 5_000;
const FILE = "status.json";
const FILE_BYTES_MAX = 16 * 1024 * 1024;

export function statusError(failure: Failure | undefined): StatusError | null {
  if (!failure) return null;
  const { by, message } = failure;
  const code =
    failure.by === "board" ? `${errorCodeText(failure.code)} ${errorPhrase(failure.code).name}` : failure.code;
  return { by, code, message };
}

export function logStatus({ newestHeads, splits }: MemoryHeads): LogStatus {
  return {
    heads: newestHeads.map(({ log, size, root }) => ({
      origin: originOf(log),
      size,
      root: Buffer.from(root).toString("hex"),
    })),
    splitViews: splits.map(({ log, size, otherSize, note: first, otherNote: second, proof }) => ({
      origin: originOf(log),
      size,
      otherSize,
      first,
      second,
      ...(proof && { proof: proof.map(toBase64) }),
    })),
  };
}

export function writeStatus(folder: string, status: AgentStatus): Promise<void> {
  return MACHINE_FILES.writeWhole(join(folder, FILE), new TextEncoder().encode(`${JSON.stringify(status)}\n`));
}

/** Undefined where no agent ever ran. Throws an `AgentError` for a file that is none of these. */
export function readStatus(folder: string): AgentStatus | undefined {
  const path = join(folder, FILE);
  try {
    if (statSync(path).size > FILE_BYTES_MAX) throw new AgentError("agent/state", `${path} is too long`);
    const status = JSON.parse(readFileSync(path, "utf8")) as AgentStatus;
    if (status.version !== 1) throw new AgentError("agent/state", `${path} is of version ${status.version}`);
    // An agent of before there were logs says nothing of them.
    return { ...status, log: status.log ?? { heads: [], splitViews: [] } };
  } catch (cause) {
    if (cause instanceof AgentError) throw cause;
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new AgentError("agent/state", `${path} cannot be read`, { cause });
  }
}

/** Whether the agent that wrote it still writes. */
export function isRunning({ writtenMs, everyMs }: AgentStatus, nowMs: number): boolean {
  return nowMs - writtenMs < 3 * everyMs;
}
