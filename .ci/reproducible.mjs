// Builds the governor twice, in two directories of different depth, and holds both against the committed hash.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const compiler = join(root, "node_modules/assemblyscript/bin/asc.js");
const scratch = mkdtempSync(join(tmpdir(), "quiesce-"));

function hashOfBuildIn(directory) {
  mkdirSync(directory, { recursive: true });
  for (const name of ["firmware", "asconfig.json"])
    cpSync(join(root, name), join(directory, name), { recursive: true });
  const build = spawnSync(process.execPath, [compiler, "firmware/governor.ts", "--target", "governor"], {
    cwd: directory,
    encoding: "utf8",
  });
  if (build.status !== 0) throw new Error(`the governor does not build:\n${build.stdout}${build.stderr}`);
  return createHash("sha256")
    .update(readFileSync(join(directory, "build/governor.wasm")))
    .digest("hex");
}

try {
  const [one, other] = [join(scratch, "one"), join(scratch, "deep/down/other")].map(hashOfBuildIn);
  const committed = readFileSync(join(root, "firmware/governor.sha256"), "utf8").split(" ")[0];
  console.log(`one build:   ${one}\nanother:     ${other}\ncommitted:   ${committed}`);
  if (one !== other) throw new Error("two builds of the same sources differ");
  if (one !== committed) {
    throw new Error("firmware/governor.sha256 is not this firmware's: if the change is meant, `npm run firmware:hash`");
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
