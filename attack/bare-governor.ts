/** A governor on the silicon of a rig's board, but without the board around it: what is measured is the governor. */
import { runBootRom } from "../sim-board/boot-rom.ts";
import { Governor, type GovernorImage, type Hal } from "../sim-board/governor-module.ts";
import { halOf } from "../sim-board/hal.ts";
import { Registers } from "../sim-board/parts/registers.ts";
import { governorImage, type Rig } from "./rig.ts";

/** What the bench turns by hand. */
export type Knobs = {
  ticks: bigint;
  /** The accelerator's: credit and counters. */
  registers: Registers;
};

/** Clock and registers as the board of the rig has them now. */
export function knobsOf(rig: Rig): Knobs {
  const registers = new Registers();
  registers.restore(rig.board.accelerator.snapshot().registers);
  return { ticks: rig.board.ticks, registers };
}

/** All credit that is out in these classes is used up. */
export function useUp({ registers }: Knobs, classes: readonly number[]): void {
  for (const c of classes) registers.retire(c, registers.creditOf(c));
}

/** The rig's flash, fuses, counter and TRNG serve; clock and registers are the knobs. */
export function bareHal(rig: Rig, knobs: Knobs): Hal {
  return { ...halOf(rig.board, () => {}), ticks: () => knobs.ticks, tamperRead: () => 0, ...knobs.registers.wires };
}

/** What the boot ROM hands over on this board to this image. */
export function handoffOf(rig: Rig, image: GovernorImage = governorImage()): Uint8Array {
  rig.board.fuses.reset();
  return runBootRom(rig.board.fuses, image.sha256);
}

/** The image on the silicon of the rig, wired to the registers; not booted. */
export function wired(rig: Rig, knobs: Knobs, image: GovernorImage = governorImage()): Governor {
  return new Governor(image, bareHal(rig, knobs), knobs.registers.wires);
}

/** Takes the rig's governor, as it stands, off its board: as it ships, or in an image made of it that computes the same. */
export function bareGovernor(rig: Rig, knobs: Knobs, image: GovernorImage = governorImage()): Governor {
  const governor = wired(rig, knobs, image);
  governor.setState(rig.board.state()!);
  return governor;
}
