/**
 * Boot, watched step by step. Between two calls of the HAL nothing of a governor shows outside, and its self-tests make
 * none. So the image is changed in three bytes a step: where it stores `BootProgress` in its State block, it calls
 * `fuseBurn` instead, which takes two words as a store does, with the address for the word. The board tells that address
 * from a fuse's, notes the time, and does the store. Nothing else differs, no byte moves, and the State after such a boot
 * is the State after any other; each step costs one call more.
 */
import { BootProgress, StateHead } from "../firmware/protocol/board.ts";
import { BoardError } from "./errors.ts";
import { Governor, GovernorImage, type Hal } from "./governor-module.ts";
import { wasm } from "./wasm.ts";

const I32_CONST = 0x41;
/** `i32.store`, alignment 4, offset 0. */
const STORE = [0x36, 0x02, 0x00];
const CALL = 0x10;
const NOP = 0x01;

export class WatchedImage {
  readonly image: GovernorImage;

  /** @throws BoardError `module/form` if the image does not store each step exactly once, in the way that is known. */
  constructor(image: GovernorImage, hal: Hal) {
    const address = new Governor(image, hal).stateAddress + StateHead.BOOT_PROGRESS;
    const bytes = image.bytes.slice();
    const call = [CALL, importIndex(image, "fuseBurn"), NOP];
    for (let step = BootProgress.RESET as number; step <= BootProgress.READY; step++) {
      const operands = [I32_CONST, ...signedLeb(address), I32_CONST, ...signedLeb(step)];
      const places = placesOf(bytes, [...operands, ...STORE]);
      if (places.length !== 1) {
        throw new BoardError(
          "module/form",
          `this image stores boot step ${step} in ${places.length} places, not in one`,
        );
      }
      bytes.set(call, places[0]! + operands.length);
    }
    this.image = new GovernorImage(bytes);
  }

  /** A governor that reports each step as it begins. */
  governor(hal: Hal, onStep: (step: number) => void): Governor {
    const governor: Governor = new Governor(this.image, {
      ...hal,
      fuseBurn(word, bits) {
        if (word !== governor.stateAddress + StateHead.BOOT_PROGRESS) return hal.fuseBurn(word, bits);
        governor.setStateWord(StateHead.BOOT_PROGRESS, bits);
        onStep(bits);
      },
    });
    return governor;
  }
}

/** Index of an imported function: imports come first, in their order. */
function importIndex(image: GovernorImage, name: string): number {
  const functions = wasm.Module.imports(image.module).filter(({ kind }) => kind === "function");
  const index = functions.findIndex((entry) => entry.name === name);
  if (index < 0 || index > 0x7f) throw new BoardError("module/import", `this image does not import ${name}`);
  return index;
}

function placesOf(bytes: Uint8Array, pattern: readonly number[]): number[] {
  const [haystack, needle] = [Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), Buffer.from(pattern)];
  const places: number[] = [];
  for (let at = haystack.indexOf(needle); at >= 0; at = haystack.indexOf(needle, at + 1)) places.push(at);
  return places;
}

/** LEB128 of a number that is not negative, as `i32.const` has it: bit 6 of the last byte is the sign. */
function signedLeb(value: number): number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signedLeb(value >>> 7)];
}
