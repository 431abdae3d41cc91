/**
 * Coverage-guided: what takes a branch that no input took before, or takes one more often than any did, is kept, and
 * more inputs are made of it. Everything is drawn from one seed, and every input begins at its start, so that the same
 * seed makes the same inputs, and any of them alone does what it did among the others.
 */
import type { Random } from "../../sim-board/random.ts";
import type { Input } from "./input.ts";
import { type Kept, Mutator } from "./mutate.ts";
import { OBJECT_NAMES } from "./objects.ts";
import { Play } from "./play.ts";
import { START_NAMES, startOf } from "./starts.ts";
import { type SubjectImage, subjectImage } from "./subject.ts";

/** Times that a branch was taken, as a bit: 1, 2, 3, 4 to 7, 8 to 15, 16 to 31, 32 to 127, more. */
const TIMES = Uint8Array.from({ length: 256 }, (_, count) => {
  const bounds = [1, 2, 3, 4, 8, 16, 32, 128];
  const index = bounds.findLastIndex((bound) => count >= bound);
  return index < 0 ? 0 : 1 << index;
});

export class Fuzzer {
  readonly branches: number;
  /** Inputs that found something new to do. */
  readonly corpus: Kept[] = [];
  readonly #image: SubjectImage;
  readonly #plays = new Map<string, Play>();
  /** For each branch the times that it was taken, as bits. */
  readonly #seen: Uint8Array;
  readonly #mutator: Mutator;

  constructor(governor: Uint8Array, random: Random) {
    this.#image = subjectImage(governor);
    this.branches = this.#image.branches;
    this.#seen = new Uint8Array(this.branches);
    this.#mutator = new Mutator(random, (start, object) => this.#playFrom(start).sample(object));
  }

  /** Branches that some input took. */
  get reached(): number {
    return this.#seen.reduce((sum, times) => sum + (times > 0 ? 1 : 0), 0);
  }

  /** What comes of the input; it is kept if it does something new. @throws AttackSucceeded */
  run(input: Input): string {
    const play = this.#playFrom(input.start);
    const verdict = play.run(input);
    if (this.#isNew(play.subject.counters)) this.corpus.push({ input, cost: play.subject.turns });
    return verdict;
  }

  /** An input that was made of those kept. */
  next(): Input {
    return this.#mutator.next(this.corpus);
  }

  /** Branches that this input takes. @throws AttackSucceeded */
  branchesOf(input: Input): number[] {
    const play = this.#playFrom(input.start);
    play.run(input);
    return [...play.subject.counters.keys()].filter((branch) => play.subject.counters[branch]! > 0);
  }

  #playFrom(start: string): Play {
    const play = this.#plays.get(start) ?? new Play(this.#image, startOf(start));
    this.#plays.set(start, play);
    return play;
  }

  #isNew(counters: Uint8Array): boolean {
    const seen = this.#seen;
    let isNew = false;
    for (let branch = 0; branch < counters.length; branch++) {
      const times = TIMES[counters[branch]!]!;
      if ((times & ~seen[branch]!) === 0) continue;
      seen[branch]! |= times;
      isNew = true;
    }
    return isNew;
  }
}

/** One of each object from each start, and whole lives. */
export function seedInputs(): Input[] {
  const send = (object: string) => ({ object, splices: [] });
  const single = OBJECT_NAMES.flatMap((object) => START_NAMES.map((start) => ({ start, steps: [send(object)] })));
  const wait = { ticks: 60_000 };
  const work = { deed: "work" } as const;
  const power = { deed: "power" } as const;
  const lives: Input["steps"][] = [
    [send("license"), work, { deed: "creditLow" }, wait, work, send("report"), send("report-again")],
    [send("license"), send("pause"), work, wait, send("drain-done"), send("resume"), send("license")],
    [power, send("time-proof"), send("license"), wait, send("beacon"), work, send("evidence")],
    [send("agreement"), send("time-proof"), send("license"), wait, send("slow"), send("amendment")],
    [send("diagnose"), work, wait, send("diagnose"), send("recovery"), send("time-proof"), send("license-small")],
  ];
  return [...single, ...START_NAMES.flatMap((start) => lives.map((steps) => ({ start, steps })))];
}

/** Inputs that together take every branch that all of them take: few of them, the shorter ones first. */
export function cover(fuzzer: Fuzzer, inputs: readonly Input[], lengthOf: (input: Input) => number): Input[] {
  const sorted = [...inputs].sort((a, b) => lengthOf(a) - lengthOf(b));
  const takes = new Map(sorted.map((input) => [input, fuzzer.branchesOf(input)]));
  const taken = new Map<number, number>();
  const count = (input: Input, by: number) => {
    for (const branch of takes.get(input)!) taken.set(branch, (taken.get(branch) ?? 0) + by);
  };
  const needed = sorted.filter((input) => {
    if (takes.get(input)!.every((branch) => taken.has(branch))) return false;
    count(input, 1);
    return true;
  });
  // What those that came later take too is not needed any more; the longest are looked at first.
  const kept: Input[] = [];
  for (const input of needed.reverse()) {
    if (takes.get(input)!.some((branch) => taken.get(branch) === 1)) kept.push(input);
    else count(input, -1);
  }
  return kept.reverse();
}

/** The input with as little in it as still does what `holds` asks. */
export function shortened(input: Input, holds: (input: Input) => boolean): Input {
  const { start, steps } = input;
  const shorter = steps.flatMap((step, i) => [
    ...(steps.length > 1 ? [steps.toSpliced(i, 1)] : []),
    ...("object" in step
      ? step.splices.map((_, j) => steps.with(i, { ...step, splices: step.splices.toSpliced(j, 1) }))
      : []),
  ]);
  const found = shorter.map((some) => ({ start, steps: some })).find(holds);
  return found ? shortened(found, holds) : input;
}
