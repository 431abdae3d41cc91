/** Reads a folder of results back, as its manifest says it is. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { readBounded } from "../../host/courier/files.ts";
import type { RunResult } from "../run/result.ts";
import { scenarioSha256 } from "../scenario/canonical.ts";
import { documentOf } from "./document.ts";
import { OutputError } from "./errors.ts";
import { withIo } from "./io.ts";
import {
  MANIFEST,
  MANIFEST_BYTES_MAX,
  type Manifest,
  type ManifestFile,
  manifestFile,
  manifestOf,
  RESULT_FILES,
  type ResultFile,
  readManifest,
} from "./manifest.ts";
import { ResultSchema } from "./result-schema.ts";

/** Of one file. */
export const FILE_BYTES_MAX = 256 * 1024 * 1024;

/** The result in a folder, when every file that the manifest lists is what it says. Throws `OutputError`. */
export function readResults(folder: string): RunResult {
  return withIo(folder, () => {
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw new OutputError("output/missing", folder);
    const text = readBounded(join(folder, MANIFEST), MANIFEST_BYTES_MAX);
    if (!text) throw new OutputError("output/unfinished", folder);
    if (text.length > MANIFEST_BYTES_MAX) throw new OutputError("output/manifest", "it is too long");
    const manifest = readManifest(text);
    const [results] = RESULT_FILES.map((name, at) => readListed(folder, name, manifest.files[at]!));
    const result = documentOf(ResultSchema, results!, RESULT_FILES[0], "output/content");
    checkResult(result, manifest);
    return result;
  });
}

function readListed(folder: string, name: ResultFile, listed: ManifestFile): Uint8Array {
  const bytes = readBounded(join(folder, name), FILE_BYTES_MAX);
  if (!bytes) throw new OutputError("output/missing-file", name);
  if (bytes.length > FILE_BYTES_MAX) throw new OutputError("output/too-large", name);
  if (!isDeepStrictEqual(manifestFile(name, bytes), listed)) throw new OutputError("output/damaged", name);
  return bytes;
}

/** That the parts of the result belong together, and to this manifest. */
function checkResult(result: RunResult, manifest: Manifest): void {
  const { scenario, points } = result;
  const refuse = (detail: string): never => {
    throw new OutputError("output/content", detail);
  };
  if (!isDeepStrictEqual(manifestOf(result, manifest.files), manifest)) refuse("the manifest is of another run");
  if (scenarioSha256(scenario) !== result.scenarioSha256) refuse("the scenario has another hash");
  const laid = points.map(({ name, set }) => ({ name, set }));
  if (!isDeepStrictEqual(laid, scenario.points)) refuse("its points are not the scenario's");
  const short = points.find(({ runs }) => runs.length !== scenario.seeds);
  if (short) refuse(`point ${short.name} has ${short.runs.length} runs, not ${scenario.seeds}`);
}
