/**
 * Runs a page that is a notebook: files that it names, commands, cells of JavaScript, and puts what they print in their
 * place. `npx tsx test/docs/notebook.ts` writes the page anew.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { quiesceHere } from "../host/cli/run-here.ts";

export const NOTEBOOK = new URL("../../docs/fleet-notebook.md", import.meta.url);

const BLOCK =
  /(?:^`(?<file>[\w.-]+)`:\n\n)?^```(?<kind>json|console|js)\n(?<text>[\s\S]*?)^```\n(?:\n^```text\n[\s\S]*?^```\n)?/gm;

/** The page with what its cells print today. @throws Error for a cell that fails. */
export async function rerun(page: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "quiesce-notebook-"));
  try {
    let written = "";
    let at = 0;
    for (const { index, 0: block, groups } of page.matchAll(BLOCK)) {
      const { file, kind, text } = groups as { file?: string; kind: string; text: string };
      written += page.slice(at, index);
      at = index + block.length;
      if (kind === "json") writeFileSync(join(folder, file!), text);
      written += kind === "console" ? await command(text, folder) : kind === "js" ? cell(text, folder) : block;
    }
    return written + page.slice(at);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function command(text: string, folder: string): Promise<string> {
  const [asked] = text.match(/^\$ quiesce (?:.*\\\n)*.*\n/) ?? [];
  if (asked === undefined) throw new Error(`this is no command of quiesce: ${text}`);
  const args = asked.replaceAll("\\\n", " ").trim().split(/\s+/).slice(2);
  const { exit, stdout, stderr } = await quiesceHere(args, { cwd: folder });
  if (exit !== 0) throw new Error(`${asked}ended with ${exit}: ${stderr}`);
  // How long it took is all that another machine prints otherwise.
  return `\`\`\`console\n${asked}${stdout.replace(/, in [\d.]+ m?s\n$/, "\n")}\`\`\`\n`;
}

function cell(text: string, folder: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", text], {
    cwd: folder,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`a cell ended with ${status}: ${stderr}`);
  const shown = stdout.replace(/ +$/gm, "");
  return `\`\`\`js\n${text}\`\`\`\n\n\`\`\`text\n${shown}\`\`\`\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(NOTEBOOK, await rerun(readFileSync(NOTEBOOK, "utf8")));
}
