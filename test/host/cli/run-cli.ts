/** Runs the command as its users do: a child process with arguments, and what it printed. */
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const QUIESCE = fileURLToPath(new URL("../../../host/cli/quiesce.mjs", import.meta.url));

export type Ran = { exit: number | null; stdout: string; stderr: string };

/** `input` goes to stdin; `cwd` is where the command runs; `env` is added to the environment. */
export function quiesce(
  args: readonly string[],
  options: { input?: Uint8Array; cwd?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [QUIESCE, ...args], {
      cwd: options.cwd ?? tmpdir(),
      env: { ...process.env, NO_COLOR: "1", ...options.env },
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (exit) => resolve({ exit, stdout, stderr }));
    // A command that ends without reading its stdin is no error here.
    child.stdin.on("error", () => {});
    child.stdin.end(options.input);
  });
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), "quiesce-cli-"));
}
