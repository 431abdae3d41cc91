/**
 * The server's program in one file: a campaign starts it hundreds of times, and most of a start is finding and reading
 * some seven hundred files. esbuild makes it, which is what tsx itself runs all TypeScript here with.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SERVER = fileURLToPath(new URL("./server.ts", import.meta.url));
/** Where packages are found that stay outside: they load machine code. */
export const MODULES = fileURLToPath(new URL("../../node_modules", import.meta.url));
/** The one module of the server that asks where it stands: it reads what was built, two folders further up. */
const ASKS_WHERE = new URL("../../host/protocol/ed25519-module.ts", import.meta.url).href;
const OUTSIDE = ["libsql", "pg-native"];

interface Esbuild {
  buildSync(options: Readonly<Record<string, unknown>>): unknown;
}

let folder: string | undefined;
let made: string | undefined;

/** Made on first use, for all campaigns of this process. */
export function serverProgram(): string {
  if (made !== undefined) return made;
  folder = mkdtempSync(join(tmpdir(), "quiesce-campaign-program-"));
  const esbuild = createRequire(createRequire(import.meta.url).resolve("tsx"))("esbuild") as Esbuild;
  made = join(folder, "server.cjs");
  esbuild.buildSync({
    entryPoints: [SERVER],
    outfile: made,
    bundle: true,
    platform: "node",
    format: "cjs",
    external: OUTSIDE,
    define: { "import.meta.url": JSON.stringify(ASKS_WHERE) },
    logLevel: "error",
  });
  return made;
}

/** When all campaigns are over. */
export function removeServerProgram(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
  made = undefined;
}
