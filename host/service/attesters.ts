/**
 * The attestation keys of devices, kept in memory: which key a device's evidence and reports must be signed by is asked
 * with every request, and a key never becomes another device's. A device that enrols a new image has one key more, which
 * is looked for in the store when it is first seen.
 */

import { keyId } from "../protocol/cose.ts";
import type { Store } from "../store/store.ts";
import { hexOf, sameBytes } from "../verifier/bytes.ts";
import { type DeviceRow, readDevices } from "./device-rows.ts";

/** Newest last. */
type Keys = readonly { readonly kid: Uint8Array; readonly publicKey: Uint8Array }[];

const DEVICES_MAX = 65_536;

export class Attesters {
  readonly #store: Store;
  readonly #keys = new Map<string, Keys>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** The key of this kid of the device; undefined if there is no such device, or it has no such key. */
  async find(ueid: Uint8Array, kid: Uint8Array): Promise<{ known: boolean; publicKey?: Uint8Array }> {
    const name = hexOf(ueid);
    const cached = this.#keys.get(name)?.find((key) => sameBytes(key.kid, kid));
    if (cached) return { known: true, publicKey: cached.publicKey };
    const row = (await readDevices(this.#store.db, [ueid])).get(name);
    if (!row) return { known: false };
    const keys = this.#remember(name, row);
    return { known: true, publicKey: keys.find((key) => sameBytes(key.kid, kid))?.publicKey };
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
