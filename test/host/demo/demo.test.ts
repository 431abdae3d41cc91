/** `quiesce demo`: the whole story on the real firmware, and the document that says so. */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadGovernor } from "../../../host/cli/firmware.ts";
import { chooseWorkload } from "../../../host/cli/workload.ts";
import { playDemo } from "../../../host/demo/scenario.ts";
import { SILENT } from "../../../host/demo/teller.ts";
import { signedBy } from "../../../host/demo/verifiers.ts";
import { verifyAgreement } from "../../../host/objects/agreement.ts";
import { sharedIsHere, sharedPath } from "../../shared.ts";
import { quiesce, type Ran, temporaryFolder } from "../cli/run-cli.ts";

const README = new URL("../../../README.md", import.meta.url);

const ATTEMPTS = [
  ["withhold the order", "GATE_ORDER_WITHHELD"],
  ["withhold order and beacons", "GATE_LEASE_LAPSED"],
  ["replay a hoarded beacon", "TIME_STALE"],
  ["replay the old license", "LICENSE_EPOCH"],
  ["resume with one signature", "COSE_QUORUM"],
  ["cut the power, offer the old license", "LICENSE_EPOCH"],
  ["set the clock back by a hoarded proof", "TIME_NONCE"],
  ["set the clock back by a hoarded beacon", "TIME_EPOCH_OLD"],
  ["roll the flash back", "JOURNAL_ROLLBACK"],
];

function play(options: Parameters<typeof chooseWorkload>[0], seed = 1) {
  return playDemo({ image: loadGovernor(), workload: chooseWorkload(options), seed, teller: SILENT }).result;
}

describe("quiesce demo --json", () => {
  let ran: Ran;
  const folder = temporaryFolder();
  const saved = join(folder, "objects");
  const run = (...more: string[]) => quiesce(["demo", "--steps", "12", "--seed", "7", "--json", ...more]);
  beforeAll(async () => {
    ran = await run("--save", saved);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("prints one document in which licensed, done and reported work are equal", () => {
    const { exit, stdout, stderr } = ran;
    expect(stderr).toBe("");
    expect(exit).toBe(0);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({
      ok: true,
      seed: 7,
      firmware: { pages: 2 },
      pause: { workAfterClose: 0, checkpointSaved: true, checkpointBytes: 11_097_440_256 },
      invariants: { broken: 0 },
    });
    expect(document.firmware.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(document.firmware.bytes).toBeLessThanOrEqual(48 * 1024);
    expect(document.pause.closedAtTick).toBeGreaterThan(document.pause.orderedAtTick);
    expect(document.invariants.checked).toBeGreaterThan(1000);
    expect(Object.keys(document.work).sort()).toEqual(["copy", "link_rx", "link_tx", "tensor_fp8"]);
    for (const { licensed, done, reported } of Object.values<Record<string, unknown>>(document.work)) {
      expect(done).toBe(licensed);
      expect(reported).toBe(licensed);
    }
    // Integers that JSON readers would round are strings.
    expect(document.work.tensor_fp8.done).toMatch(/^\d{18}$/);
    expect(document.attempts.map((attempt: Record<string, unknown>) => [attempt.name, attempt.codeName])).toEqual(
      ATTEMPTS,
    );
    expect(document.attempts.every((attempt: Record<string, unknown>) => attempt.refused === true)).toBe(true);
  });

  it("saves its objects where it is told to", () => {
    const kinds = readdirSync(saved).map((name) => name.replace(/-\d+/, ""));
    const numbered = ["license", "report", "evidence"];
    const single = ["agreement", "endorsement", "certificate", "beacon", "time-proof", "order-pause", "order-resume"];
    expect([...new Set(kinds)].sort()).toEqual([...numbered, ...single].map((name) => `${name}.cbor`).sort());
    const { licenses } = JSON.parse(ran.stdout);
    expect(kinds.filter((kind) => kind === "license.cbor")).toHaveLength(licenses);
    const license = new Uint8Array(readFileSync(join(saved, "license-1.cbor")));
    const agreement = new Uint8Array(readFileSync(join(saved, "agreement.cbor")));
    expect(signedBy(license, verifyAgreement(agreement).agreement)).toHaveLength(2);
  });

  it("replays to the byte with one seed, objects and all, and differs with another", async () => {
    const again = join(folder, "again");
    expect((await run("--save", again)).stdout).toBe(ran.stdout);
    const objects = readdirSync(saved);
    expect(objects.length).toBeGreaterThan(10);
    expect(readdirSync(again)).toEqual(objects);
    for (const name of objects)
      expect(readFileSync(join(again, name)).equals(readFileSync(join(saved, name))), name).toBe(true);
    const { device, seconds } = JSON.parse(ran.stdout);
    const [same, other] = [7, 8].map((seed) => play({ workload: "llama405b-train", steps: 12 }, seed));
    expect(same).toMatchObject({ ok: true, seed: 7, device: Uint8Array.from(Buffer.from(device, "hex")), seconds });
    expect(other).toMatchObject({ ok: true, seed: 8 });
    expect(other!.device).not.toEqual(same!.device);
    expect(other!.seconds).not.toBe(seconds);
  });
});

describe("the demo in plain lines", () => {
  let ran: Ran;
  beforeAll(async () => {
    ran = await quiesce(["demo"]);
  });

  it("tells the whole story without escape sequences", () => {
    const { exit, stdout, stderr } = ran;
    expect(exit, stderr).toBe(0);
    for (const label of ["agreement", "license", "pause", "checkpoint", "resume", "job", "books"]) {
      expect(stdout).toMatch(new RegExp(`^  \\d+:\\d\\d:\\d\\d +${label} `, "m"));
    }
    for (const [name, code] of ATTEMPTS) expect(stdout).toMatch(new RegExp(`✗ ${name} +0x[0-9a-f]{4} ${code}`));
    expect(stdout).toContain("✓ licensed = done = reported");
    expect(stdout).not.toContain("\x1b");
  });

  it("is what the README shows, numbers aside", () => {
    const excerpt = readFileSync(README, "utf8").match(/^```text\n([\s\S]*?)^```/m)![1]!;
    const shape = (line: string) =>
      line
        .replaceAll(/\d[\d,.]*/g, "#")
        .replaceAll(/[─\s]+/g, " ")
        .trim();
    const printed = new Set(ran.stdout.split("\n").map(shape));
    const shown = excerpt.trimEnd().split("\n").map(shape);
    expect(shown.length).toBeGreaterThan(10);
    expect(shown.filter((line) => line !== "⋮" && !printed.has(line))).toEqual([]);
  });
});

describe("the demo of any workload", () => {
  it.each([1, 2, 3])("llama405b-train, %i steps", (steps) => {
    expect(play({ workload: "llama405b-train", steps })).toMatchObject({ ok: true });
  });

  it("all 240 steps end with every license used and the repeated step accounted for", () => {
    const result = play({ workload: "llama405b-train" });
    expect(result.ok).toBe(true);
    expect(result.pause.checkpointBytes).toBe(11_097_440_256n);
    for (const [, repeated] of result.repeated) expect(repeated).toBeGreaterThan(0n);
  });

  it("no work of any class follows the closing of the gate, with any seed", () => {
    for (const seed of [0, 1, 2, 3, 4]) {
      const { ok, pause } = play({ workload: "resnet-ddp" }, seed);
      expect(pause.workAfterClose, `seed ${seed}`).toBe(0n);
      expect(ok, `seed ${seed}`).toBe(true);
    }
  });

  it
    .skipIf(!sharedIsHere)
    .each([
      "mlperf-training-v5.0/AMD_8xMI300X_llama2_70b_lora_result_0.txt",
      "mlperf-training-v4.1/Google_tpu-v5p-4096_gpt3_result_0.txt",
      "azure-llm-2023/AzureLLMInferenceTrace_code.csv",
      "hta-kineto/dlrm_128ranks_sampled_rank-0.json.gz",
      "hta-kineto/a100x2_resnet_ddp.kernels.csv.gz",
    ])("a recording: %s", (file) => {
    expect(play({ trace: sharedPath(`traces/${file}`) })).toMatchObject({ ok: true });
  });

  it.skipIf(!sharedIsHere)("the first step of a recording that begins with a stretch without work", () => {
    const trace = sharedPath("traces/mlperf-training-v5.0/NVIDIA_eos_512xH100_llama31_405b_result_0.txt");
    expect(play({ trace, steps: 1 })).toMatchObject({ ok: true });
  });
});
