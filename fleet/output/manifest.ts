/**
 * The manifest of a folder of results: which run it is, and every other file with its length and SHA-256. Nothing of the
 * machine or its clock is in it. It says whether the folder came through whole, not who made it.
 */
import { type Static, Type } from "@sinclair/typebox";
import { sha256 } from "../../host/protocol/sha256.ts";
import { hexOf } from "../../host/verifier/bytes.ts";
import type { RunResult } from "../run/result.ts";
import { documentOf } from "./document.ts";
import { OutputError } from "./errors.ts";

export const MANIFEST = "manifest.json";
export const MANIFEST_BYTES_MAX = 65_536;

/** Of all files of a folder: 2 since expected figures say what they rest on. */
const FORMAT_VERSION = 2;

/** Every file but the manifest, in the order of writing. */
export const RESULT_FILES = ["results.json", "results.csv", "summary.csv", "results.parquet", "report.html"] as const;

export type ResultFile = (typeof RESULT_FILES)[number];

const Closed = { additionalProperties: false };
const Sha256 = Type.String({ pattern: "^[0-9a-f]{64}$" });
const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

const Manifest = Type.Object(
  {
    format: Type.Literal("quiesce-fleet-results"),
    formatVersion: Type.Literal(FORMAT_VERSION),
    version: Type.String(),
    firmwareSha256: Sha256,
    seed: Type.String(),
    scenario: Type.Object({ name: Type.String(), sha256: Sha256 }, Closed),
    points: Count,
    /** Of each point. */
    seeds: Count,
    files: Type.Array(Type.Object({ path: Type.String(), bytes: Count, sha256: Sha256 }, Closed)),
  },
  Closed,
);

export type Manifest = Static<typeof Manifest>;
export type ManifestFile = Manifest["files"][number];

export function manifestOf(result: RunResult, files: readonly ManifestFile[]): Manifest {
  const { version, firmwareSha256, seed, scenario, scenarioSha256, points } = result;
  return {
    format: "quiesce-fleet-results",
    formatVersion: FORMAT_VERSION,
    version,
    firmwareSha256,
    seed,
    scenario: { name: scenario.name, sha256: scenarioSha256 },
    points: points.length,
    seeds: scenario.seeds,
    files: [...files],
  };
}

export function manifestFile(path: ResultFile, bytes: Uint8Array): ManifestFile {
  return { path, bytes: bytes.length, sha256: hexOf(sha256(bytes)) };
}

export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** Throws `OutputError` (`output/manifest`). */
export function readManifest(bytes: Uint8Array): Manifest {
  const manifest = documentOf(Manifest, bytes, MANIFEST, "output/manifest");
  const listed = manifest.files.map(({ path }) => path).join(", ");
  if (listed !== RESULT_FILES.join(", ")) throw new OutputError("output/manifest", `it lists ${listed || "no file"}`);
  return manifest;
}
