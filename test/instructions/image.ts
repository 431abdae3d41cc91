/** The governor's image for counting. */
import { GovernorImage } from "../../sim-board/governor-module.ts";
import { governorImage } from "../rig.ts";

/**
 * Passes for an image of a fixed measurement, whatever its bytes are. The keys and signatures of a board are then the
 * same for every build, and so is what it takes to verify them, which depends on their bits.
 */
class MeasuredImage extends GovernorImage {
  override readonly sha256 = new Uint8Array(32).fill(0x51);
}

/** The governor that ships, or one made of its bytes, under that measurement. */
export function measuredImage(made: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes): GovernorImage {
  return new MeasuredImage(made(governorImage().bytes));
}
