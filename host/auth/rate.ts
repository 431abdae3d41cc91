/**
 * Limits how much one caller asks for: a token bucket a key. There are at most `keysMax` buckets; the one that was asked
 * the longest ago is forgotten first, and is full when its key comes again. Callers that are known and addresses that
 * are not belong into two limiters, so that a flood of addresses makes nobody's bucket forgotten.
 */
import { isIP } from "node:net";

export interface RateLimits {
  readonly ratePerSecond: number;
  /** The most that can be had at once. */
  readonly burst: number;
  readonly keysMax: number;
}

export type Taken = { readonly ok: true } | { readonly ok: false; readonly retryAfterSeconds: number };

type Bucket = { readonly level: number; readonly atMs: number };

export class RateLimiter {
  readonly #limits: RateLimits;
  /** In the order of the last asking. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(limits: RateLimits) {
    const { ratePerSecond, burst, keysMax } = limits;
    const areLimits = [ratePerSecond, burst, keysMax].every((limit) => Number.isFinite(limit) && limit > 0);
    if (!areLimits || keysMax < 1) throw new RangeError("a limit is a number above 0, keysMax 1 or more");
    this.#limits = limits;
  }

  /** How many keys are remembered. */
  get keys(): number {
    return this.#buckets.size;
  }

  /**
   * `nowMs` is of any clock. One that is set back refills nothing in that moment, and locks nobody out.
   * @throws RangeError for a cost that could never be had: the service sets the costs, not who calls it.
   */
  take(key: string, cost: number, nowMs: number): Taken {
    const { ratePerSecond, burst } = this.#limits;
    if (!(cost > 0 && cost <= burst)) throw new RangeError(`a cost is above 0 and at most ${burst}`);
    const { level: before, atMs } = this.#buckets.get(key) ?? { level: burst, atMs: nowMs };
    const level = Math.min(burst, before + (Math.max(0, nowMs - atMs) * ratePerSecond) / 1000);
    const missing = cost - level;
    this.#remember(key, { level: missing > 0 ? level : level - cost, atMs: nowMs });
    return missing > 0
      ? { ok: false, retryAfterSeconds: Math.max(1, Math.ceil(missing / ratePerSecond)) }
      : { ok: true };
  }

  #remember(key: string, bucket: Bucket): void {
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size <= this.#limits.keysMax) return;
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest);
      return;
    }
  }
}

/**
 * What counts as one address: an IPv4 address, or the first 64 bits of an IPv6 address, since whoever has one has them
 * all (RFC 6177). An IPv4 address inside an IPv6 one is the IPv4 address.
 */
export function addressKey(address: string): string {
  const plain = address.split("%", 1)[0]!.toLowerCase();
  if (isIP(plain) !== 6) return plain;
  const mapped = /^::ffff:([0-9.]+)$/.exec(plain)?.[1];
  if (mapped !== undefined) return mapped;
  const [head, tail] = plain.split("::", 2).map((half) => (half === "" ? [] : half.split(":")));
  const groups = head!.length + (tail?.length ?? 0) + (plain.includes(".") ? 1 : 0);
  const zeros = tail === undefined ? [] : new Array<string>(8 - groups).fill("0");
  const first = [...head!, ...zeros, ...(tail ?? [])]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16));
  return `${first.join(":")}::/64`;
}
