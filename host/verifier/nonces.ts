/**
 * The verifier's own nonces (RFC 9334 section 10.2): each for one device, for a while, good once. They are stateless: a
 * nonce says when it was given and proves it, so that any process of one verifier can judge it without having kept it.
 *
 *     | 6 bytes: ms of agreement time | 4: count | 6: random | 16: HMAC-SHA256 of UEID and the 16 before, cut |
 *
 * The first 16 bytes are its serial. Serials of one process rise, and a device's record keeps the newest one that was used
 * up: an older one is no good any more. So a nonce is used at most once, and none costs a write before it is used.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { Limit } from "../../firmware/protocol/limits.ts";
import { VerifierError } from "./errors.ts";

/** Unless a verifier is set otherwise. */
export const NONCE_LIFETIME_MS = 60_000;

const SERIAL_BYTES = 16;
const TIME_BYTES = 6;
const COUNT_BYTES = 4;
const RANDOM_BYTES = SERIAL_BYTES - TIME_BYTES - COUNT_BYTES;
const TAG_BYTES = Limit.NONCE_BYTES - SERIAL_BYTES;

/** A nonce that is this verifier's, for this device. */
export interface JudgedNonce {
  readonly givenMs: number;
  readonly serial: Uint8Array;
}

export class Nonces {
  readonly #secret: Uint8Array;
  readonly #random: (bytes: number) => Uint8Array;
  readonly #lifetimeMs: () => number;
  #count = 0;

  /**
   * `secret` (32 bytes) is the same in all processes of one verifier. A nonce is good for `lifetimeMs` as it is when the
   * nonce comes back. A long one is for nonces that travel (docs/courier.md).
   */
  constructor(secret: Uint8Array, random: (bytes: number) => Uint8Array, lifetimeMs = () => NONCE_LIFETIME_MS) {
    this.#secret = secret;
    this.#random = random;
    this.#lifetimeMs = lifetimeMs;
  }

  get lifetimeMs(): number {
    return this.#lifetimeMs();
  }

  /** A new nonce for a device. */
  give(ueid: Uint8Array, nowMs: number): Uint8Array {
    const nonce = Buffer.alloc(Limit.NONCE_BYTES);
    nonce.writeUIntBE(nowMs, 0, TIME_BYTES);
    nonce.writeUInt32BE(this.#count, TIME_BYTES);
    this.#count = (this.#count + 1) >>> 0;
    nonce.set(this.#random(RANDOM_BYTES), TIME_BYTES + COUNT_BYTES);
    nonce.set(this.#tag(ueid, nonce.subarray(0, SERIAL_BYTES)), SERIAL_BYTES);
    return Uint8Array.from(nonce);
  }

  /** Throws `evidence/nonce-unknown` or `evidence/nonce-expired`. Whether it was used is the device record's to say. */
  judge(ueid: Uint8Array, nonce: Uint8Array, nowMs: number): JudgedNonce {
    const judged = this.read(ueid, nonce);
    this.checkAge(judged, nowMs);
    return judged;
  }

  /** However old it is. Throws `evidence/nonce-unknown`. */
  read(ueid: Uint8Array, nonce: Uint8Array): JudgedNonce {
    if (nonce.length !== Limit.NONCE_BYTES) throw new VerifierError("evidence/nonce-unknown");
    const serial = nonce.slice(0, SERIAL_BYTES);
    if (!timingSafeEqual(this.#tag(ueid, serial), nonce.subarray(SERIAL_BYTES))) {
      throw new VerifierError("evidence/nonce-unknown");
    }
    return { givenMs: Buffer.from(serial).readUIntBE(0, TIME_BYTES), serial };
  }

  isExpired({ givenMs }: JudgedNonce, nowMs: number): boolean {
    return nowMs - givenMs > this.#lifetimeMs();
  }

  /** Throws `evidence/nonce-expired`. */
  checkAge(nonce: JudgedNonce, nowMs: number): void {
    if (this.isExpired(nonce, nowMs)) throw new VerifierError("evidence/nonce-expired");
  }

  #tag(ueid: Uint8Array, serial: Uint8Array): Uint8Array {
    return createHmac("sha256", this.#secret).update(ueid).update(serial).digest().subarray(0, TAG_BYTES);
  }
}

/** Throws `evidence/nonce-unknown` for a nonce that is not newer than the newest that was used up. */
export function checkUnused(serial: Uint8Array, newestUsed: Uint8Array | undefined): void {
  if (newestUsed && Buffer.compare(serial, newestUsed) <= 0) throw new VerifierError("evidence/nonce-unknown");
}
