/** The fuzzer of the mailbox finds what it is for, does the same from the same seed, and replays what it found. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Finding, UnknownCase } from "../../../attack/campaign.ts";
import { corpusOf, corpusText } from "../../../attack/fuzz/corpus.ts";
import { Fuzzer } from "../../../attack/fuzz/fuzzer.ts";
import { inputOf, textOf } from "../../../attack/fuzz/input.ts";
import { fuzzed } from "../../../attack/fuzz-mailbox.ts";
import { governorImage } from "../../../attack/rig.ts";
import { Random } from "../../../sim-board/random.ts";
import { without } from "../without.ts";

const SEED = String(process.env.QUIESCE_SEED);
const FILE = new URL("../corpus/mailbox.txt", import.meta.url);
const shipped = governorImage().bytes;

/** With so many cases, or with more where they do not find it. */
// biome-ignore format: a table, one row a defect
const DEFECTS: readonly [defect: string, path: string, text: string, instead: string, what: RegExp, cases: readonly number[]][] = [
  ["reads a number without its bound", "firmware/objects/claims.ts", "if (value > most) {", "if (false) {", /the host refuses|traps/, [1500, 6000]],
  ["hangs after the third refused object", "firmware/gate/failures.ts", "ledger.failures += 1;", "ledger.failures += 1; while (ledger.failures == 3) {}", /hangs/, [5000, 10_000]],
  ["leaves credit behind when a drain ends", "firmware/gate/run.ts", "const changed = closeCredit();\n  const paused", "const changed = true;\n  const paused", /a shut gate leaves a credit/, [500]],
];

describe("the fuzzer of the mailbox finds a governor that", () => {
  it.each(DEFECTS)("%s, and its id replays it alone", async (_defect, path, text, instead, what, cases) => {
    const { bytes } = await without(path, text, instead);
    let found: Finding | undefined;
    for (const casesMax of cases) {
      const { findings } = fuzzed(bytes, { seed: SEED, casesMax });
      found = findings.find((finding) => what.test(finding.what));
      if (found !== undefined) break;
    }
    expect(found).toBeDefined();
    const alone = fuzzed(bytes, { seed: "another", only: found!.id });
    expect(alone).toMatchObject({ tried: 1, findings: [found] });
    expect(fuzzed(shipped, { seed: SEED, only: found!.id }).findings).toEqual([]);
  });
});

describe("the fuzzer of the mailbox", () => {
  it("does the same from the same seed, and something else from another", () => {
    const [once, again, other] = [SEED, SEED, `${SEED}+`].map((seed) => fuzzed(shipped, { seed, casesMax: 600 }));
    expect(again).toEqual(once);
    expect(other!.verdicts).not.toEqual(once!.verdicts);
    expect(once!.findings).toEqual([]);
  });

  it("takes branches that its seeds do not, and keeps few inputs that take all of them", () => {
    const seeds = fuzzed(shipped, { seed: SEED, casesMax: 400 }).corpus!;
    const more = fuzzed(shipped, { seed: SEED, casesMax: 3000 }).corpus!;
    expect(more.reached).toBeGreaterThan(seeds.reached);
    const fuzzer = new Fuzzer(shipped, new Random(SEED));
    for (const text of more.inputs) fuzzer.run(inputOf(text)!);
    expect(fuzzer.reached).toBe(more.reached);
  });

  it("takes an id for what it says, and nothing else for an id", () => {
    const text = "open:t60000,pause/k3/p12.4.AQID/m0.1.,work,challenge";
    expect(textOf(inputOf(text)!)).toBe(text);
    for (const none of ["", "open", "nowhere:pause", "open:pause/p1", "open:t99999999999", "open:pause/k999"]) {
      expect(() => fuzzed(shipped, { seed: SEED, only: none })).toThrow(UnknownCase);
    }
  });
});

/** Share of the recorded branches that a corpus may lose to a change of the firmware before it has to be grown anew. */
const LOSS_MAX = 0.02;

describe("the corpus", () => {
  it("finds nothing, and takes as many branches as it says", () => {
    expect(existsSync(FILE)).toBe(true);
    const { inputs, reached, branches } = corpusOf(readFileSync(FILE, "utf8"))!;
    const { findings, corpus } = fuzzed(shipped, { seed: SEED, corpus: inputs, casesMax: inputs.length });
    expect(findings).toEqual([]);
    expect(reached).toBeGreaterThan(branches / 2);
    expect(corpus!.reached / corpus!.branches).toBeGreaterThanOrEqual((reached / branches) * (1 - LOSS_MAX));
  });

  it("comes back from its file as it was", () => {
    const corpus = { inputs: ["open:pause", "ready:license,t60000"], reached: 12, branches: 34 };
    expect(corpusOf(corpusText(corpus))).toEqual(corpus);
    expect(corpusOf("open:pause\n")).toBeUndefined();
  });
});
