/** The model's recorded traces on the firmware that ships; and what a search says, read. No spin is needed. */
import { describe, expect, it } from "vitest";
import { kept } from "../streams.ts";
import { modelCommand } from "./command.ts";
import { Disagreement, replay } from "./replay.ts";
import { readPan } from "./spin.ts";
import { readTrace } from "./trace.ts";
import { allMoves, movesOf, recordedTraces } from "./traces.ts";

const traces = recordedTraces();

describe("the recorded traces of the model", () => {
  it.each(traces)("$name: model and board agree after every step", ({ text }) => {
    const steps = readTrace(text);
    expect(steps.length).toBeGreaterThan(0);
    replay(steps);
  });

  it("go through every row of the table of transitions", () => {
    const gone = new Set(traces.flatMap(({ text }) => [...movesOf(text)]));
    expect(allMoves().filter((move) => !gone.has(move))).toEqual([]);
  });

  it("are found out if one answer, one amount or one message in them is another", () => {
    const text = traces.find(({ text }) => /SAYS OK OPEN/.test(text))!.text;
    const changes: [RegExp, string][] = [
      [/SAYS OK OPEN/, "SAYS OK SLOWED"],
      [/(SAYS OK OPEN \d+ \d+) 1/, "$1 2"],
      [/DO sign-license 0 \d\n/, ""],
    ];
    for (const [from, to] of changes) {
      expect(text).toMatch(from);
      expect(() => replay(readTrace(text.replace(from, to)))).toThrow();
    }
    expect(() => replay(readTrace(text.replace("SAYS OK OPEN", "SAYS OK IDLE")))).toThrow(Disagreement);
  });

  it("are read strictly", () => {
    expect(() => readTrace("DO tick\nSAY OK")).toThrow("line 2");
  });
});

describe("npm run model", () => {
  it("says what to install where spin is missing, and does not succeed", async () => {
    const { exit, err } = await kept((streams) => modelCommand([], streams, () => "spin"));
    expect(exit).toBe(3);
    expect(err).toContain("apt install spin gcc");
  });

  it("refuses options that it does not have", async () => {
    const { exit, err } = await kept((streams) => modelCommand(["--fast"], streams, () => undefined));
    expect(exit).toBe(2);
    expect(err).toContain("--help");
  });

  it("takes no search for exhaustive that was cut short", () => {
    const whole = "depth reached 9, errors: 0\n 7 states, stored\n 9 transitions (= stored+matched)\n";
    expect(readPan(whole)).toMatchObject({ holds: true, states: 7, transitions: 9, depth: 9 });
    expect(() => readPan(`error: max search depth too small\n${whole}`)).toThrow("did not end");
    expect(readPan(whole.replace("errors: 0", "errors: 1")).holds).toBe(false);
  });
});
