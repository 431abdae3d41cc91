/**
 * One bit of the State block that is another when a call begins: memory at rest, as it is hit between calls. The governor
 * takes its memory to be whole (a chip has ECC for that); how many bits would open the gate without is a figure.
 */
import { AttackSucceeded, type Campaign, type Cases, runCases } from "./campaign.ts";
import { FaultBench } from "./faults/bench.ts";
import { governorImage } from "./rig.ts";

export const stateFlips: Campaign = {
  name: "state-flips",
  about: "each bit of the State block flipped before each call that could open the gate where it must not",
  claim: "a rate: bits that open the gate where memory has no ECC are counted, as “opened”",
  run: (options) => runCases("state-flips", bitsOf(new FaultBench(governorImage().bytes)), options),
};

function bitsOf(bench: FaultBench): Cases {
  const scenes = bench.scenes.filter((scene) => bench.trialOf(scene).hasState);
  const bits = bench.stateBytes * 8;
  return {
    count: scenes.length * bits,
    idOf: (index) => `${scenes[Math.floor(index / bits)]!.name}:${index % bits}`,
    indexOf(id) {
      const [, name, bit] = /^([a-z-]+):(\d{1,6})$/.exec(id) ?? [];
      const scene = scenes.findIndex((one) => one.name === name);
      return scene >= 0 && Number(bit) < bits ? scene * bits + Number(bit) : undefined;
    },
    run(index) {
      const bit = index % bits;
      try {
        return bench.trialOf(scenes[Math.floor(index / bits)]!).run([], { byte: bit >> 3, bit: bit & 7 });
      } catch (error) {
        if (error instanceof AttackSucceeded) return "opened";
        throw error;
      }
    },
  };
}
