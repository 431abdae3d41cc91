/** `quiesce ... inspect`: what the demo saved is explained and judged. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadGovernor } from "../../../host/cli/firmware.ts";
import { found } from "../../../host/demo/founding.ts";
import { saveObjects } from "../../../host/demo/save.ts";
import { playDemo } from "../../../host/demo/scenario.ts";
import { SILENT } from "../../../host/demo/teller.ts";
import { builtinWorkload } from "../../../sim-board/workloads/builtin.ts";
import { quiesce, temporaryFolder } from "./run-cli.ts";
import { quiesceHere } from "./run-here.ts";

const folder = temporaryFolder();
const path = (name: string) => join(folder, name);

beforeAll(() => {
  const workload = builtinWorkload("resnet-ddp");
  saveObjects(playDemo({ image: loadGovernor(), workload, seed: 1, teller: SILENT }), folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

// biome-ignore format: a table
const OBJECTS: readonly (readonly [file: string, command: string, options: readonly string[], claim: RegExp])[] = [
  ["agreement.cbor", "agreement", [], /quorums +license 2 of 3\n +pause 1 of 3/],
  ["license-1.cbor", "license", ["--agreement", "agreement.cbor"], /budget +tensor tf32 +2,355,840,000,000 +\(2\.36 Top\)/],
  ["order-pause.cbor", "order", ["--agreement", "agreement.cbor"], /action +pause: drain, then close/],
  ["order-resume.cbor", "order", ["--agreement", "agreement.cbor"], /action +resume/],
  ["report-1.cbor", "report", ["--keys", "certificate.cbor"], /report before +0{64} +\(none: the first\)/],
  ["evidence-1.cbor", "evidence", ["--keys", "certificate.cbor"], /last code +OK/],
  ["certificate.cbor", "endorsement", ["--keys", "endorsement.cbor"], /firmware SHA-256 +[0-9a-f]{64}/],
  ["beacon.cbor", "beacon", ["--agreement", "agreement.cbor"], /issued at +2026-/],
  ["time-proof.cbor", "beacon", ["--agreement", "agreement.cbor"], /answers nonce +[0-9a-f]{64}/],
];

describe.concurrent("an object of the demo", () => {
  it.each(OBJECTS)("%s is explained and found valid", async (file, command, options, claim) => {
    const { exit, stdout, stderr } = await quiesceHere([command, "inspect", file, ...options], { cwd: folder });
    expect(stderr).toBe("");
    expect(stdout).toMatch(claim);
    expect(stdout).toContain("✓ valid");
    expect(exit).toBe(0);
  });

  it("is read in hex from stdin and in base64 from a file", async () => {
    const bytes = readFileSync(path("license-1.cbor"));
    writeFileSync(path("license.b64"), `${bytes.toString("base64").replace(/.{64}/g, "$&\n")}\n`);
    const options = ["--agreement", path("agreement.cbor"), "--json"];
    const hex = await quiesce(["license", "inspect", "-", ...options], { input: Buffer.from(bytes.toString("hex")) });
    const base64 = await quiesceHere(["license", "inspect", path("license.b64"), ...options]);
    for (const { exit, stdout } of [hex, base64]) {
      expect(exit).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ object: "license", bytes: bytes.length, verdict: { ok: true } });
    }
  });

  it("without a key is explained and not judged", async () => {
    const { exit, stdout } = await quiesceHere(["report", "inspect", path("report-1.cbor")]);
    expect(exit).toBe(0);
    expect(stdout).toContain("not judged: give the signer's key with --keys");
  });

  it("is shown in diagnostic notation on request", async () => {
    const { stdout } = await quiesceHere(["order", "inspect", path("order-pause.cbor"), "--diagnostic"]);
    expect(stdout).toContain("-75001: 1");
  });

  it("given to the wrong command is told the right one", async () => {
    const { exit, stderr } = await quiesce(["order", "inspect", path("license-1.cbor")]);
    expect(exit).toBe(2);
    expect(stderr).toBe("quiesce: this is no order but: license; use `quiesce license inspect`\n");
  });
});

/** The file's bytes, changed. */
function changed(name: string, change: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  return change(new Uint8Array(readFileSync(path(name))));
}

describe.concurrent("an object that does not hold ends with exit code 1", () => {
  it("a changed bit in a signature", async () => {
    const input = changed("license-1.cbor", (bytes) => bytes.fill(bytes.at(-1)! ^ 1, -1));
    const args = ["license", "inspect", "-", "--agreement", path("agreement.cbor")];
    const { exit, stdout } = await quiesce(args, { input });
    expect(exit).toBe(1);
    expect(stdout).toContain("✗ refused: 0x0308 COSE_SIGNATURE");
    expect(stdout).toMatch(/signature 1 +✓ North/);
    expect(stdout).toMatch(/signature 2 +✗ does not hold/);
  });

  it("an object cut short, with its code, as text and as JSON", async () => {
    const input = changed("license-1.cbor", (bytes) => bytes.slice(0, 100));
    const text = await quiesce(["license", "inspect", "-"], { input });
    expect(text.exit).toBe(1);
    expect(text.stderr).toMatch(/^quiesce: refused: 0x0201 CBOR_TRUNCATED, [^\n]+\n$/);
    const json = await quiesce(["license", "inspect", "-", "--json"], { input });
    expect(json.exit).toBe(1);
    expect(JSON.parse(json.stdout).verdict).toMatchObject({ ok: false, code: "0x0201", name: "CBOR_TRUNCATED" });
  });

  it("a report judged by another device's key", async () => {
    const other = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    const { exit, stdout } = await quiesceHere(["report", "inspect", path("report-1.cbor"), "--keys", other]);
    expect(exit).toBe(1);
    expect(stdout).toContain("COSE_KID");
  });

  it("a license under another agreement", async () => {
    const elsewhere = temporaryFolder();
    const { agreementBytes } = found({ workload: builtinWorkload("resnet-ddp"), seed: 2, agreementName: "elsewhere" });
    writeFileSync(join(elsewhere, "agreement.cbor"), agreementBytes);
    const args = ["license", "inspect", path("license-1.cbor"), "--agreement", join(elsewhere, "agreement.cbor")];
    const { exit, stdout } = await quiesceHere(args);
    rmSync(elsewhere, { recursive: true });
    expect(exit).toBe(1);
    expect(stdout).toContain("COSE_QUORUM");
  });
});
