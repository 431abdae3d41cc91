/** The verifier's own nonces (RFC 9334 section 10.2): each for one device, good once, for a while, and not many at a time. */
import { hexOf } from "./bytes.ts";
import { VerifierError } from "./errors.ts";

const NONCE_BYTES = 32;

/** Outstanding nonces of one device; with one more the oldest is dropped. */
export const NONCES_PER_DEVICE_MAX = 4;

export const NONCE_LIFETIME_MS = 60_000;

export class Nonces {
  readonly #random: (bytes: number) => Uint8Array;
  /** By UEID, then by nonce: when it was given, in ms, oldest first. */
  readonly #given = new Map<string, Map<string, number>>();

  constructor(random: (bytes: number) => Uint8Array) {
    this.#random = random;
  }

  /** A new nonce for a device. */
  give(ueid: string, nowMs: number): Uint8Array {
    const nonce = this.#random(NONCE_BYTES);
    const given = this.#given.get(ueid) ?? new Map<string, number>();
    given.set(hexOf(nonce), nowMs);
    for (const oldest of given.keys()) {
      if (given.size <= NONCES_PER_DEVICE_MAX) break;
      given.delete(oldest);
    }
    this.#given.set(ueid, given);
    return nonce;
  }

  /** Uses a nonce up; says when it was given, in ms. Throws `evidence/nonce-unknown` or `evidence/nonce-expired`. */
  take(ueid: string, nonce: Uint8Array, nowMs: number): number {
    const given = this.#given.get(ueid);
    const givenMs = given?.get(hexOf(nonce));
    if (givenMs === undefined) throw new VerifierError("evidence/nonce-unknown");
    given!.delete(hexOf(nonce));
    if (nowMs - givenMs > NONCE_LIFETIME_MS) throw new VerifierError("evidence/nonce-expired");
    return givenMs;
  }
}
