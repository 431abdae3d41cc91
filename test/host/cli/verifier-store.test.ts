/** `quiesce verifier fsck`, `backup`, `restore`, `export`, `import`: what a person sees, and exit codes for programs. */
import { randomBytes } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStore } from "../../../host/store/store.ts";
import { DATABASE_URL, engines, withPostgres, withStore } from "../store/engines.ts";
import { quiesce, type Ran, temporaryFolder } from "./run-cli.ts";
import { quiesceHere } from "./run-here.ts";

const folder = temporaryFolder();
const path = (...names: string[]) => join(folder, ...names);
const before = process.cwd();
beforeAll(() => process.chdir(folder));
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

const KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

const AWAY = { DATABASE_URL: "postgres://127.0.0.1:1/none" };
let away: Promise<Ran>;

beforeAll(async () => {
  const made = await quiesceHere(["verifier", "init", path("sound"), "--name", "North", "--manufacturer", KEY]);
  expect(made.exit).toBe(0);
  // The database is asked for some seconds: until the last test.
  away = quiesce(["verifier", "fsck", "--config", path("sound", "verifier.json")], { env: AWAY });
});

/** A verifier of its own for a test: a copy of the one that was made. */
function verifier(name: string) {
  cpSync(path("sound"), path(name), { recursive: true });
  const config = ["--config", path(name, "verifier.json")];
  const run = (command: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) =>
    quiesceHere(["verifier", command, ...args, ...config], { env });
  const json = async (...args: Parameters<typeof run>) => JSON.parse((await run(...args)).stdout);
  return { run, json, config, store: path(name, "store") };
}

/** Past the verifier. */
function plant(store: string, statement: string): void {
  const database = new Database(join(store, "verifier.db"));
  database.exec(statement);
  database.close();
}

describe("quiesce verifier fsck", () => {
  it("says that nothing is wrong, and what it looked at", async () => {
    const { run, json } = verifier("good");
    const { exit, stdout, stderr } = await run("fsck");
    expect([exit, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^table +rows\n─+ +─+\nmeta +4\nstate +1\nagreements +1\ntokens +1\nlog_state +1\n/);
    expect(stdout).toMatch(/\n✓ nothing wrong: 24 checks of 12 rows\n$/);
    const result = await json("fsck", ["--json"]);
    expect(result).toMatchObject({ ok: true, manufacturers: 1, findingCount: 0, findings: [] });
    expect(result.rows).toMatchObject({ meta: 4, tokens: 1, devices: 0 });
    expect(result.checks).toContain("integrity");
  });

  it("shows what it finds in a table, with exit code 1 and nothing that moves the cursor", async () => {
    const { run, json, config, store } = verifier("planted");
    plant(store, `update tokens set id = char(27) || '[2J', roles = '["king"]'`);
    const { exit, stdout, stderr } = await run("fsck");
    expect([exit, stderr]).toEqual([1, ""]);
    expect(stdout).toMatch(/^check +table +row +what is wrong\n/);
    expect(stdout).toMatch(/\ntokens +tokens +id \\u001b\[2J +there are no such roles\n/);
    expect(stdout).toMatch(/\n✗ 2 findings: 24 checks of 12 rows\n$/);
    const result = await json("fsck", ["--json", "--show", "1"]);
    expect([result.ok, result.findingCount, result.findings.length]).toEqual([false, 2, 1]);
    const short = "... and 2 more: --show\n\n✗ 2 findings: 24 checks of 12 rows\n";
    const asProcess = await quiesce(["verifier", "fsck", "--show", "0", ...config]);
    expect(asProcess).toEqual({ exit: 1, stdout: short, stderr: "" });
  });

  it("finds a file that is no database, too", async () => {
    const { run, json, store } = verifier("no-database");
    writeFileSync(join(store, "verifier.db"), "x".repeat(10_000));
    const { exit, stdout } = await run("fsck");
    expect([exit, stdout]).toEqual([1, expect.stringMatching(/\nopen +file is not a database\n/)]);
    expect(await json("fsck", ["--json"])).toMatchObject({ ok: false, checks: [], findingCount: 1 });
  });

  it("makes no store where there is none", async () => {
    const { run, store } = verifier("none");
    rmSync(store, { recursive: true });
    for (const [command, ...args] of [["fsck"], ["backup", "none.db"], ["export", "none.jsonl"]] as const) {
      const { exit, stdout, stderr } = await run(command, args);
      expect([exit, stdout, stderr]).toEqual([2, "", `quiesce: store/missing: no store is there (${store})\n`]);
    }
    expect(existsSync(store)).toBe(false);
  });
});

describe("while a verifier runs on a folder", () => {
  it("all but a backup say that it does", async () => {
    const { run, store } = verifier("busy");
    writeFileSync(path("busy.jsonl"), "{}\n");
    await withStore({ folder: store }, async () => {
      for (const [command, ...args] of [["fsck"], ["export", "busy-export.jsonl"], ["import", "busy.jsonl"]] as const) {
        const { exit, stdout, stderr } = await run(command, args);
        expect([exit, stdout]).toEqual([2, ""]);
        expect(stderr).toMatch(/^quiesce: store\/locked: a verifier runs on this store: stop it[,;] .*backup.*\n$/);
      }
      expect((await run("backup", ["busy.db"])).exit).toBe(0);
    });
    expect(existsSync(path("busy-export.jsonl"))).toBe(false);
  });
});

describe("a backup", () => {
  it("goes back where the store was, and says that it is of before", async () => {
    const { run, json, store } = verifier("backed");
    const made = await json("backup", ["north.db", "--json"]);
    expect(made).toMatchObject({ file: "north.db", manifest: "north.db.manifest.json", rows: { tokens: 1 } });
    const there = await run("restore", ["north.db"]);
    expect([there.exit, there.stderr]).toEqual([2, expect.stringContaining(`store/not-empty: `)]);
    renameSync(store, `${store}-before`);
    const { exit, stdout, stderr } = await run("restore", ["north.db"]);
    expect([exit, stdout]).toEqual([0, expect.stringMatching(/^restored .*\nas of .*\nholds +12 rows\n$/)]);
    expect(stderr).toMatch(
      /^What was signed, ordered, reported or revoked after .* is not in it\.\nBefore it serves: /,
    );
    const looked = await run("fsck");
    expect([looked.exit, looked.stdout]).toEqual([0, expect.stringMatching(/\nrestored .* from a backup of .*\n✓ /)]);
    expect((await json("fsck", ["--json"])).restored.backupMs).toBe(made.createdMs);
    expect(await json("token", ["list", "--json"])).toMatchObject([{ name: "admin" }]);
  });

  it("that is damaged, or lacks its manifest, is refused with exit code 1, and nothing of it stays", async () => {
    const { run, store } = verifier("damaged");
    expect((await run("backup", ["flipped.db"])).exit).toBe(0);
    rmSync(store, { recursive: true });
    const bytes = readFileSync(path("flipped.db"));
    writeFileSync(path("alone.db"), bytes);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(path("flipped.db"), bytes);
    for (const [file, why] of [
      ["flipped.db", "its digest"],
      ["alone.db", "no manifest"],
    ] as const) {
      const { exit, stdout, stderr } = await run("restore", [file]);
      expect([exit, stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(
        new RegExp(`^quiesce: store/copy: the backup or export is damaged, or is none \\(${why}.*\n$`),
      );
    }
    expect(existsSync(join(store, "verifier.db"))).toBe(false);
  });
});

describe("an export", () => {
  it("fills an empty store, and comes out of it again as it was", async () => {
    const { run, json, store } = verifier("moved");
    const { exit, stdout, stderr } = await run("export", ["moved.jsonl"]);
    expect([exit, stderr, stdout]).toEqual([0, "", expect.stringMatching(/^moved\.jsonl: 10 rows, [\d,]+ bytes\n$/)]);
    const full = await run("import", ["moved.jsonl"]);
    expect([full.exit, full.stderr]).toEqual([2, expect.stringContaining("store/not-empty: ")]);
    renameSync(store, `${store}-before`);
    const back = await run("import", ["moved.jsonl"]);
    expect([back.exit, back.stdout, back.stderr]).toEqual([
      0,
      "10 rows of moved.jsonl are in the store: a folder\n",
      "",
    ]);
    expect(await json("export", ["again.jsonl", "--json"])).toMatchObject({ file: "again.jsonl", rows: 10 });
    expect(readFileSync(path("again.jsonl"), "utf8")).toBe(readFileSync(path("moved.jsonl"), "utf8"));
    expect((await run("serve", ["--check"])).stdout).toMatch(/^ready to serve for North/);
  });

  it("that is damaged is refused with exit code 1, and the store stays empty", async () => {
    const { run, store } = verifier("corrupt");
    expect((await run("export", ["whole.jsonl"])).exit).toBe(0);
    rmSync(store, { recursive: true });
    const text = readFileSync(path("whole.jsonl"), "utf8");
    writeFileSync(path("changed.jsonl"), text.replace('"admin"', '"Admin"'));
    writeFileSync(path("cut.jsonl"), text.slice(0, -40));
    for (const file of ["changed.jsonl", "cut.jsonl"]) {
      const { exit, stdout, stderr } = await run("import", [file]);
      expect([exit, stdout, stderr]).toEqual([1, "", expect.stringMatching(/^quiesce: store\/copy: .*\n$/)]);
    }
    expect((await run("import", ["whole.jsonl"])).exit).toBe(0);
  });
});

describe.skipIf(!engines.some(({ engine }) => engine === "postgres"))("with the store in PostgreSQL", () => {
  const name = `quiesce_cli_${randomBytes(8).toString("hex")}`;
  const url = Object.assign(new URL(DATABASE_URL), { pathname: `/${name}` }).href;
  const inDatabase = { DATABASE_URL: url };
  beforeAll(() => withPostgres((client) => client.query(`create database ${name}`)));
  afterAll(() => withPostgres((client) => client.query(`drop database ${name} with (force)`)));

  it("an export goes in from a folder and out again, and fsck looks through it while it is open", async () => {
    const { run, json } = verifier("postgres");
    const none = await run("fsck", [], inDatabase);
    expect([none.exit, none.stderr]).toEqual([2, expect.stringContaining("store/missing: ")]);
    expect((await run("export", ["folder.jsonl"])).exit).toBe(0);
    expect(await json("import", ["folder.jsonl", "--json"], inDatabase)).toEqual({ engine: "postgres", rows: 10 });
    const open = await openStore({ databaseUrl: url });
    try {
      expect(await json("fsck", ["--json"], inDatabase)).toMatchObject({ ok: true, rows: { tokens: 1 } });
      expect((await run("export", ["database.jsonl"], inDatabase)).exit).toBe(0);
    } finally {
      await open.close();
    }
    expect(readFileSync(path("database.jsonl"), "utf8")).toBe(readFileSync(path("folder.jsonl"), "utf8"));
  });
});

describe("what is wrong is said in one line", () => {
  let run: ReturnType<typeof verifier>["run"];
  beforeAll(() => {
    ({ run } = verifier("wrong"));
    writeFileSync(path("empty"), "");
    writeFileSync(path("there"), "x");
    writeFileSync(path("there2.manifest.json"), "{}");
    mkdirSync(path("a-folder"));
  });

  // biome-ignore format: a table
  it.each<[string, string[], RegExp, Record<string, string>?]>([
    ["no file to write a backup to", ["backup"], /^quiesce: missing required argument 'file'\n$/],
    ["a backup over a file", ["backup", "there"], /^quiesce: there is there already, and nothing is overwritten\n$/],
    ["a backup over a manifest", ["backup", "there2"], /^quiesce: there2\.manifest\.json is there already, /],
    ["a backup into no folder", ["backup", "no/where"], /^quiesce: no\/where cannot be made: there is no folder .*no\n$/],
    ["a backup that is not there", ["restore", "no-file"], /^quiesce: no-file cannot be opened: there is no such file\n$/],
    ["a backup that is a folder", ["restore", "a-folder"], /^quiesce: a-folder is a folder, not a file\n$/],
    ["an export over a file", ["export", "there"], /^quiesce: there is there already, and nothing is overwritten\n$/],
    ["an export into no folder", ["export", "no/where"], /^quiesce: no\/where cannot be made: there is no folder/],
    ["an export that is not there", ["import", "no-file"], /^quiesce: no-file cannot be opened: there is no such file\n$/],
    ["an export of nothing", ["import", "empty"], /^quiesce: empty is empty\n$/],
    ["a count that is none", ["fsck", "--show", "all"], /^quiesce: --show is a whole number from 0 to 1000000, not 'all'\n$/],
    ["a backup of a database", ["backup", "new"], /^quiesce: the store is in PostgreSQL: .*pg_dump/, AWAY],
    ["a backup into a database", ["restore", "there"], /^quiesce: the store is in PostgreSQL: .*pg_restore/, AWAY],
  ])("%s", async (_name, [command, ...args], message, env = {}) => {
    const { exit, stdout, stderr } = await run(command!, args, env);
    expect(stderr).toMatch(message);
    expect([exit, stdout]).toEqual([2, ""]);
  });

  it("a database that does not answer, with an exit code of its own", async () => {
    const { exit, stdout, stderr } = await away;
    expect(stderr).toMatch(/^quiesce: store\/unavailable: the database does not answer .*\n$/);
    expect([exit, stdout]).toEqual([4, ""]);
  });

  it("a verifier that does not answer, with the same", async () => {
    const args = ["verifier", "token", "list", "--url", "http://127.0.0.1:1"];
    const { exit, stdout, stderr } = await quiesceHere(args, { env: { QUIESCE_TOKEN: "none" } });
    expect(stderr).toMatch(/^quiesce: client\/connect: the verifier cannot be reached .*\n$/);
    expect([exit, stdout]).toEqual([4, ""]);
  });
});
