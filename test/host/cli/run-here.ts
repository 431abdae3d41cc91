/** Runs the command in this process: for tests that run it often. One at a time, since what it prints is caught. */
import type { Ran } from "./run-cli.ts";

// Whether there are colors is settled when the command is loaded.
process.env.NO_COLOR = "1";
const { run } = await import("../../../host/cli/run.ts");

/** `env` is added to the environment. */
export async function quiesceHere(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const { stdout, stderr } = process;
  const [environment, exitBefore] = [process.env, process.exitCode];
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
  try {
    return { exit: await run(args), ...caught };
  } finally {
    [stdout.write, stderr.write] = writes;
    process.env = environment;
    process.exitCode = exitBefore;
  }
}
