/**
 * Writes a folder of results. Every file is whole on the disk under another name before it gets its own, and the manifest
 * comes last: a folder that was not written to its end has none.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { finish, remove, syncFolder, UNFINISHED, writeUnfinished, writeWhole } from "../../host/courier/files.ts";
import { makeFolder } from "../../host/make-folder.ts";
import type { RunResult } from "../run/result.ts";
import { canonicalJson } from "../scenario/canonical.ts";
import type { Metric } from "../study.ts";
import { resultsCsv, summaryCsv } from "./csv.ts";
import { OutputError } from "./errors.ts";
import { withIo } from "./io.ts";
import { MANIFEST, manifestFile, manifestOf, manifestText, RESULT_FILES, type ResultFile } from "./manifest.ts";
import { resultsParquet } from "./parquet.ts";
import { FILE_BYTES_MAX } from "./read.ts";
import { renderReport } from "./report.ts";

/**
 * Into a folder that is new, empty, or holds only what a writing that was cut short left; `metrics` are those of the study.
 * The same result gives the same bytes in every file. Throws `OutputError`.
 */
export function writeResults(folder: string, result: RunResult, metrics: readonly Metric[]): void {
  const files = filesOf(result, metrics);
  withIo(folder, () => {
    makeFolder(folder);
    clear(folder);
    for (const [name, bytes] of files) writeUnfinished(join(folder, name), bytes, READABLE);
    for (const name of files.keys()) finish(join(folder, name));
    syncFolder(folder);
    const manifest = manifestOf(
      result,
      [...files].map(([name, bytes]) => manifestFile(name, bytes)),
    );
    writeWhole(join(folder, MANIFEST), Buffer.from(manifestText(manifest)), READABLE);
  });
}

/** Results are made to be passed on. */
const READABLE = 0o644;

function filesOf(result: RunResult, metrics: readonly Metric[]): Map<ResultFile, Uint8Array> {
  const make: Record<ResultFile, () => string | Uint8Array> = {
    "results.json": () => `${canonicalJson(result)}\n`,
    "results.csv": () => resultsCsv(result, metrics),
    "summary.csv": () => summaryCsv(result, metrics),
    "results.parquet": () => resultsParquet(result, metrics),
    "report.html": () => renderReport(result, metrics),
  };
  return new Map(
    RESULT_FILES.map((name) => {
      const content = make[name]();
      const bytes = typeof content === "string" ? Buffer.from(content) : content;
      if (bytes.length > FILE_BYTES_MAX) throw new OutputError("output/too-large", `${name}, ${bytes.length} bytes`);
      return [name, bytes];
    }),
  );
}

/** Takes away what a writing that was cut short left; a folder with anything else in it is left as it is. */
function clear(folder: string): void {
  const unfinished = new Set([...RESULT_FILES, MANIFEST].map((name) => `${name}${UNFINISHED}`));
  const found = readdirSync(folder).sort();
  const other = found.find((name) => !unfinished.has(name));
  if (other !== undefined) throw new OutputError("output/not-empty", `there is ${other} in ${folder}`);
  for (const name of found) remove(join(folder, name));
}
