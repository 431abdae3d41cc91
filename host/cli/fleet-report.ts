/** Folders of results, and their reports: `--out` of a run, and `quiesce fleet report`. */
import { accessSync, constants, existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { withIo } from "../../fleet/output/io.ts";
import type { RunResult } from "../../fleet/run/result.ts";
import { studyOf } from "../../fleet/run/study-modules.ts";
import type { Study } from "../../fleet/study.ts";
import { UNFINISHED } from "../courier/files.ts";
import { makeFolder } from "../make-folder.ts";
import type { ReportOptions } from "./commands/fleet.ts";
import { wrongUse } from "./exit.ts";
import { loadStudies, withFleetErrors } from "./fleet-input.ts";
import { checkNewFile } from "./input.ts";
import { print } from "./output.ts";

/** Makes it before anything runs: a result that has no place to go to would be lost. Throws an `OutputError` too. */
export function prepareFolder(folder: string): void {
  if (existsSync(folder) && !statSync(folder).isDirectory())
    throw wrongUse(`--out ${folder} is a file, and must be a folder`);
  const found = withIo(folder, () => {
    makeFolder(folder);
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return readdirSync(folder);
  });
  const other = found.find((name) => !name.endsWith(UNFINISHED));
  if (other !== undefined)
    throw wrongUse(`--out ${folder} has ${other} in it: results go into a new or an empty folder`);
}

/** Throws an `OutputError`. */
export async function writeFolder(folder: string, result: RunResult, { metrics }: Study<never>): Promise<void> {
  const { writeResults } = await import("../../fleet/output/write.ts");
  writeResults(folder, result, metrics);
}

export function showReport(folder: string, { studies: paths, out }: ReportOptions): Promise<void> {
  return withFleetErrors(async () => {
    if (out !== undefined) checkNewFile(out);
    const { readResults } = await import("../../fleet/output/read.ts");
    const { renderReport } = await import("../../fleet/output/report.ts");
    const result = readResults(folder);
    const { studies } = await loadStudies(paths);
    const text = renderReport(result, studyOf(studies, result.scenario.study).metrics);
    if (out === undefined) print(text);
    else writeFileSync(out, text, { flag: "wx" });
  });
}
