/** Fuzzing of the mailbox: inputs that are made to take every branch of the governor, from every state of it. */
import { Random } from "../sim-board/random.ts";
import {
  AttackSucceeded,
  type Campaign,
  type CampaignOptions,
  type Finding,
  type Outcome,
  UnknownCase,
} from "./campaign.ts";
import { cover, Fuzzer, seedInputs, shortened } from "./fuzz/fuzzer.ts";
import { type Input, inputOf, textOf } from "./fuzz/input.ts";
import { governorImage } from "./rig.ts";

const NAME = "fuzz-mailbox";
const EXECUTIONS = 10_000_000;
const FINDINGS_SHOWN = 100;
const PROGRESS_EVERY = 1000;

export const fuzzMailbox: Campaign = {
  name: NAME,
  about:
    "messages, ticks, work and power cycles that are made, guided by coverage, to take every branch of the governor",
  claim: "no trap, no hang, no answer that is none, nothing taken that the host refuses, no credit without a license",
  guided: true,
  run: (options) => fuzzed(governorImage().bytes, options),
};

/** The campaign against this governor. */
export function fuzzed(governor: Uint8Array, options: CampaignOptions): Outcome {
  const { seed, only, corpus = [], casesMax = EXECUTIONS, progress } = options;
  const fuzzer = new Fuzzer(governor, new Random(`${NAME} ${seed}`));
  const given = (only === undefined ? corpus : [only]).map(parsed);
  const first = only === undefined ? [...given, ...seedInputs()] : given;
  const total = only === undefined ? casesMax : 1;
  const verdicts: Record<string, number> = {};
  const findings: Finding[] = [];
  let findingCount = 0;
  for (let done = 0; done < total; done++) {
    const input = first[done] ?? fuzzer.next();
    const { verdict, what } = judged(fuzzer, input);
    verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
    if (what !== undefined) {
      findingCount++;
      const isLike = (shorter: Input) => judged(fuzzer, shorter).what === what;
      if (findings.length < FINDINGS_SHOWN) findings.push({ id: textOf(shortened(input, isLike)), what });
    }
    if ((done + 1) % PROGRESS_EVERY === 0 || done + 1 === total)
      progress?.({ done: done + 1, total, findings: findingCount });
  }
  const kept = fuzzer.corpus.map(({ input }) => input);
  return {
    ...{ campaign: NAME, seed, cases: Math.max(total, EXECUTIONS), tried: total, verdicts, findingCount, findings },
    corpus: {
      inputs: cover(fuzzer, kept, (input) => textOf(input).length).map(textOf),
      reached: fuzzer.reached,
      branches: fuzzer.branches,
    },
  };
}

function judged(fuzzer: Fuzzer, input: Input): { verdict: string; what?: string } {
  try {
    return { verdict: fuzzer.run(input) };
  } catch (error) {
    if (!(error instanceof AttackSucceeded)) throw error;
    return { verdict: "FOUND", what: error.message };
  }
}

/** @throws UnknownCase */
function parsed(text: string): Input {
  const input = inputOf(text);
  if (input === undefined) throw new UnknownCase(`"${text}" is no input: see attack/fuzz/input.ts`);
  return input;
}
