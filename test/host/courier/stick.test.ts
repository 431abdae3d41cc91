/** A stick that was damaged, changed or pulled out too early: refused as a whole, each in one line that says what and where. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { CourierError } from "../../../host/courier/errors.ts";
import { readStick } from "../../../host/courier/read-stick.ts";
import { numbered } from "../../../host/courier/stick.ts";
import { writeStick } from "../../../host/courier/write-stick.ts";
import { quiesce } from "../cli/run-cli.ts";
import { quiesceHere } from "../cli/run-here.ts";

const folder = mkdtempSync(join(tmpdir(), "quiesce-stick-"));
afterAll(() => rmSync(folder, { recursive: true }));

let count = 0;
let stick = "";
const FILES = new Map([
  ["agreements/1.cbor", Uint8Array.of(1, 2, 3)],
  ["beacon.cbor", Uint8Array.of(4)],
]);
beforeEach(() => {
  stick = join(folder, `${++count}`);
  writeStick(stick, { direction: "to-site", files: FILES }, 1_800_000_000_000);
});

const at = (path: string) => join(stick, path);

function manifest(change: (document: Record<string, unknown> & { files: Record<string, unknown>[] }) => void): void {
  const document = JSON.parse(readFileSync(at("manifest.json"), "utf8"));
  change(document);
  writeFileSync(at("manifest.json"), JSON.stringify(document));
}

function refusal(): string | undefined {
  try {
    readStick(stick, "to-site");
  } catch (error) {
    if (error instanceof CourierError) return error.message;
    throw error;
  }
  return undefined;
}

// biome-ignore format: a table, one row a case
const DAMAGE: readonly [what: string, act: () => void, code: string, where: string][] = [
  ["a byte was changed", () => writeFileSync(at("beacon.cbor"), Uint8Array.of(5)), "stick/damaged", "beacon.cbor"],
  ["a file was cut short", () => truncateSync(at("agreements/1.cbor"), 2), "stick/damaged", "agreements/1.cbor"],
  ["a file was made longer", () => writeFileSync(at("beacon.cbor"), Uint8Array.of(4, 4)), "stick/damaged", "beacon.cbor"],
  ["a file is gone", () => rmSync(at("beacon.cbor")), "stick/missing-file", "beacon.cbor"],
  ["a file is a link", () => { rmSync(at("beacon.cbor")); symlinkSync("/etc/passwd", at("beacon.cbor")); }, "stick/missing-file", "beacon.cbor"],
  ["a file was added", () => writeFileSync(at("autorun.inf"), "x"), "stick/unknown-file", "autorun.inf"],
  ["folders were added", () => { mkdirSync(at("a/b/c/d/e"), { recursive: true }); }, "stick/unknown-file", "a/b/c/d"],
  ["the manifest is gone", () => rmSync(at("manifest.json")), "stick/unfinished", ""],
  ["the manifest is no JSON", () => writeFileSync(at("manifest.json"), "{"), "stick/manifest", "JSON"],
  ["the manifest is of another version", () => manifest((m) => { m.version = 2; }), "stick/manifest", "version"],
  ["the manifest has a member more", () => manifest((m) => { m.extra = 1; }), "stick/manifest", "members"],
  ["the manifest leads out of the stick", () => manifest((m) => { m.files[0]!.path = "../secret.cbor"; }), "stick/unknown-file", "file 0"],
  ["the manifest allows an endless file", () => manifest((m) => { m.files[0]!.bytes = 1e9; }), "stick/manifest", "length"],
  ["the manifest lists a file twice", () => manifest((m) => { m.files[1] = m.files[0]!; }), "stick/manifest", "twice"],
  ["it goes the other way", () => writeStick(stick, { direction: "to-verifiers", files: new Map() }, 0), "stick/direction", "to-verifiers"],
  ["there is no such folder", () => rmSync(stick, { recursive: true }), "stick/missing", ""],
];

describe("a stick is refused where", () => {
  it.each(DAMAGE)("%s", (_what, act, code, where) => {
    act();
    const line = refusal()!;
    expect(line.startsWith(`${code}: `)).toBe(true);
    expect(line).toContain(where);
    expect(line).not.toContain("\n");
  });
});

describe("a stick", () => {
  it("gives back what was packed, by number and not by name", () => {
    const files = new Map([10, 9, 1].map((epoch) => [`orders/${epoch}.cbor`, Uint8Array.of(epoch)]));
    writeStick(stick, { direction: "to-site", files }, 0);
    expect(numbered(readStick(stick, "to-site"), "orders").map(([epoch]) => epoch)).toEqual([1n, 9n, 10n]);
  });

  it("that was pulled out while files were written is whole as it was before", () => {
    writeFileSync(at("beacon.cbor.new"), Uint8Array.of(9));
    expect(readStick(stick, "to-site").files).toEqual(FILES);
  });

  it("is not packed over a folder that holds something else", () => {
    writeFileSync(at("thesis.doc"), "x");
    const pack = () => writeStick(stick, { direction: "to-site", files: FILES }, 0);
    expect(pack).toThrow(/stick\/unknown-file: thesis\.doc/);
    expect(readFileSync(at("thesis.doc"), "utf8")).toBe("x");
  });
});

describe("quiesce courier", () => {
  it("ends with 1 and one line for a damaged stick, and with 2 for wrong use", async () => {
    rmSync(at("beacon.cbor"));
    const boards = join(folder, "boards");
    mkdirSync(boards, { recursive: true });
    const damaged = await quiesce(["courier", "unpack", stick, "--boards", boards]);
    expect(damaged.exit).toBe(1);
    expect(damaged.stderr).toMatch(/^quiesce: stick\/missing-file: beacon\.cbor: [^\n]+\n$/);
    for (const args of [
      ["unpack", join(folder, "nowhere"), "--boards", boards],
      ["unpack", stick],
      ["unpack", stick, "--verifier", "http://127.0.0.1:1"],
      ["pack", stick, "--boards", boards, "--site", "hall"],
      ["pack", stick, "--verifier", "http://127.0.0.1:1", "--offline-license", "00"],
    ]) {
      const { exit, stderr } = await quiesceHere(["courier", ...args]);
      expect([exit, stderr.split("\n").length], args.join(" ")).toEqual([2, 2]);
    }
  });

  it("ends with 4 where no verifier answers, and still packs what there is", async () => {
    const { exit, stdout } = await quiesceHere([
      "courier",
      "pack",
      stick,
      "--verifier",
      "http://127.0.0.1:1",
      "--json",
    ]);
    expect(exit).toBe(4);
    expect(JSON.parse(stdout).ok).toBe(false);
    expect(readStick(stick, "to-site").files).toEqual(FILES);
  });
});
