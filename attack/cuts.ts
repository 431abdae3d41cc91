/** Power cuts: a whole life of a device, cut at each byte and in the middle of each operation. */
import type { GovernorImage } from "../sim-board/governor-module.ts";
import type { FlashImage } from "../sim-board/parts/flash.ts";
import { AttackSucceeded, type Campaign, type Cases, runCases } from "./campaign.ts";
import { comeBack } from "./comeback.ts";
import { arm, type Cut, cutName, cutsOf, settle } from "./cut.ts";
import { goesOn, losesPower } from "./life.ts";
import type { Rig } from "./rig.ts";
import { liveOnce, type Place } from "./timeline.ts";

export const cuts: Campaign = {
  name: "cuts",
  about:
    "the power cut at every byte and operation of a whole life, from the first boot on; torn, half erased, wavering",
  claim: "the device boots, has counted all of its work, and can be licensed and paused",
  run: (options) => runCases("cuts", byteCuts(), options),
};

/** Every cut of every operation; `image`: of another governor than the one that ships. */
export function byteCuts(image?: GovernorImage): Cases {
  const { rig, places } = liveOnce(image && { image });
  const cases = places.flatMap((place, at) =>
    [...cutsOf(place.is)].map((cut) => ({ place, cut, id: `op${at}${cutName(cut)}` })),
  );
  const judged = new Judged();
  return {
    count: cases.length,
    idOf: (index) => cases[index]!.id,
    indexOf: (id) => indexIn(cases, id),
    run(index) {
      const { place, cut } = cases[index]!;
      cutAt(rig, place, cut);
      return judged.once(rig, place, cut, () => afterCut(rig, cut));
    },
  };
}

export function indexIn(cases: readonly { readonly id: string }[], id: string): number | undefined {
  const index = cases.findIndex((one) => one.id === id);
  return index < 0 ? undefined : index;
}

/** Goes to the step and lives it until the power goes. */
export function cutAt(rig: Rig, { step, index, bytesBefore }: Place, cut: Cut): void {
  rig.board.restore(step.before);
  arm(rig.board, cut, index, bytesBefore);
  losesPower(step.act);
  rig.board.supply.clear();
  rig.board.cutPower();
}

/** What came of it: the device goes on by itself, or is locked and recovered where that may be. @throws AttackSucceeded */
export function afterCut(rig: Rig, cut: Cut): string {
  const reason = comeBack(rig);
  if (!mayLock(cut, reason)) throw new AttackSucceeded(`locked by ${reason}`);
  settle(rig.board, cut);
  goesOn(rig);
  if (reason === "OK") return "went on";
  return reason === "BOOT_NOT_PROVISIONED" ? "provisioned again" : `recovered from ${reason}`;
}

/** A journal is lost only where the counter made a step that nobody recorded, or where the flash itself can't tell. */
function mayLock(cut: Cut, reason: string): boolean {
  if (reason === "OK" || reason === "BOOT_NOT_PROVISIONED") return true;
  return reason === "JOURNAL_ROLLBACK" && cut.kind === "steps" && cut.steps === 2;
}

/** Cuts of one operation that leave the very same flash come to the same: the next one is not played out again. */
class Judged {
  #place: Place | undefined;
  #flash: FlashImage = [];
  #verdict = "";

  once(rig: Rig, place: Place, cut: Cut, judge: () => string): string {
    const plain = cut.kind === "torn" && cut.settling === undefined;
    if (!plain) return judge();
    const flash = rig.board.flash.image();
    if (place === this.#place && isSame(flash, this.#flash)) return this.#verdict;
    // Only what was judged sound is remembered: each finding is found anew.
    this.#place = undefined;
    this.#verdict = judge();
    this.#place = place;
    this.#flash = flash;
    return this.#verdict;
  }
}

function isSame(a: FlashImage, b: FlashImage): boolean {
  return a.every((sector, i) => sector === b[i] || Buffer.compare(sector, b[i]!) === 0);
}
