/** Runs the command in this process: for tests that run it often. What it prints is caught, so that each waits for the one before. */
import type { Ran } from "./run-cli.ts";

// Whether there are colors is settled when the command is loaded.
process.env.NO_COLOR = "1";
const { run } = await import("../../../host/cli/run.ts");

type HereOptions = { cwd?: string; env?: Readonly<Record<string, string>> };

let before: Promise<unknown> = Promise.resolve();

/** `cwd` is where the command runs, by default where the test does; `env` is added to the environment. */
export function quiesceHere(args: readonly string[], options: HereOptions = {}): Promise<Ran> {
  const ran = before.then(() => runCaught(args, options));
  before = ran.catch(() => {});
  return ran;
}

async function runCaught(args: readonly string[], { cwd, env }: HereOptions): Promise<Ran> {
  const { stdout, stderr } = process;
  const [environment, exitBefore, folderBefore] = [process.env, process.exitCode, process.cwd()];
  const caught = { stdout: "", stderr: "" };
  const writes = [stdout.write, stderr.write] as const;
  const into = (name: keyof typeof caught) => (text: string | Uint8Array) => {
    caught[name] += Buffer.from(text as Uint8Array).toString("utf8");
    return true;
  };
  stdout.write = into("stdout");
  stderr.write = into("stderr");
  process.env = { ...environment, ...env };
  process.exitCode = undefined;
  if (cwd !== undefined) process.chdir(cwd);
  try {
    return { exit: await run(args), ...caught };
  } finally {
    [stdout.write, stderr.write] = writes;
    process.env = environment;
    process.exitCode = exitBefore;
    process.chdir(folderBefore);
  }
}
