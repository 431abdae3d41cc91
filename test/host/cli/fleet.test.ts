/** `quiesce fleet` as people use it: what it prints, what it writes, and how it ends. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { coinScenario } from "../../fleet/coins.ts";
import { QUIESCE } from "./run-cli.ts";
import { quiesceHere } from "./run-here.ts";

const folder = mkdtempSync(join(tmpdir(), "quiesce-fleet-"));
const STUDIES = ["--studies", fileURLToPath(new URL("../../fleet/coins.ts", import.meta.url))];
const BUILT_IN = readdirSync(new URL("../../../fleet/scenarios", import.meta.url)).sort();

const path = (name: string) => join(folder, name);
const fleet = (...args: string[]) => quiesceHere(["fleet", ...args, ...(args.length > 0 ? STUDIES : [])]);

function save(name: string, changes: Readonly<Record<string, unknown>> = {}): string {
  writeFileSync(path(name), JSON.stringify(coinScenario(changes)));
  return path(name);
}

function saveBytes(name: string, bytes: string | Uint8Array): string {
  writeFileSync(path(name), bytes);
  return path(name);
}

function pipe(name: string): string {
  execFileSync("mkfifo", [path(name)]);
  return path(name);
}

const fair = {
  figure: "share of heads",
  metric: "headsShare",
  point: "fair",
  expected: 0.5,
  tolerance: { relative: 0.2 },
  source: "the mint",
};
const bent = {
  ...fair,
  figure: "of a bent coin",
  point: "bent",
  expected: 0.75,
  basis: "formula",
  tolerance: { absolute: 0.1 },
  of: "each",
};
const POINTS = [
  { name: "fair", set: {} },
  { name: "bent", set: { "coin.headsShare": 0.75 } },
];

let right: string;
let wrong: string;
let failing: string;
beforeAll(() => {
  right = save("right.json", { points: POINTS, seeds: 3, parameters: { throws: 400 }, expect: [fair, bent] });
  wrong = save("wrong.json", {
    points: POINTS,
    seeds: 3,
    parameters: { throws: 400 },
    expect: [fair, { ...bent, expected: 0.9 }],
  });
  failing = save("failing.json", { parameters: { failing: [1] }, expect: [{ ...fair, point: "base" }] });
  save("bare.json");
  mkdirSync(path("full"));
  writeFileSync(path("full/notes.txt"), "mine");
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("quiesce fleet", () => {
  it("lists what comes with it, each of which is right", async () => {
    const { exit, stdout, stderr } = await quiesceHere(["fleet", "list", "--json"]);
    expect([exit, stderr]).toEqual([0, ""]);
    const { scenarios } = JSON.parse(stdout) as { scenarios: { name: string }[] };
    expect(scenarios.map(({ name }) => `${name}.json`)).toEqual(BUILT_IN);
  });

  it("describes a scenario: its question, every parameter with its range, points, metrics, what was expected", async () => {
    const { exit, stdout } = await fleet("describe", right);
    expect(exit).toBe(0);
    for (const line of [
      /^How often are heads up\?$/m,
      /^runs +2 points, 3 seeds of each, 24 cells in all$/m,
      /^coin\.headsShare +0\.5 +a number from 0 to 1 +how often heads are up$/m,
      /^throws +400 +a whole number from 1 to 86400 +of each$/m,
      /^kind +"fair" +one of fair, bent$/m,
      /^bent +coin\.headsShare = 0\.75$/m,
      /^headsShare +1 +Heads among all throws\.$/m,
      /^of a bent coin +bent +0\.75 +formula +the mint$/m,
    ]) {
      expect(stdout).toMatch(line);
    }
  });

  it("runs it, and shows what was expected beside what is measured", async () => {
    const { exit, stdout, stderr } = await fleet("run", right);
    expect([exit, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^fair +headsShare +0\.\d+ +0\.\d+ +0\.\d+ +1$/m);
    expect(stdout).toMatch(/^✓ +of a bent coin +bent +0\.75 +formula +0\.\d+ +0\.\d+ to 0\.\d+ +± 0\.1, each$/m);
  });

  it("shows the metrics that were asked for", async () => {
    const { stdout } = await fleet("run", right, "--metric", "headsCount");
    expect(stdout).toMatch(/^fair +headsCount .*\nbent +headsCount /m);
    expect(stdout).not.toMatch(/^(fair|bent) +headsShare /m);
  });

  it("gives the same document with threads and with a checkpoint, and goes on with it", async () => {
    const plain = await fleet("run", right, "--json");
    const threads = await fleet("run", right, "--json", "--workers", "2", "--checkpoint", path("run.ndjson"));
    const again = await fleet("run", right, "--json", "--checkpoint", path("run.ndjson"));
    expect([threads.stdout, again.stdout]).toEqual([plain.stdout, plain.stdout]);
    expect([threads.stderr, again.stderr]).toEqual(["", "quiesce: 24 cells done before\n"]);
    const { scenario, points, firmwareSha256, version } = JSON.parse(plain.stdout);
    expect([scenario.name, points.length, points[0].runs.length]).toEqual(["coin-tosses", 2, 3]);
    expect([firmwareSha256, version]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), expect.any(String)]);
    const other = await fleet("run", right, "--seed", "2", "--checkpoint", path("run.ndjson"));
    expect([other.exit, other.stderr]).toEqual([
      2,
      expect.stringMatching(/is of another seed: it has "1", this run has "2"\n$/),
    ]);
  });

  it.skipIf(process.platform !== "linux")(
    "keeps what is done where the disk takes no more of a checkpoint",
    async () => {
      const checkpoint = path("full.ndjson");
      // A kilobyte for each file, and an error beyond: tsx must not write its cache under that.
      const limited = 'trap "" XFSZ; ulimit -f 1; exec "$@"';
      const args = [
        limited,
        "sh",
        process.execPath,
        QUIESCE,
        "fleet",
        "run",
        right,
        ...STUDIES,
        "--checkpoint",
        checkpoint,
      ];
      const env = { ...process.env, TSX_DISABLE_CACHE: "1", NO_COLOR: "1" };
      const { status, stderr } = spawnSync("bash", ["-c", ...args], { env, encoding: "utf8" });
      expect([status, stderr]).toEqual([2, `quiesce: the checkpoint ${checkpoint} cannot be written: EFBIG\n`]);
      const resumed = await fleet("run", right, "--json", "--checkpoint", checkpoint);
      expect(resumed.stderr).toMatch(/^quiesce: \d+ cells done before\n$/);
      expect(resumed.stdout).toBe((await fleet("run", right, "--json")).stdout);
    },
  );

  it.skipIf(process.platform !== "linux")("makes the folder of results before anything runs", async () => {
    const { exit, stderr } = await fleet("run", failing, "--out", "/proc/quiesce");
    expect([exit, stderr]).toEqual([2, expect.stringMatching(/^quiesce: output\/io: .*ENOENT.*\n$/)]);
  });

  it("writes a folder of results, and makes their report again", async () => {
    const out = path("results");
    expect((await fleet("run", right, "--out", out)).exit).toBe(0);
    const report = readFileSync(join(out, "report.html"), "utf8");
    expect((await fleet("report", out)).stdout).toBe(report);
    expect((await fleet("report", out, "--out", path("again.html"))).exit).toBe(0);
    expect(readFileSync(path("again.html"), "utf8")).toBe(report);
    writeFileSync(join(out, "results.csv"), "another,table\n");
    const damaged = await fleet("report", out);
    expect([damaged.exit, damaged.stderr]).toEqual([1, expect.stringContaining("output/damaged: results.csv")]);
  });

  it("takes other values, points and seeds, and axes instead of points", async () => {
    const set = await fleet("run", right, "--set", "coin.headsShare=0.1", "--seeds", "1", "--point", "fair", "--json");
    expect(JSON.parse(set.stdout)).toMatchObject({
      scenario: { seeds: 1, parameters: { coin: { headsShare: 0.1 } }, expect: [] },
      points: [{ name: "fair", runs: [{ seed: "1-1" }] }],
    });
    const sweep = await fleet("sweep", right, "--axis", "throws=10,20", "--axis", 'kind=["fair","bent"]', "--json");
    const names = (JSON.parse(sweep.stdout) as { points: { name: string }[] }).points.map(({ name }) => name);
    expect(names).toEqual([
      "throws=10, kind=fair",
      "throws=10, kind=bent",
      "throws=20, kind=fair",
      "throws=20, kind=bent",
    ]);
    const at = await fleet("sweep", right, "--point", "bent", "--axis", "throws=10", "--json");
    expect(JSON.parse(at.stdout).points[0]).toMatchObject({
      name: "bent, throws=10",
      set: { "coin.headsShare": 0.75, throws: 10 },
    });
  });

  it("estimates without running, and runs one cell alone", async () => {
    const { stdout } = await fleet("run", right, "--estimate", "--workers", "2");
    expect(stdout).toMatch(/^boards, over all runs +24$/m);
    expect((await fleet("run", failing, "--estimate")).exit).toBe(0);
    const cell = await fleet("run", failing, "--cell", "base:1:2");
    expect(JSON.parse(cell.stdout)).toMatchObject({ cell: 2 });
  });

  it("names a cell that fails, and how to run it alone", async () => {
    const { exit, stderr } = await fleet("run", failing);
    expect(exit).toBe(3);
    expect(stderr).toBe(
      "quiesce: cell base:1:1 (seed 1-1) failed: the coin of 1 fell off the table (--cell base:1:1 runs it alone)\n",
    );
  });

  it("reproduces expected figures, and fails where it does not", async () => {
    const good = await fleet("reproduce", right, "--json");
    expect([good.exit, JSON.parse(good.stdout)]).toMatchObject([
      0,
      { ok: true, scenarios: [{ expectations: [{ ok: true }, { ok: true }] }] },
    ]);
    const shown = (await fleet("reproduce", right)).stdout;
    expect(shown).toMatch(/^✓ 2 figures reproduced: 1 published, 1 by a formula, 0 by what Quiesce promises$/m);
    const bad = await fleet("reproduce", wrong);
    expect(bad.exit).toBe(1);
    expect(bad.stdout).toMatch(/^✗ +of a bent coin +bent +0\.9 /m);
    expect(bad.stdout).toMatch(/^✗ 1 figure of 2 is not reproduced$/m);
  });

  it("goes on with the other figures when a scenario fails", async () => {
    const { exit, stdout } = await fleet("reproduce", failing, right);
    expect(exit).toBe(1);
    expect(stdout).toMatch(/^✗ cell base:1:1 \(seed 1-1\) failed: the coin of 1 fell off the table$/m);
    expect(stdout).toMatch(/^✓ +of a bent coin /m);
    expect(stdout).toMatch(/^✗ 1 scenario did not run to the end$/m);
  });
});

describe("wrong use of quiesce fleet", () => {
  type Case = readonly [what: string, args: () => string[], line: RegExp];
  const bad = () => save("bad.json", { seeds: 0, parameters: { throws: 0 } });

  it("is told in a line for each field of a scenario", async () => {
    const { exit, stdout, stderr } = await fleet("run", bad());
    expect([exit, stdout]).toEqual([2, ""]);
    expect(stderr).toBe(
      "quiesce: seeds: 0: must be a whole number from 1 to 1000\n" +
        "quiesce: parameters.throws: 0: must be a whole number from 1 to 86400\n",
    );
  });

  // biome-ignore format: a table
  const NO_FILES: readonly Case[] = [
    ["a device", () => ["run", "/dev/zero"], /^\/dev\/zero cannot be read: it is not a file$/],
    ["a pipe", () => ["run", pipe("pipe.json")], /pipe\.json cannot be read: it is not a file$/],
    ["a checkpoint on a device", () => ["run", right, "--checkpoint", "/dev/null"], /^the checkpoint \/dev\/null is not a file, and is left as it is$/],
    ["a checkpoint on a pipe", () => ["run", right, "--checkpoint", pipe("pipe.ndjson")], /pipe\.ndjson is not a file, and is left as it is$/],
  ];

  // biome-ignore format: a table
  const CASES: readonly Case[] = [
    ["no command", () => [], /^fleet needs a command: list, describe, run, sweep, reproduce, report, work$/],
    ["an unknown scenario", () => ["run", "pause-latencies"], /^there is no scenario 'pause-latencies' \(a file needs its path\), did you mean pause-latency\?$/],
    ["a file that is not there", () => ["run", path("none.json")], /none\.json cannot be read: there is no such file$/],
    ["a folder", () => ["run", `${folder}/`], /cannot be read: it is a folder$/],
    ["a file that is not UTF-8", () => ["run", saveBytes("latin.json", Buffer.from('"\xe9"', "latin1"))], /latin\.json cannot be read: it is not UTF-8$/],
    ["a file that is empty", () => ["run", saveBytes("empty.json", "")], /empty\.json is not JSON: Unexpected end of JSON input$/],
    ["a file with a byte order mark", () => ["run", saveBytes("bom.json", "\ufeff{}")], /bom\.json is not JSON: it begins with a byte order mark$/],
    ["lists that lie too deep", () => ["run", saveBytes("deep.json", `${"[".repeat(100_000)}${"]".repeat(100_000)}`)], /^\[0\]\[0\]\[0\]\[0\]: lists and objects lie too deep in it: must be at most 64 inside one another$/],
    ["a value that lies too deep", () => ["run", right, "--set", `throws=${"[".repeat(50_000)}${"]".repeat(50_000)}`], /^"\[+\.\.\.: \[0\]\[0\]\[0\]\[0\]: lists and objects lie too deep in it: /],
    ["a field that stands twice", () => ["run", saveBytes("twice.json", '{"parameters":{"throws":1,"throws":2}}')], /^parameters\.throws: it is given twice: must be given once$/],
    ["a value with a field that stands twice", () => ["run", right, "--set", 'coin={"name":"a","name":"b"}'], /^"\{.*\}": name: it is given twice: must be given once$/],
    ["a parameter that there is not", () => ["run", right, "--set", "coin.headShare=1"], /^parameters\.coin\.headShare: 1: there is no such field here, did you mean headsShare\?$/],
    ["a number without end", () => ["run", right, "--set", "cells=1e999"], /^parameters\.cells: Infinity: must be a whole number from 1 to 1000000$/],
    ["a parameter that each point sets", () => ["run", right, "--point", "bent", "--set", "coin.headsShare=1"], /^coin\.headsShare: 1: each point of the scenario sets it itself$/],
    ["no assignment", () => ["run", right, "--set", "throws"], /^'throws' is no path=value/],
    ["a point that there is not", () => ["run", right, "--point", "bend"], /^point: "bend": there is no such point in coin-tosses, did you mean bent\?$/],
    ["an axis out of range", () => ["sweep", right, "--axis", "throws=1,0"], /^sweep\.throws\[1\]: 0: must be a whole number from 1 to 86400$/],
    ["a sweep without axes", () => ["sweep", right], /^required option '--axis <path=values>' not specified$/],
    ["too many workers", () => ["run", right, "--workers", "65"], /^--workers is a whole number from 1 to 64, not '65'$/],
    ["an unknown cell", () => ["run", right, "--cell", "fair:9:0"], /^fair has seeds 1 to 3 and cells 0 to 3, not 9 and 0$/],
    ["a folder that is full", () => ["run", right, "--out", path("full")], /full has notes\.txt in it: results go into a new or an empty folder$/],
    ["no results", () => ["report", path("none")], /output\/missing: .*none: there is no folder of results$/],
    ["a metric that there is not", () => ["run", right, "--metric", "headShare"], /^--metric: the study coins has no headShare, did you mean headsShare\?$/],
    ["a cell that is to be written", () => ["run", right, "--cell", "fair:1:0", "--out", path("x")], /^--cell prints one cell: it goes without --out$/],
    ["what has no expected figure", () => ["reproduce", path("bare.json")], /^coin-tosses expects no figure/],
    ["no database", () => ["work", "mysql://a/b"], /^store\/url: this is no URL of a PostgreSQL database$/],
    ["a checkpoint of a distributed run", () => ["run", right, "--distributed", "postgres://a/b", "--checkpoint", "x"], /^--distributed takes no --checkpoint/],
    ["--no-work alone", () => ["run", right, "--no-work"], /^--no-work goes with --distributed$/],
    ["a module that is no module of studies", () => ["run", right, "--studies", right], /^--studies: /],
  ];

  it.each([...CASES, ...(process.platform === "win32" ? [] : NO_FILES)])(
    "is one line: %s",
    async (_what, args, line) => {
      const { exit, stdout, stderr } = await fleet(...args());
      expect([exit, stdout]).toEqual([2, ""]);
      expect(stderr).toMatch(/^quiesce: [^\n]+\n$/);
      expect(stderr.slice("quiesce: ".length, -1)).toMatch(line);
    },
  );

  it("is a database that does not answer, with a code of its own", async () => {
    const { exit, stderr } = await fleet("work", "postgres://quiesce:secret@127.0.0.1:1/none");
    expect([exit, stderr]).toEqual([4, expect.stringMatching(/^quiesce: store\/unavailable: [^\n]+\n$/)]);
    expect(stderr).not.toContain("secret");
  });
});
