import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { verdictOf } from "../../../host/cli/exit.ts";
import { quiesceProgram } from "../../../host/cli/program.ts";
import { agreementDigest, signAgreement } from "../../../host/objects/agreement.ts";
import { signLicense } from "../../../host/objects/license.ts";
import { agreementOf, PARTIES } from "../../rig.ts";
import { quiesce } from "../cli/run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "quiesce-policy-"));
const file = (name: string, content: string | Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const agreement = agreementOf();
const agreementFile = file("agreement.cbor", signAgreement(agreement, PARTIES));
const licenseFile = file(
  "license.cbor",
  signLicense(
    {
      notBeforeSeconds: 1_800_000_000,
      expirySeconds: 1_800_000_000 + 900,
      ueid: new Uint8Array(33).fill(1),
      agreementDigest: agreementDigest(agreement),
      epoch: 0,
      sequence: 1n,
      budget: new Map([[EngineClass.TENSOR_BF16, 10n ** 18n]]),
      ticksMax: 900_000n,
      svnLeast: 0,
    },
    PARTIES.slice(0, 2),
  ),
);
/** Runs the command in this process: a child for each would take seconds. */
async function run(...args: string[]): Promise<{ exit: unknown; stdout: string }> {
  let stdout = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    stdout += text;
    return true;
  });
  try {
    await quiesceProgram().parseAsync(["policy", ...args], { from: "user" });
    return { exit: process.exitCode ?? 0, stdout };
  } finally {
    write.mockRestore();
    process.exitCode = undefined;
  }
}

const json = async (...args: string[]) => {
  const { exit, stdout } = await run(...args, "--json");
  return { exit, answer: JSON.parse(stdout) };
};

describe("quiesce policy", () => {
  it("list names every preset with its source", async () => {
    const { answer } = await json("list");
    expect(answer.length).toBeGreaterThanOrEqual(8);
    for (const { source } of answer) expect(source).toMatch(/\S{4}/);
  });

  it("show prints a document that check takes", async () => {
    const { stdout } = await run("show", "miri-unmonitored");
    const { exit, answer } = await json("check", file("shown.json", stdout));
    expect([exit, answer]).toEqual([0, { ok: true, name: "miri-unmonitored" }]);
  });

  it("check names field, value and what is allowed, in one line", async () => {
    const bad = file(
      "bad.json",
      '{"format":"quiesce-policy/1","name":"x","counting":"native","licenseSecondsMax":"15m"}',
    );
    const { exit, stdout, stderr } = await quiesce(["policy", "check", bad]);
    expect([exit, stdout]).toEqual([2, ""]);
    expect(stderr).toBe(
      'quiesce: policy/quantity: licenseSecondsMax: "15m": must be a whole number of seconds such as 900, 15min, 4h or 90d\n',
    );
  });

  it("check judges a license, and its exit code says how", async () => {
    const judge = (policy: string) => json("check", policy, "--license", licenseFile, "--agreement", agreementFile);
    expect(await judge("rand-offline")).toEqual({
      exit: 0,
      answer: { ok: true, policy: "rand-offline", objections: [] },
    });
    const { exit, answer } = await judge("off-switch");
    expect(exit).toBe(1);
    expect(answer.objections).toEqual([{ check: "offline", message: "offline: 1 in hand are over 0" }]);
  });

  it("bound computes from an agreement's file, and says what binds", async () => {
    const { answer } = await json(
      "bound",
      "--fleet",
      "512xH100",
      "--agreement",
      agreementFile,
      "--policy",
      "rand-offline",
    );
    expect(answer).toMatchObject({ boundedBy: "lease", perBoard: [{ name: "h100", boards: 512 }] });
    expect(Object.keys(answer.alone)).toEqual(["lease", "license", "budget"]);
  });

  it("derive gives the published 17 minutes of a million boards, and fails where the bound is not kept", async () => {
    const derive = (...more: string[]) =>
      json("derive", "--leak", "1e24FLOP", "--fleet", "1e6xh100-equivalent", ...more);
    const kept = await derive("--lease", "15min");
    expect(kept.exit).toBe(0);
    expect(kept.answer).toMatchObject({ kept: true, peakSeconds: 1000, leaseSecondsMax: 998, licenseSecondsMax: 998 });
    expect((await derive("--lease", "20min")).exit).toBe(1);
  });

  it("shows tables to people", async () => {
    const shown = await run("derive", "--leak", "1e24FLOP", "--fleet", "100000xH100");
    expect(shown.stdout).toMatch(/lease at most +1 h 21 min/);
    const bound = await run("bound", "--fleet", "2xH100,1xB200");
    expect(bound.stdout).toMatch(/bounded by +lease/);
    const verdict = await run("check", "off-switch", "--license", licenseFile, "--agreement", agreementFile);
    expect(verdict.stdout).toMatch(/offline +offline: 1 in hand are over 0/);
  });

  it.each([
    ["a fleet of no such board", ["bound", "--fleet", "10xabacus"]],
    ["a leak that is none", ["derive", "--fleet", "1xH100", "--leak", "much"]],
    ["a policy that is not there", ["show", "no-such-policy"]],
    ["a folder as a policy", ["check", folder]],
    ["a license without its agreement", ["check", "off-switch", "--license", licenseFile]],
    ["a lease of two years", ["bound", "--fleet", "1xH100", "--lease", "730d"]],
    ["a profile that is none", ["check", "off-switch", "--profile", "rendering"]],
    ["a lag where a peak rate is unknown", ["bound", "--fleet", "1xH100,1xtpu-v6e", "--lag", "1min"]],
  ])("refuses %s as wrong use, in one line", async (_, args) => {
    const error = await run(...args).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    const { exit, line } = verdictOf(error);
    expect(exit).toBe(2);
    expect(line).toMatch(/^[^\n]+$/);
  });
});
