/**
 * Seeded randomness: sfc32 (Chris Doty-Humphrey's Small Fast Counting generator, from PractRand) with named streams.
 *
 * A stream's state is the SHA-256 of seed and name, so what one part draws never moves what another one gets: one seed
 * replays a run to the bit even when a part is added. Not for secrets that must hold outside a simulation.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { BoardError } from "./errors.ts";

export class Random {
  readonly seed: string;
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 0;

  constructor(seed: string | number | bigint) {
    this.seed = String(seed);
    const digest = sha256(utf8ToBytes(this.seed));
    const view = new DataView(digest.buffer, digest.byteOffset);
    this.restore([view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12)]);
  }

  /** A generator of its own for `name`; asking twice gives the same one from its start. */
  stream(name: string): Random {
    return new Random(`${this.seed}/${name}`);
  }

  /** 0 to 2^32 - 1. */
  u32(): number {
    const result = (this.#a + this.#b + this.#counter) >>> 0;
    this.#counter = (this.#counter + 1) >>> 0;
    this.#a = (this.#b ^ (this.#b >>> 9)) >>> 0;
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) >>> 0;
    return result;
  }

  /** 0 to `limit` - 1, without bias; `limit` from 1 to 2^32. */
  below(limit: number): number {
    if (!Number.isInteger(limit) || limit < 1 || limit > 2 ** 32) {
      throw new BoardError("random/range", `a random number below ${limit}: the limit must be 1 to 2^32`);
    }
    const usable = 2 ** 32 - (2 ** 32 % limit);
    for (;;) {
      const value = this.u32();
      if (value < usable) return value % limit;
    }
  }

  fill(bytes: Uint8Array): Uint8Array {
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.u32() >>> 24;
    return bytes;
  }

  bytes(length: number): Uint8Array {
    return this.fill(new Uint8Array(length));
  }

  snapshot(): readonly number[] {
    return [this.#a, this.#b, this.#c, this.#counter];
  }

  restore(state: readonly number[]): void {
    [this.#a, this.#b, this.#c, this.#counter] = state as [number, number, number, number];
  }
}
