/** Pairs of power cuts: the second one while the device recovers from the first. */
import { Random } from "../sim-board/random.ts";
import { type Campaign, type Cases, runCases } from "./campaign.ts";
import { comeBack } from "./comeback.ts";
import { arm, type Cut, SETTLINGS } from "./cut.ts";
import { afterCut, cutAt, indexIn } from "./cuts.ts";
import { losesPower } from "./life.ts";
import type { Rig } from "./rig.ts";
import { liveOnce, type Place } from "./timeline.ts";

export const cutPairs: Campaign = {
  name: "cut-pairs",
  about: "a second power cut while the device recovers from a first: every pair of operations, and of bytes by seed",
  claim: "the device boots, has counted all of its work, and can be licensed and paused",
  run: (options) => runCases("cut-pairs", pairs(options.seed), options),
};

const BYTE_PAIRS = 4000;
const BEFORE: Cut = { kind: "before" };

type Pair = { readonly id: string; readonly play: () => string };

function pairs(seed: string): Cases {
  const { rig, places } = liveOnce();
  const cases = [...operationPairs(rig, places), ...bytePairs(rig, places, seed)];
  return {
    count: cases.length,
    idOf: (index) => cases[index]!.id,
    indexOf: (id) => indexIn(cases, id),
    run: (index) => cases[index]!.play(),
  };
}

function operationPairs(rig: Rig, places: readonly Place[]): Pair[] {
  return places.flatMap((place, first) => {
    cutAt(rig, place, BEFORE);
    const { operations } = recovery(rig);
    return Array.from({ length: operations }, (_, second) => ({
      id: `op${first}.op${second}`,
      play() {
        cutAt(rig, place, BEFORE);
        return cutAgain(rig, BEFORE, second, 0);
      },
    }));
  });
}

/** Both cuts anywhere in the bytes of flash, torn from the front or the back, with cells that settle or waver. */
function bytePairs(rig: Rig, places: readonly Place[], seed: string): Pair[] {
  const written = places.filter(({ is }) => is.flashBytes > 0);
  return Array.from({ length: BYTE_PAIRS }, (_, number) => ({
    id: `pair${number}`,
    play() {
      const random = new Random(`cut pair ${seed} ${number}`);
      const place = written[random.below(written.length)]!;
      cutAt(rig, place, tornCut(random, place.is.flashBytes));
      const dead = rig.board.snapshot();
      const { flashBytes } = recovery(rig);
      rig.board.restore(dead);
      if (flashBytes === 0) return afterCut(rig, BEFORE);
      return cutAgain(rig, tornCut(random, flashBytes), 0, 0);
    },
  }));
}

function tornCut(random: Random, flashBytes: number): Cut {
  const settling = SETTLINGS[random.below(2 * SETTLINGS.length)];
  const order = random.below(2) === 0 ? "front" : "back";
  return { kind: "torn", bytes: random.below(flashBytes), order, ...(settling && { settling }) };
}

function cutAgain(rig: Rig, cut: Cut, operations: number, bytesBefore: number): string {
  arm(rig.board, cut, operations, bytesBefore);
  losesPower(() => comeBack(rig));
  rig.board.supply.clear();
  return afterCut(rig, cut);
}

/** Recovers it once, and counts what that takes. */
function recovery(rig: Rig): { operations: number; flashBytes: number } {
  const { supply, flash } = rig.board;
  const { operations, flashBytes } = supply;
  flash.mend();
  comeBack(rig);
  return { operations: supply.operations - operations, flashBytes: supply.flashBytes - flashBytes };
}
