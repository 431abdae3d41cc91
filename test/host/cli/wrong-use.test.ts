/** Wrong use gives one clear line on stderr and a documented exit code, never a stack trace. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verdictOf } from "../../../host/cli/exit.ts";
import { loadGovernor } from "../../../host/cli/firmware.ts";
import { quiesce, type Ran, temporaryFolder } from "./run-cli.ts";
import { quiesceHere } from "./run-here.ts";

const folder = temporaryFolder();

beforeAll(() => {
  const file = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content);
  mkdirSync(join(folder, "folder"));
  file("empty", "");
  file("text.txt", "this is no object\n");
  file("binary", Uint8Array.of(0, 1, 2, 3, 255));
  file("table.csv", "a,b\n1,2\n");
  file("broken.log", ":::MLLOG {not json\n");
  file("broken.json", '{"traceEvents": [');
  file("broken.gz", Uint8Array.of(0x1f, 0x8b, 8, 0, 1, 2, 3));
  file("long.hex", "00".repeat(20_000));
  file("key.txt", "not a key");
});
afterAll(() => rmSync(folder, { recursive: true }));

// biome-ignore format: a table
const CASES: readonly (readonly [string, readonly string[], RegExp])[] = [
  ["an unknown command", ["launch"], /unknown command 'launch'/],
  ["help on an unknown command", ["help", "board", "walk"], /no command 'board walk'/],
  ["minutes for a campaign that has an end", ["attack", "cuts", "--minutes", "5"], /takes no --minutes/],
  ["minutes for one case", ["attack", "soak", "--case", "7", "--minutes", "5"], /--case takes no --minutes/],
  ["no minutes", ["attack", "soak", "--minutes", "0"], /whole number from 1/],
  ["an unknown option", ["demo", "--fast"], /unknown option '--fast'/],
  ["an option that lacks its value", ["demo", "--seed"], /argument missing/],
  ["too many arguments", ["demo", "now"], /too many arguments/],
  ["a group without a command", ["license"], /license needs a command: inspect/],
  ["a group with an unknown command", ["license", "print"], /license has no command 'print'/],
  ["inspect without a file", ["license", "inspect"], /missing required argument 'file'/],
  ["a negative seed", ["demo", "--seed", "-1"], /whole number from 0/],
  ["a seed that is no number", ["board", "--seed", "one"], /whole number from 0/],
  ["a huge seed", ["demo", "--seed", "9".repeat(40)], /whole number from 0/],
  ["a fractional number of steps", ["demo", "--steps", "1.5"], /whole number from 1/],
  ["no steps", ["demo", "--steps", "0"], /whole number from 1/],
  ["more steps than there are", ["demo", "--steps", "241"], /1 to 240 steps/],
  ["an unknown workload", ["demo", "--workload", "doom"], /no built-in workload is called "doom"/],
  ["a run of nothing", ["board", "run"], /--trace FILE or --workload NAME/],
  ["a trace and a workload", ["board", "run", "--trace", "text.txt", "--workload", "resnet-ddp"], /cannot be used with/],
  ["ranks of no recording", ["board", "run", "--ranks", "8"], /--ranks .* name it with --trace FILE/],
  ["no ranks", ["board", "run", "--trace", "text.txt", "--ranks", "0"], /--ranks <n>.*from 1 to 1,?000,?000/],
  ["ranks of a workload", ["demo", "--workload", "resnet-ddp", "--ranks", "8"], /cannot be used with/],
  ["a missing trace", ["board", "run", "--trace", "none.log"], /'none\.log' cannot be opened: there is no such file/],
  ["a trace without a name", ["board", "run", "--trace", ""], /there is no such file/],
  ["two objects at once", ["license", "inspect", "text.txt", "empty"], /too many arguments/],
  ["a folder as a trace", ["demo", "--trace", "folder"], /folder is not a file/],
  ["an empty trace", ["demo", "--trace", "empty"], /empty is empty/],
  ["a text that is no trace", ["demo", "--trace", "text.txt"], /text\.txt is none of/],
  ["a table that is no trace", ["board", "run", "--trace", "table.csv"], /table\.csv is none of/],
  ["a binary file as a trace", ["board", "run", "--trace", "binary"], /binary is a binary file/],
  ["a broken training log", ["board", "run", "--trace", "broken.log"], /not followed by JSON/],
  ["a broken profile", ["board", "run", "--trace", "broken.json"], /broken\.json/],
  ["broken gzip", ["demo", "--trace", "broken.gz"], /not whole gzip/],
  ["a missing object", ["license", "inspect", "none.cbor"], /no such file/],
  ["a folder as an object", ["order", "inspect", "folder"], /folder is a folder/],
  ["an empty object", ["report", "inspect", "empty"], /empty is empty/],
  ["a text as an object", ["evidence", "inspect", "text.txt"], /is no COSE_Sign1 or COSE_Sign message/],
  ["a binary file as an object", ["beacon", "inspect", "binary"], /is no COSE_Sign1 or COSE_Sign message/],
  ["a file longer than any object", ["agreement", "inspect", "long.hex"], /longer than any object/],
  ["an empty stdin", ["license", "inspect", "-"], /stdin is empty/],
  ["a key that is none", ["report", "inspect", "text.txt", "--keys", "key.txt"], /text\.txt is no COSE/],
  ["a refusal that does not exist", ["errors", "0xffff"], /there is no refusal '0xffff'/],
  ["an agreement for a board that is a text", ["board", "--agreement", "text.txt"], /is no COSE/],
  ["a boot profile of a run", ["board", "--boot-profile", "run", "--workload", "resnet-ddp"], /takes no --boot-profile/],
  ["an agreement for a run", ["board", "--agreement", "text.txt", "run", "--workload", "resnet-ddp"], /takes no --agreement/],
  ["a folder to save to that is a file", ["demo", "--workload", "resnet-ddp", "--json", "--save", "text.txt"], /cannot be written to text\.txt/],
];

/** These are run as users do; the others in this process, which runs the same command but for its start. */
const AS_PROCESSES = ["an unknown command", "a missing trace", "an empty stdin", "more steps than there are"];
const [asProcesses, inProcess] = [true, false].map((wanted) =>
  CASES.filter(([name]) => AS_PROCESSES.includes(name) === wanted),
);

function expectOneLine({ exit, stderr }: Ran, message: RegExp): void {
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^quiesce: [^\n]+\n$/);
  expect(stderr).not.toMatch(/\bat .*:\d+:\d+/);
  expect(exit).toBe(2);
}

describe("wrong use of the command says in one line what was wrong", () => {
  it.each(inProcess!)("%s", async (_name, args, message) =>
    expectOneLine(await quiesceHere(args, { cwd: folder }), message),
  );

  it.concurrent.each(asProcesses!)("as a process: %s", async (_name, args, message) =>
    expectOneLine(await quiesce(args, { cwd: folder }), message),
  );
});

describe("faults that users cannot make", () => {
  it("a firmware that was not built says what to run", () => {
    const missing = pathToFileURL(join(folder, "governor.wasm"));
    expect(() => loadGovernor(missing)).toThrow("run `npm run build`");
  });

  it("an internal error is one line with exit code 3", () => {
    const { exit, line } = verdictOf(new TypeError("x is\nnot a function"));
    expect(exit).toBe(3);
    expect(line).toBe("internal error: x is not a function (--debug shows where)");
  });
});
