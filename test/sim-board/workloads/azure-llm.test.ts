import { describe, expect, test } from "vitest";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { readTrace } from "../../../sim-board/workloads/read.ts";
import { operationsOf } from "../../../sim-board/workloads/types.ts";
import { sharedIsHere, sharedPath } from "../../shared.ts";
import { expectSound, expectWithin } from "./expect-workload.ts";

const PATH = "traces/azure-llm-2023/AzureLLMInferenceTrace_code.csv";

describe.skipIf(!sharedIsHere)("57 minutes of Azure's code service", () => {
  test("8,819 requests, 18,059,974 context and 245,896 generated tokens, exactly", () => {
    const workload = readTrace(sharedPath(PATH));
    expectSound(workload);
    const { recorded } = workload.totals;
    expect(recorded.requests).toBe(8819);
    expect(recorded.contextTokens).toBe(18_059_974);
    expect(recorded.generatedTokens).toBe(245_896);
    // About 2N a token and attention on top: nearly all of it prefill.
    expectWithin(recorded.flop, 2 * 68.7e9 * 18.3e6, 0.05);
  });

  test("every token and request is counted in a phase", () => {
    const phases = [...readTrace(sharedPath(PATH)).phases()];
    const sum = (name: "tokens" | "requests") => phases.reduce((total, { counts }) => total + (counts?.[name] ?? 0), 0);
    expect(sum("tokens")).toBe(18_059_974 + 245_896);
    expect(sum("requests")).toBe(8819);
  });

  test("the eight boards together do what the job needs, to the last operation and byte", () => {
    let operations = 0n;
    let sent = 0n;
    for (let board = 0; board < 8; board++) {
      const { work } = readTrace(sharedPath(PATH), { board }).totals;
      operations += operationsOf(work);
      sent += work.get(EngineClass.LINK_TX)!;
    }
    const { recorded } = readTrace(sharedPath(PATH)).totals;
    expect(operations).toBe(recorded.flop);
    expect(sent).toBe(recorded.linkBytes);
  });

  test("phases start in order, none before its requests came, and prefill and decode differ by operations per byte", () => {
    const phases = [...readTrace(sharedPath(PATH)).phases()];
    let last = 0;
    for (const { startSeconds } of phases) {
      expect(startSeconds).toBeGreaterThanOrEqual(last);
      last = startSeconds!;
    }
    expectWithin(last, 57 * 60, 0.02);
    const intensity = (name: string) => {
      const these = phases.filter((phase) => phase.name === name);
      const sum = (engineClass: number) =>
        these.reduce((total, { work }) => total + Number(work.get(engineClass) ?? 0n), 0);
      return sum(EngineClass.TENSOR_BF16) / sum(EngineClass.COPY);
    };
    expect(intensity("prefill")).toBeGreaterThan(300);
    expect(intensity("decode")).toBeLessThan(30);
  });

  test("a width that the model cannot be split into is refused", () => {
    expect(() => readTrace(sharedPath(PATH), { boards: 3 })).toThrow(
      expect.objectContaining({ code: "workload/bad-option" }),
    );
  });
});
