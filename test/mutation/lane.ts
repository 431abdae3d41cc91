/**
 * One lane: some mutants, and every test file of the suite for them, each in a process of its own. A process that says
 * nothing for long hangs on the mutant that it tried last: that one counts as killed, and the file begins anew without it.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Names the file that says what a lane's process is to do. */
export const WORK_VARIABLE = "QUIESCE_MUTATION";
const root = fileURLToPath(new URL("../../", import.meta.url));
const HANG_MS = 60_000;
const LOOK_MS = 500;

export type LaneWork = {
  /** Ids of the mutants to try. */
  alive: string[];
  log: string;
  /** Tests that take longer are only asked what they reach. */
  testMillisecondsMost: number;
};

export type LogLine =
  | { test: string; milliseconds: number; reached: string[] }
  | { trying: string }
  | { killed: string; by: string };

/** Test files, and how long a test may take to be asked about mutants. */
export type Pass = { files: readonly string[]; testMillisecondsMost: number };

export type LaneResult = {
  /** Which test killed a mutant. */
  killed: Map<string, string>;
  /** Mutants whose place some test came to. */
  reached: Set<string>;
};

/** A test of the suite does not pass with the governor that ships, or a process broke. */
export class SuiteBroken extends Error {
  override readonly name = "SuiteBroken";
}

type Told = { onKilled: (count: number) => void; onFile: () => void };

/** @throws SuiteBroken */
export async function runLane(
  ids: readonly string[],
  passes: readonly Pass[],
  { onKilled, onFile }: Told,
): Promise<LaneResult> {
  const folder = mkdtempSync(join(tmpdir(), "quiesce-mutation-"));
  const result: LaneResult = { killed: new Map(), reached: new Set() };
  try {
    for (const { files, testMillisecondsMost } of passes) {
      for (const file of files) {
        for (let again = true; again; ) {
          const alive = ids.filter((id) => !result.killed.has(id));
          if (alive.length === 0) return result;
          again = await playFile(
            file,
            { alive, log: join(folder, "log"), testMillisecondsMost },
            folder,
            result,
            onKilled,
          );
        }
        onFile();
      }
    }
    return result;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** True if it hung, and has to be played again. */
async function playFile(
  file: string,
  work: LaneWork,
  folder: string,
  result: LaneResult,
  onKilled: Told["onKilled"],
): Promise<boolean> {
  const path = join(folder, "work");
  writeFileSync(path, JSON.stringify(work));
  writeFileSync(work.log, "");
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const child = spawn(process.execPath, [vitest, "run", "--config", "test/mutation/vitest.config.ts", file], {
    cwd: root,
    env: { ...process.env, [WORK_VARIABLE]: path },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk));
  let hung = false;
  let last = { size: 0, at: Date.now() };
  const watch = setInterval(() => {
    const { size } = statSync(work.log);
    if (size !== last.size) last = { size, at: Date.now() };
    onKilled(result.killed.size + take(work.log).killed.size);
    if (Date.now() - last.at < HANG_MS || take(work.log).trying === undefined) return;
    hung = true;
    process.kill(-child.pid!, "SIGKILL");
  }, LOOK_MS);
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  clearInterval(watch);
  const { killed, reached, trying } = take(work.log);
  for (const [id, by] of killed) result.killed.set(id, by);
  for (const id of reached) result.reached.add(id);
  if (hung) result.killed.set(trying!, `${file}: hangs`);
  else if (code !== 0) throw new SuiteBroken(`${file} does not pass with the governor that ships:\n${said}`);
  onKilled(result.killed.size);
  return hung;
}

/** What a log says so far. */
function take(log: string): LaneResult & { trying: string | undefined } {
  const killed = new Map<string, string>();
  const reached = new Set<string>();
  let trying: string | undefined;
  for (const text of readFileSync(log, "utf8").split("\n").slice(0, -1)) {
    const line = JSON.parse(text) as LogLine;
    if ("trying" in line) trying = line.trying;
    else if ("killed" in line) killed.set(line.killed, line.by);
    else for (const id of line.reached) reached.add(id);
  }
  return { killed, reached, trying };
}
