/** A governor on the silicon of a rig's board, but without the board around it: what is measured is the governor. */
import { FlashShape } from "../firmware/protocol/board.ts";
import { EngineClass } from "../firmware/protocol/classes.ts";
import { Limit } from "../firmware/protocol/limits.ts";
import { runBootRom } from "../sim-board/boot-rom.ts";
import { Governor, type GovernorImage, type Hal } from "../sim-board/governor-module.ts";
import { governorImage, type Rig } from "./rig.ts";

/** What the bench turns by hand. */
export type Knobs = {
  ticks: bigint;
  /** Work retired, by class. */
  retired: bigint[];
  /** Credit that is out, by class. */
  credit: bigint[];
};

/** As the board of the rig has them now. */
export function knobsOf(rig: Rig): Knobs {
  const classes = Array.from({ length: EngineClass.COUNT }, (_, c) => c);
  const { accelerator } = rig.board;
  return {
    ticks: rig.board.ticks,
    retired: classes.map((c) => accelerator.retiredOf(c)),
    credit: classes.map((c) => accelerator.creditOf(c)),
  };
}

/** The rig's flash, fuses, counter and TRNG serve; the clock and the accelerator are the knobs. */
export function bareHal(rig: Rig, knobs: Knobs): Hal {
  const { flash, fuses, counter, trng } = rig.board;
  return {
    flashRead: (address, destination) => flash.read(address, destination),
    flashProgram: (address, source) => flash.program(address, source),
    flashErase: (sector) => flash.erase(sector),
    flashSectors: () => flash.sectors,
    fuseRead: (word) => fuses.read(word),
    fuseBurn: (word, bits) => fuses.burn(word, bits),
    counterRead: () => counter.read(),
    counterStep: () => counter.step(),
    counterLife: () => counter.lifeSteps,
    ticks: () => knobs.ticks,
    trngFill: (destination) => trng.fill(destination),
    tamperRead: () => 0,
    workRead: (engineClass) => knobs.retired[engineClass]!,
    deniedRead: () => 0,
    throttledRead: () => 0,
    gateGrant: (engineClass, amount) => {
      knobs.credit[engineClass]! += amount;
    },
    gateClose: () => void knobs.credit.fill(0n),
  };
}

/** Bytes under the tag of a journal record, as the rig's own flash shows them. */
export function recordBytes(rig: Rig): number {
  const place = new Uint8Array(FlashShape.RECORD_BYTES);
  rig.board.flash.read(FlashShape.JOURNAL_SECTOR * FlashShape.SECTOR_BYTES, place);
  const used = place.findLastIndex((byte) => byte !== 0xff) + 1;
  // The last byte of a tag may be 0xff itself; records are made of words of 8 bytes.
  return Math.ceil(used / 8) * 8 - Limit.DIGEST_BYTES;
}

/** What the boot ROM hands over on this board to this image. */
export function handoffOf(rig: Rig, image: GovernorImage = governorImage()): Uint8Array {
  rig.board.fuses.reset();
  return runBootRom(rig.board.fuses, image.sha256);
}

/** Takes the rig's governor, as it stands, off its board: as it ships, or in an image made of it that computes the same. */
export function bareGovernor(rig: Rig, knobs: Knobs, image: GovernorImage = governorImage()): Governor {
  const governor = new Governor(image, bareHal(rig, knobs));
  governor.setState(rig.board.state()!);
  return governor;
}
