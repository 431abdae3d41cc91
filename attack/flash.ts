/** Attacks on the flash: older content, another board's, erased, flipped, worn, and a part that lies. */
import { FlashShape } from "../firmware/protocol/board.ts";
import type { Info } from "../host/objects/evidence.ts";
import { BoardError } from "../sim-board/errors.ts";
import type { GovernorImage } from "../sim-board/governor-module.ts";
import type { FlashImage } from "../sim-board/parts/flash.ts";
import { type Campaign, type Cases, runCases } from "./campaign.ts";
import { comeBack, NoWayOut } from "./comeback.ts";
import { cutAt, indexIn } from "./cuts.ts";
import { goesOn } from "./life.ts";
import { ransack } from "./operator.ts";
import { Refused } from "./rig.ts";
import { liveOnce, type Place, type Step, type Timeline } from "./timeline.ts";

export const flash: Campaign = {
  name: "flash",
  about: "older flash at any time, another board's, erased sectors, every bit flipped, worn cells, a part that lies",
  claim: "nothing spent comes back; the device goes on, or is closed with a reason and recovered by the quorum",
  run: (options) => runCases("flash", flashAttacks(), options),
};

type Attack = { readonly id: string; readonly play: () => string };

const OTHER_SEED = 2;
const BYTE_BITS = 8;
const VALUES = [0, 1] as const;

/** `image`: of another governor than the one that ships. */
export function flashAttacks(image?: GovernorImage): Cases {
  const timeline = liveOnce(image && { image });
  const other = liveOnce({ seed: OTHER_SEED, ...(image && { image }) });
  const board = new Attacked(timeline);
  const cases = [
    ...olderImages(board),
    ...otherImages(board, other),
    ...erasedSectors(board),
    ...wornSectors(board),
    ...stuckCells(board),
    ...lies(board),
    ...flippedBits(board),
  ];
  return {
    count: cases.length,
    idOf: (index) => cases[index]!.id,
    indexOf: (id) => indexIn(cases, id),
    run: (index) => cases[index]!.play(),
  };
}

/** The board under attack, in its life once lived. */
class Attacked {
  readonly timeline: Timeline;
  readonly #known = new Map<Step, Info | undefined>();
  readonly #images = new Map<Place, FlashImage>();

  constructor(timeline: Timeline) {
    this.timeline = timeline;
  }

  /** All steps but the first, before which there was no power yet. */
  get steps(): readonly Step[] {
    return this.timeline.steps.slice(1);
  }

  /** Before this operation the power goes, and somebody has the flash in hand. */
  imageAt(place: Place): FlashImage {
    let image = this.#images.get(place);
    if (!image) {
      cutAt(this.timeline.rig, place, { kind: "before" });
      image = this.timeline.rig.board.flash.image();
      this.#images.set(place, image);
    }
    return image;
  }

  toStep(step: Step): void {
    this.timeline.rig.board.restore(step.before);
    this.timeline.rig.board.flash.mend();
  }

  /** What the device had said of itself, and somebody knows, before this step. */
  #knownAt(step: Step): Info | undefined {
    if (!this.#known.has(step)) {
      const { rig } = this.timeline;
      const now = rig.board.snapshot();
      rig.board.restore(step.before);
      this.#known.set(step, rig.board.on ? rig.info() : undefined);
      rig.board.restore(now);
    }
    return this.#known.get(step);
  }

  /** Boots what is there, plays the operator, then the honest parties. */
  outcome(step: Step): string {
    const { rig } = this.timeline;
    const known = this.#knownAt(step);
    rig.board.cutPower();
    orRefused(() => rig.board.powerOn());
    ransack(rig, step.heard, known);
    const reason = comeBack(rig);
    ransack(rig, step.heard, undefined);
    goesOn(rig);
    return reason === "OK" ? "went on" : `came back from ${reason}`;
  }

  /** The same of a part that is defective: where a record or a report finds no place, a new part is put in. */
  outcomeDefective(step: Step): string {
    try {
      return this.outcome(step);
    } catch (error) {
      if (!(error instanceof Refused || error instanceof NoWayOut) || !DEFECTS.has(error.reason)) throw error;
      const { board } = this.timeline.rig;
      board.cutPower();
      board.flash.mend();
      board.flash.replace(this.timeline.steps[0]!.before.flash.sectors);
      board.flash.erases.fill(0);
      this.outcome(step);
      return `${error.reason}, and with a new flash recovered`;
    }
  }
}

/** What says that the flash does not take what is written. */
const DEFECTS: ReadonlySet<string> = new Set(["JOURNAL_WRITE", "REPORT_STORE"]);

/** Each distinct content that the flash ever had, put back at each later moment. */
function olderImages(board: Attacked): Attack[] {
  const { rig, places } = board.timeline;
  const moments = places.filter((_, at) => at > 0 && changesWhatLasts(places[at - 1]!));
  return moments.flatMap((later, at) =>
    moments.slice(0, at).map((earlier, from) => ({
      id: `old${from}.at${at}`,
      play() {
        const image = board.imageAt(earlier);
        cutAt(rig, later, { kind: "before" });
        rig.board.flash.replace(image);
        return board.outcome(later.step);
      },
    })),
  );
}

function changesWhatLasts({ is }: Place): boolean {
  return is.flashBytes > 0 || is.name === "counter step";
}

function otherImages(board: Attacked, other: Timeline): Attack[] {
  return stepAttacks(board, "other", other.steps.length, (from) => {
    board.timeline.rig.board.flash.replace(other.steps[from]!.before.flash.sectors);
  });
}

/** One by one, and all. */
function erasedSectors(board: Attacked): Attack[] {
  const { flash: part } = board.timeline.rig.board;
  return stepAttacks(board, "erased", part.sectors + 1, (sector) => {
    for (let s = 0; s < part.sectors; s++) if (sector === s || sector === part.sectors) part.erase(s);
  });
}

function wornSectors(board: Attacked): Attack[] {
  const { flash: part } = board.timeline.rig.board;
  return stepAttacks(board, "worn", part.sectors + 1, (sector) => {
    for (let s = 0; s < part.sectors; s++) {
      if (sector === s || sector === part.sectors) part.erases[s] = part.enduranceErases;
    }
  });
}

/** One cell of each page, stuck at either value. */
function stuckCells(board: Attacked): Attack[] {
  const { flash: part } = board.timeline.rig.board;
  const pages = part.bytes / FlashShape.PAGE_BYTES;
  return VALUES.flatMap((value) =>
    stepAttacks(board, `stuck${value}-`, pages, (page) => {
      part.stick(page * FlashShape.PAGE_BYTES + (page % 16), page % BYTE_BITS, value);
    }),
  );
}

/** The same attack before each step of the life, without power, in `count` variants. */
function stepAttacks(board: Attacked, name: string, count: number, strike: (variant: number) => void): Attack[] {
  return board.steps.flatMap((step, at) =>
    Array.from({ length: count }, (_, variant) => ({
      id: `${name}${variant}.step${at}`,
      play() {
        board.toStep(step);
        board.timeline.rig.board.cutPower();
        strike(variant);
        return board.outcomeDefective(step);
      },
    })),
  );
}

/** Each write of the life acknowledged, and lost or late. */
function lies(board: Attacked): Attack[] {
  const { rig, places } = board.timeline;
  const writes = places.filter(({ is }) => is.flashBytes > 0);
  return (["lost", "late"] as const).flatMap((kind) =>
    writes.map((place, at) => ({
      id: `${kind}${at}`,
      play() {
        const { step, index } = place;
        board.toStep(step);
        const after = step.operations.slice(0, index).filter(({ flashBytes }) => flashBytes > 0).length;
        rig.board.flash.lie = { kind, after };
        orRefused(step.act);
        return board.outcome(step);
      },
    })),
  );
}

/** The device may refuse what its flash did not take, and hang where a real part would store something else. */
function orRefused(act: () => void): void {
  try {
    act();
  } catch (error) {
    const isHung = error instanceof BoardError && error.code === "board/hung";
    if (!isHung && !(error instanceof Refused)) throw error;
  }
}

/** Every bit of everything that was written, at the end of the life. */
function flippedBits(board: Attacked): Attack[] {
  const { rig, steps } = board.timeline;
  const last = steps.at(-1)!;
  const used = last.before.flash.sectors.flatMap((sector, s) =>
    [...sector.keys()].filter((i) => sector[i] !== 0xff).map((i) => s * FlashShape.SECTOR_BYTES + i),
  );
  const boot = (address?: number, bit = 0) => {
    board.toStep(last);
    rig.board.cutPower();
    if (address !== undefined) rig.board.flash.flip(address, bit);
    rig.board.powerOn();
    return rig.board.state()!;
  };
  let sound: Uint8Array | undefined;
  return used.flatMap((address) =>
    Array.from({ length: BYTE_BITS }, (_, bit) => ({
      id: `flip${address}.${bit}`,
      play() {
        sound ??= boot();
        // What boots to the very same State lives the same life: the bit is of a record that nobody reads any more.
        if (Buffer.compare(sound, boot(address, bit)) === 0) return "no effect";
        return board.outcome(last);
      },
    })),
  );
}
