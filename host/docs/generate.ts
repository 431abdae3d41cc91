/**
 * Makes the pages of `docs/` that stand in the sources already: `npm run docs`. With `--check` it writes nothing and
 * exits 1 if a page is not what the sources make of it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { pages } from "./pages.ts";

const root = new URL("../../", import.meta.url);
const [option, ...rest] = process.argv.slice(2);

if (rest.length > 0 || (option !== undefined && option !== "--check")) {
  process.stderr.write(`unknown argument: ${rest[0] ?? option}. Usage: npm run docs [-- --check]\n`);
  process.exitCode = 2;
} else {
  for (const { path, text } of pages(root)) {
    const current = read(new URL(path, root)) === text;
    if (current) continue;
    if (option === "--check") {
      process.stderr.write(`${path} is out of date: run \`npm run docs\`\n`);
      process.exitCode = 1;
    } else {
      writeFileSync(new URL(path, root), text);
      process.stderr.write(`${path} written\n`);
    }
  }
}

/** A page that is not there yet is empty. */
function read(url: URL): string {
  try {
    return readFileSync(url, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
