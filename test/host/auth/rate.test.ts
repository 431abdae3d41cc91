import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressKey, RateLimiter } from "../../../host/auth/rate.ts";
import { NOW_MS } from "./site.ts";

const LIMITS = { ratePerSecond: 2, burst: 5, keysMax: 100 };

const asks = fc.array(
  fc.record({
    key: fc.constantFrom("a", "b", "c"),
    cost: fc.integer({ min: 1, max: 5 }),
    afterMs: fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 5000 })),
  }),
  { maxLength: 120 },
);

describe("the rate limit", () => {
  it("gives a caller the burst at once, then the rate, and says how long to wait", () => {
    const limiter = new RateLimiter(LIMITS);
    expect(limiter.take("a", 5, NOW_MS)).toEqual({ ok: true });
    expect(limiter.take("a", 1, NOW_MS)).toEqual({ ok: false, retryAfterSeconds: 1 });
    expect(limiter.take("a", 5, NOW_MS)).toEqual({ ok: false, retryAfterSeconds: 3 });
    expect(limiter.take("a", 1, NOW_MS + 499)).toEqual({ ok: false, retryAfterSeconds: 1 });
    expect(limiter.take("a", 1, NOW_MS + 500)).toEqual({ ok: true });
    expect(limiter.take("b", 5, NOW_MS + 500)).toEqual({ ok: true });
  });

  it("never gives a key more than burst + rate × time in any window", () => {
    fc.assert(
      fc.property(asks, (list) => {
        const limiter = new RateLimiter(LIMITS);
        const given = new Map<string, { atMs: number; cost: number }[]>();
        let nowMs = NOW_MS;
        for (const { key, cost, afterMs } of list) {
          nowMs += afterMs;
          if (limiter.take(key, cost, nowMs).ok) given.set(key, [...(given.get(key) ?? []), { atMs: nowMs, cost }]);
        }
        for (const taken of given.values()) {
          for (let from = 0; from < taken.length; from++) {
            let sum = 0;
            for (const { atMs, cost } of taken.slice(from)) {
              sum += cost;
              const seconds = (atMs - taken[from]!.atMs) / 1000;
              expect(sum).toBeLessThanOrEqual(LIMITS.burst + LIMITS.ratePerSecond * seconds + 1e-6);
            }
          }
        }
      }),
    );
  });

  it("gives what it said it would after the time that it said, and not a second before", () => {
    fc.assert(
      fc.property(asks, fc.integer({ min: 1, max: 5 }), (list, cost) => {
        const limiter = new RateLimiter(LIMITS);
        let nowMs = NOW_MS;
        for (const ask of list) {
          nowMs += ask.afterMs;
          limiter.take(ask.key, ask.cost, nowMs);
        }
        const taken = limiter.take("a", cost, nowMs);
        if (taken.ok) return;
        const endMs = nowMs + taken.retryAfterSeconds * 1000;
        expect(limiter.take("a", cost, endMs - 1001).ok).toBe(false);
        expect(limiter.take("a", cost, endMs + 1).ok).toBe(true);
      }),
    );
  });

  it("counts no refusal against the caller, and one caller's asking against no other", () => {
    const limiter = new RateLimiter(LIMITS);
    limiter.take("a", 5, NOW_MS);
    for (let i = 0; i < 1000; i++) limiter.take("a", 5, NOW_MS + 1);
    expect(limiter.take("a", 1, NOW_MS + 500).ok).toBe(true);
    expect(limiter.take("b", 5, NOW_MS + 500).ok).toBe(true);
  });

  it("remembers so many keys and no more, and forgets the one that asked the longest ago", () => {
    const limiter = new RateLimiter({ ...LIMITS, keysMax: 3 });
    for (const key of ["a", "b", "c", "a", "d"]) limiter.take(key, 3, NOW_MS);
    expect(limiter.keys).toBe(3);
    expect(limiter.take("a", 3, NOW_MS).ok).toBe(false);
    expect(limiter.take("d", 3, NOW_MS).ok).toBe(false);
    expect(limiter.take("b", 3, NOW_MS).ok).toBe(true);
    for (let i = 0; i < 10_000; i++) limiter.take(`flood ${i}`, 1, NOW_MS);
    expect(limiter.keys).toBe(3);
  });

  it("locks nobody out, and gives nothing away, when the clock is set back", () => {
    const limiter = new RateLimiter(LIMITS);
    expect(limiter.take("a", 5, NOW_MS).ok).toBe(true);
    const earlierMs = NOW_MS - 86_400_000;
    expect(limiter.take("a", 1, earlierMs).ok).toBe(false);
    expect(limiter.take("a", 1, earlierMs + 500).ok).toBe(true);
    expect(limiter.take("a", 1, earlierMs + 500).ok).toBe(false);
  });

  it("takes no limits and no costs that cannot be meant", () => {
    for (const wrong of [{ ratePerSecond: 0 }, { burst: -1 }, { keysMax: 0.5 }, { ratePerSecond: Number.NaN }]) {
      expect(() => new RateLimiter({ ...LIMITS, ...wrong })).toThrow(RangeError);
    }
    const limiter = new RateLimiter(LIMITS);
    for (const cost of [0, -1, 6, Number.NaN]) expect(() => limiter.take("a", cost, NOW_MS)).toThrow(RangeError);
  });
});

describe("an address", () => {
  it.each([
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:1:2::9", "2001:db8:1:2::/64"],
    ["2001:0db8:0001:0002::", "2001:db8:1:2::/64"],
    ["2001:db8::1:2:3:4:5", "2001:db8:0:1::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["64:ff9b::192.0.2.7", "64:ff9b:0:0::/64"],
    ["a socket", "a socket"],
  ])("%s counts as %s", (address, key) => {
    expect(addressKey(address)).toBe(key);
  });
});
