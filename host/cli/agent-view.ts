/** What `quiesce agent status` prints: a line for each board, and for each verifier. */
import {
  type AgentStatus,
  type BoardStatus,
  isRunning,
  type LogStatus,
  readStatus,
  type VerifierStatus,
} from "../agent/daemon/status.ts";
import { AgentError } from "../agent/errors.ts";
import { readConfig } from "./agent-config.ts";
import { Exit, wrongUse } from "./exit.ts";
import { countText, durationText, exactText, plainText, stateName } from "./names.ts";
import { color, print, printJson, table } from "./output.ts";

/** Ends with exit code 1 where something is not well. */
export function showAgent(options: { config?: string; state?: string }, asJson: boolean): void {
  const status = statusOf(folderOf(options));
  const nowMs = Date.now();
  const running = isRunning(status, nowMs);
  const isWell = running && status.error === null && status.boards.every((board) => board.isWell) && isOneLog(status);
  if (asJson) printJson(documentOf(status, running, isWell));
  else printStatus(status, running, nowMs);
  if (!isWell) process.exitCode = Exit.NOT_GOOD;
}

function folderOf({ config, state }: { config?: string; state?: string }): string {
  if (state !== undefined) return state;
  if (config === undefined) throw wrongUse("name the agent: --config FILE or --state FOLDER");
  return readConfig(config).state;
}

function statusOf(folder: string): AgentStatus {
  try {
    const status = readStatus(folder);
    if (status) return status;
  } catch (error) {
    if (error instanceof AgentError) throw wrongUse(`${error.code}: ${error.message}`, error);
    throw error;
  }
  throw wrongUse(`${folder} holds no agent's status: it never ran there`);
}

function documentOf({ boards, ...status }: AgentStatus, running: boolean, isWell: boolean): object {
  return {
    isWell,
    isRunning: running,
    ...status,
    boards: boards.map(({ gateState, ...board }) => ({
      ...board,
      gate: gateState === null ? null : stateName(gateState),
    })),
  };
}

function printStatus(status: AgentStatus, running: boolean, nowMs: number): void {
  const { boards, verifiers, error, log } = status;
  if (!running) print(`${color.red("the agent does not run")}: it wrote this ${agoText(status.writtenMs, nowMs)}`);
  if (error) print(`${color.red(error.code)} ${plainText(error.message)}`);
  if (boards.length === 0) print("no boards");
  else print(boardTable(boards, nowMs));
  print("");
  print(verifierTable(verifiers, nowMs));
  if (log.heads.length > 0) print(`\n${logTable(log)}`);
  if (!isOneLog(status)) print(color.red("A log shows several histories: --json has the signed heads that prove it."));
}

/** Whether every log shows one history, as far as the agent saw. */
function isOneLog({ log }: AgentStatus): boolean {
  return log.splitViews.length === 0;
}

function logTable({ heads, splitViews }: LogStatus): string {
  const columns = [{ title: "log" }, { title: "leaves", right: true }, { title: "what is wrong" }];
  return table(
    columns,
    heads.map(({ origin, size }) => {
      const count = splitViews.filter((view) => view.origin === origin).length;
      return [plainText(origin), exactText(size), count === 0 ? "" : countText(count, "split view")];
    }),
    "",
  );
}

function boardTable(boards: readonly BoardStatus[], nowMs: number): string {
  const columns = [
    { title: "board" },
    { title: "gate" },
    { title: "epoch", right: true },
    { title: "license left", right: true },
    { title: "waiting", right: true },
    { title: "contact", right: true },
    { title: "what is wrong" },
  ];
  return table(
    columns,
    boards.map((board) => [
      plainText(board.name),
      gateText(board),
      String(board.epoch ?? ""),
      board.licenseLeft === null ? "" : `${Math.floor(board.licenseLeft * 100)} %`,
      String(board.reportsWaiting),
      agoText(board.lastContactMs, nowMs),
      board.error ? `${board.error.code}: ${plainText(board.error.message)}` : "",
    ]),
    "",
  );
}

function gateText({ gateState, isWell }: BoardStatus): string {
  const name = gateState === null ? "unknown" : stateName(gateState);
  return isWell ? name : color.yellow(name);
}

function verifierTable(verifiers: readonly VerifierStatus[], nowMs: number): string {
  const columns = [
    { title: "verifier" },
    { title: "events" },
    { title: "contact", right: true },
    { title: "what is wrong" },
  ];
  return table(
    columns,
    verifiers.map(({ name, isListening, lastContactMs, error }) => [
      plainText(name),
      isListening ? "listening" : "polling",
      agoText(lastContactMs, nowMs),
      error ? `${error.code}: ${plainText(error.message)}` : "",
    ]),
    "",
  );
}

function agoText(atMs: number, nowMs: number): string {
  return atMs === 0 ? "never" : `${durationText(Math.max(0, Math.round((nowMs - atMs) / 1000)))} ago`;
}
