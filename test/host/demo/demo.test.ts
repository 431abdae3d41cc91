/** `quiesce demo`: the whole story on the real firmware, and the document that says so. */
import { describe, expect, it } from "vitest";
import { loadGovernor } from "../../../host/cli/firmware.ts";
import { chooseWorkload } from "../../../host/cli/workload.ts";
import { playDemo } from "../../../host/demo/scenario.ts";
import { SILENT } from "../../../host/demo/teller.ts";
import { sharedIsHere, sharedPath } from "../../shared.ts";
import { quiesce } from "../cli/run-cli.ts";

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
  it("prints one document in which licensed, done and reported work are equal", async () => {
    const { exit, stdout, stderr } = await quiesce(["demo", "--steps", "12", "--seed", "7", "--json"]);
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

  it("replays to the byte with one seed, and differs with another", async () => {
    const run = (seed: string) => quiesce(["demo", "--workload", "resnet-ddp", "--json", "--seed", seed]);
    const [first, second, other] = await Promise.all([run("11"), run("11"), run("12")]);
    expect(second.stdout).toBe(first.stdout);
    const { seed, ...rest } = JSON.parse(other.stdout);
    expect(seed).toBe(12);
    expect(rest).toMatchObject({ ok: true });
    const before = JSON.parse(first.stdout);
    expect(rest.device).not.toBe(before.device);
    expect(rest.seconds).not.toBe(before.seconds);
  });
});

describe("the demo in plain lines", () => {
  it("tells the whole story without escape sequences", async () => {
    const { exit, stdout } = await quiesce(["demo", "--steps", "6"]);
    expect(exit).toBe(0);
    for (const label of ["agreement", "license", "pause", "checkpoint", "resume", "job", "books"]) {
      expect(stdout).toMatch(new RegExp(`^  \\d+:\\d\\d:\\d\\d +${label} `, "m"));
    }
    for (const [name, code] of ATTEMPTS) expect(stdout).toMatch(new RegExp(`✗ ${name} +0x[0-9a-f]{4} ${code}`));
    expect(stdout).toContain("✓ licensed = done = reported");
    expect(stdout).not.toContain("\x1b");
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
