/**
 * The attestation keys of devices, kept in memory: which key a device's evidence and reports must be signed by is asked
 * with every request, and a key never becomes another device's. A device that enrols a new image has one key more, which
 * is looked for in the store when it is first seen.
 */

import { keyId } from "../protocol/cose.ts";
import type { Store } from "../store/store.ts";
import { hexOf, sameBytes } from "../verifier/bytes.ts";
import { type DeviceRow, readDevice } from "./device-rows.ts";

/** Newest last. */
type Keys = readonly { readonly kid: Uint8Array; readonly publicKey: Uint8Array }[];

const DEVICES_MAX = 65_536;

export class Attesters {
  readonly #store: Store;
  readonly #keys = new Map<string, Keys>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Throws `device/unknown`. */
  async know(ueid: Uint8Array): Promise<void> {
    const name = hexOf(ueid);
    if (!this.#keys.has(name)) this.#remember(name, await readDevice(this.#store, ueid));
  }

  /** The device's key of this kid; undefined if it has no such key. Throws `device/unknown`. */
  async find(ueid: Uint8Array, kid: Uint8Array | undefined): Promise<Uint8Array | undefined> {
    const name = hexOf(ueid);
    const isMeant = (key: Keys[number]) => kid !== undefined && sameBytes(key.kid, kid);
    const cached = this.#keys.get(name)?.find(isMeant);
    if (cached) return cached.publicKey;
    return this.#remember(name, await readDevice(this.#store, ueid)).find(isMeant)?.publicKey;
  }

  #remember(name: string, { state }: DeviceRow): Keys {
    const keys = state.record.certificates.map(({ attestationPublicKey: publicKey }) => ({
      kid: keyId(publicKey),
      publicKey,
    }));
    this.#keys.delete(name);
    const [oldest] = this.#keys.keys();
    if (this.#keys.size >= DEVICES_MAX && oldest !== undefined) this.#keys.delete(oldest);
    this.#keys.set(name, keys);
    return keys;
  }
}
