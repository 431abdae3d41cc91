/**
 * Double faults: pairs of hits in one call, drawn by seed. Two glitches that may choose their places freely open any
 * gate that is a program; how often a pair of random ones does is a figure, and no finding.
 */
import { Random } from "../sim-board/random.ts";
import { AttackSucceeded, type Campaign, type Cases, runCases } from "./campaign.ts";
import { FaultBench } from "./faults/bench.ts";
import type { Fault } from "./faults/machine.ts";
import type { Scene } from "./faults/scenes.ts";
import { FAULT_KINDS } from "./faults/sites.ts";
import { governorImage } from "./rig.ts";

/** Pairs that are drawn for each scene. */
const PAIRS = 2000;

export const doubleFaults: Campaign = {
  name: "double-faults",
  about: "pairs of faults in one call, drawn by seed, on each path that could open the gate where it must not",
  claim: "a rate: how many pairs of random faults open the gate is counted, as “opened”",
  run: (options) => runCases("double-faults", faultPairs(new FaultBench(governorImage().bytes), options.seed), options),
};

function faultPairs(bench: FaultBench, seed: string): Cases {
  const sceneOf = (index: number) => bench.scenes[Math.floor(index / PAIRS)]!;
  return {
    count: bench.scenes.length * PAIRS,
    idOf: (index) => `${sceneOf(index).name}:${index % PAIRS}`,
    indexOf(id) {
      const [, name, pair] = /^([a-z-]+):(\d{1,6})$/.exec(id) ?? [];
      const scene = bench.scenes.findIndex((one) => one.name === name);
      return scene >= 0 && Number(pair) < PAIRS ? scene * PAIRS + Number(pair) : undefined;
    },
    run: (index) =>
      openedOr(() => bench.trialOf(sceneOf(index)).run(drawPair(bench, sceneOf(index), seed, index % PAIRS))),
  };
}

/** Kinds as likely as one another, then places of the kind, then what the fault does there. */
function drawPair(bench: FaultBench, scene: Scene, seed: string, pair: number): Fault[] {
  const random = new Random(`faults ${seed} ${scene.name} ${pair}`);
  const passed = bench.passedIn(scene);
  const kinds = FAULT_KINDS.filter((kind) => passed[kind].at.length > 0);
  const drawn = Array.from({ length: 2 }, () => {
    const { at, sites } = passed[kinds[random.below(kinds.length)]!];
    const place = random.below(at.length);
    const { modes } = bench.sites[sites[place]!]!;
    return { at: BigInt(at[place]!), mode: modes[random.below(modes.length)]! };
  });
  return drawn.sort((a, b) => Number(a.at - b.at));
}

function openedOr(act: () => string): string {
  try {
    return act();
  } catch (error) {
    if (error instanceof AttackSucceeded) return "opened";
    throw error;
  }
}
