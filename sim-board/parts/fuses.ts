/**
 * One-time-programmable fuses: a bit that is burnt stays burnt. The words of the device secret can be locked for
 * reading until the next reset.
 *
 * OpenTitan's OTP macro holds 2 KiB (512 words) in locked partitions ("OTP controller technical specification"); the
 * governor needs 160 words of it.
 */
import { Fuse } from "../../firmware/protocol/board.ts";
import { BoardError, PowerCut } from "../errors.ts";
import type { Random } from "../random.ts";
import type { Supply } from "./supply.ts";

export type FuseSnapshot = { words: Uint32Array; locked: boolean; random: readonly number[] };

export class Fuses {
  readonly #words = new Uint32Array(Fuse.WORDS);
  readonly #random: Random;
  readonly #supply: Supply;
  #secretLocked = false;

  constructor(options: { random: Random; supply: Supply }) {
    this.#random = options.random;
    this.#supply = options.supply;
  }

  read(word: number): number {
    this.#inRange(word);
    return this.#secretLocked && isSecret(word) ? 0 : this.#words[word]!;
  }

  /** Burns the set bits of `bits`; the others stay as they are. */
  burn(word: number, bits: number): void {
    this.#inRange(word);
    if (this.#supply.failsNow("fuse burn")) {
      // A pulse that was too short: some of the bits took it.
      this.#words[word]! |= bits & this.#random.u32();
      throw new PowerCut("fuse burn");
    }
    this.#words[word]! |= bits;
  }

  /** Fault: which bits take a pulse that is cut short, from now on. */
  draw(number: number): void {
    this.#random.restore(this.#random.stream(`draw ${number}`).snapshot());
  }

  /** From now to the next reset the secret reads as zero. */
  lockSecret(): void {
    this.#secretLocked = true;
  }

  /** Power-up: the lock opens for the boot ROM. */
  reset(): void {
    this.#secretLocked = false;
  }

  get secretLocked(): boolean {
    return this.#secretLocked;
  }

  /** What is random about it comes from here from now on. */
  reseed(random: Random): void {
    this.#random.restore(random.snapshot());
  }

  snapshot(): FuseSnapshot {
    return { words: this.#words.slice(), locked: this.#secretLocked, random: this.#random.snapshot() };
  }

  restore(snapshot: FuseSnapshot): void {
    this.#words.set(snapshot.words);
    this.#secretLocked = snapshot.locked;
    this.#random.restore(snapshot.random);
  }

  #inRange(word: number): void {
    if (!Number.isInteger(word) || word < 0 || word >= Fuse.WORDS) {
      throw new BoardError("fuses/out-of-range", `fuse word ${word}: there are ${Fuse.WORDS}`);
    }
  }
}

function isSecret(word: number): boolean {
  return word >= Fuse.DEVICE_SECRET && word < Fuse.LIFECYCLE;
}
