/** The folder that a run leaves: whole or refused, and the same bytes every time. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { MANIFEST, RESULT_FILES } from "../../../fleet/output/manifest.ts";
import { readResults } from "../../../fleet/output/read.ts";
import { writeResults } from "../../../fleet/output/write.ts";
import type { RunResult } from "../../../fleet/run/result.ts";
import { sha256 } from "../../../host/protocol/sha256.ts";
import { METRICS, resultOf } from "./results.ts";

const base = mkdtempSync(join(tmpdir(), "quiesce-results-"));
afterAll(() => rmSync(base, { recursive: true }));

let count = 0;
const newFolder = () => join(base, String(++count));

function written(result: RunResult = resultOf()): string {
  const folder = newFolder();
  writeResults(folder, result, METRICS);
  return folder;
}

type Document = Record<string, unknown>;

function edited(folder: string, name: string, edit: (document: Document) => unknown): void {
  const document = JSON.parse(readFileSync(join(folder, name), "utf8")) as Document;
  edit(document);
  writeFileSync(join(folder, name), JSON.stringify(document));
}

/** With results of other content that the manifest fits. */
function withContent(edit: (document: Document) => unknown): string {
  const folder = written();
  edited(folder, "results.json", edit);
  const bytes = readFileSync(join(folder, "results.json"));
  edited(folder, MANIFEST, ({ files }) => {
    const [file] = files as Document[];
    file!.bytes = bytes.length;
    file!.sha256 = Buffer.from(sha256(bytes)).toString("hex");
  });
  return folder;
}

describe("a folder of results", () => {
  it("holds every file, and its manifest says of which run it is and what each file is", () => {
    const result = resultOf();
    const folder = written(result);
    expect(readdirSync(folder).sort()).toEqual([MANIFEST, ...RESULT_FILES].sort());
    const manifest = JSON.parse(readFileSync(join(folder, MANIFEST), "utf8")) as Document;
    expect(manifest).toEqual({
      format: "quiesce-fleet-results",
      formatVersion: 2,
      version: "0.1.0",
      firmwareSha256: "5f".repeat(32),
      seed: "quiesce",
      scenario: { name: "pause-latency", sha256: result.scenarioSha256 },
      points: 16,
      seeds: 5,
      files: RESULT_FILES.map((path) => {
        const bytes = readFileSync(join(folder, path));
        return { path, bytes: bytes.length, sha256: Buffer.from(sha256(bytes)).toString("hex") };
      }),
    });
  });

  it("is the same to the byte when it is written again", () => {
    const [one, other] = [written(resultOf()), written(structuredClone(resultOf()))];
    for (const name of readdirSync(one)) {
      expect(readFileSync(join(one, name)).equals(readFileSync(join(other, name))), name).toBe(true);
    }
  });

  it("is the same to the byte whatever order the names in the result came in", () => {
    const { points, scenario, ...rest } = resultOf();
    const [one, other] = [written({ ...rest, points, scenario }), written({ scenario, points, ...rest })];
    expect(readFileSync(join(one, MANIFEST), "utf8")).toBe(readFileSync(join(other, MANIFEST), "utf8"));
  });

  it("gives the result back that was written", () => {
    expect(readResults(written())).toEqual(resultOf());
    expect(readResults(written(resultOf({ seeds: 1 })))).toEqual(resultOf({ seeds: 1 }));
  });
});

describe("writing", () => {
  it("goes into an empty folder, and over what was cut short", () => {
    const folder = newFolder();
    mkdirSync(folder);
    writeFileSync(join(folder, "results.json.new"), "half");
    writeResults(folder, resultOf(), METRICS);
    expect(readResults(folder)).toEqual(resultOf());
  });

  it("leaves a folder as it is that holds anything else, also earlier results", () => {
    const folder = newFolder();
    mkdirSync(folder);
    writeFileSync(join(folder, "notes.txt"), "mine");
    expect(() => writeResults(folder, resultOf(), METRICS)).toThrow(/^output\/not-empty: there is notes\.txt in .*$/);
    expect(readdirSync(folder)).toEqual(["notes.txt"]);
    const earlier = written();
    expect(() => writeResults(earlier, resultOf({ seeds: 1 }), METRICS)).toThrow("output/not-empty");
    expect(readResults(earlier)).toEqual(resultOf());
  });

  it("makes the folders that it lies in", () => {
    const folder = join(newFolder(), "of", "runs");
    writeResults(folder, resultOf(), METRICS);
    expect(readResults(folder)).toEqual(resultOf());
  });

  it.skipIf(process.platform !== "linux")("ends where the system has no folders to give", () => {
    expect(() => writeResults("/proc/quiesce", resultOf(), METRICS)).toThrow(/^output\/io: .* \(ENOENT\): /);
    expect(() => writeResults("/proc/quiesce/x", resultOf(), METRICS)).toThrow(/^output\/io: .* \(ENOENT\): /);
  });

  it("says so where the folder cannot be made", () => {
    const file = newFolder();
    writeFileSync(file, "");
    expect(() => writeResults(file, resultOf(), METRICS)).toThrow(/^output\/io: .* \(EEXIST\): /);
    expect(() => writeResults(join(file, "below"), resultOf(), METRICS)).toThrow(/^output\/io: .* \(ENOTDIR\): /);
  });
});

describe("reading refuses, with one line,", () => {
  const other = (folder: string, act: (path: string) => void, name = "results.json") => {
    act(join(folder, name));
    return folder;
  };
  const results = (edit: (document: Document) => unknown) => () => withContent(edit);
  const manifest = (edit: (document: Document) => unknown) => () => {
    const folder = written();
    edited(folder, MANIFEST, edit);
    return folder;
  };

  // biome-ignore format: a table, one row a promise
  const TABLE: readonly (readonly [what: string, make: () => string, line: RegExp])[] = [
    ["a folder that is not there", newFolder, /^output\/missing: /],
    ["a folder without a manifest", () => other(written(), rmSync, MANIFEST), /^output\/unfinished: /],
    ["a manifest that is no JSON", () => other(written(), (path) => writeFileSync(path, "{"), MANIFEST), /^output\/manifest: manifest\.json is not JSON/],
    ["a manifest without end", () => other(written(), (path) => truncateSync(path, 70_000), MANIFEST), /^output\/manifest: it is too long/],
    ["a manifest of another format", manifest((document) => Object.assign(document, { formatVersion: 1 })), /^output\/manifest: manifest\.json\/formatVersion: expected 2/],
    ["a manifest with more in it", manifest((document) => Object.assign(document, { host: "x" })), /^output\/manifest: manifest\.json\/host: unexpected property/],
    ["a manifest that leaves files out", manifest((document) => Object.assign(document, { files: [] })), /^output\/manifest: it lists no file/],
    ["a manifest of another run", manifest((document) => Object.assign(document, { seed: "other" })), /^output\/content: the manifest is of another run/],
    ["results that are not there", () => other(written(), rmSync), /^output\/missing-file: results\.json/],
    ["results that were cut", () => other(written(), (path) => truncateSync(path, 100)), /^output\/damaged: results\.json/],
    ["a table that was edited", () => other(written(), (path) => writeFileSync(path, "point\r\n"), "summary.csv"), /^output\/damaged: summary\.csv/],
    ["a figure that is no number", results(({ points }) => { (points as Edited[])[0]!.runs[0]!.outcome.measures.boards = "many"; }), /^output\/content: results\.json\/points\/0\/runs\/0\/outcome\/measures\/boards: expected number/],
    ["a scenario that is not the one of the hash", results(({ scenario }) => Object.assign(scenario as Document, { title: "Another" })), /^output\/content: the scenario has another hash/],
    ["points that are not the scenario's", results(({ points }) => { (points as Edited[])[0]!.name = "x"; }), /^output\/content: its points are not the scenario's/],
    ["a point that lacks a seed", results(({ points }) => (points as Edited[])[0]!.runs.pop()), /^output\/content: point cap=none, leaseSeconds=60 has 4 runs, not 5/],
  ];
  for (const [what, make, line] of TABLE) {
    it(what, () => {
      const folder = make();
      expect(() => readResults(folder)).toThrow(line);
    });
  }
});

interface Edited {
  name: string;
  runs: { outcome: { measures: Record<string, unknown> } }[];
}
