/** Public keys as the system's library holds them, so that each is made once and not for each signature. */
import type { KeyObject } from "node:crypto";

/** A megabyte or two. The parties' keys are used all the time; of devices, those that were seen last. */
export const KEYS_MAX = 4096;

/** The keys that were used last. */
export class KeyCache {
  readonly #make: (publicKey: Uint8Array) => KeyObject;
  /** In the order of their last use. */
  readonly #keys = new Map<string, KeyObject>();

  constructor(make: (publicKey: Uint8Array) => KeyObject) {
    this.#make = make;
  }

  /** The key that is kept, or one that is made now. */
  get(publicKey: Uint8Array): KeyObject {
    return this.#keys.get(nameOf(publicKey)) ?? this.#make(publicKey);
  }

  /** Keeps a key, as the one that was used last. */
  keep(publicKey: Uint8Array, key: KeyObject): void {
    const name = nameOf(publicKey);
    this.#keys.delete(name);
    this.#keys.set(name, key);
    if (this.#keys.size > KEYS_MAX) this.#keys.delete(this.#keys.keys().next().value!);
  }
}

function nameOf(publicKey: Uint8Array): string {
  return Buffer.from(publicKey.buffer, publicKey.byteOffset, publicKey.byteLength).toString("latin1");
}
