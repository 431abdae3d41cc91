import { readFileSync } from "node:fs";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { loadPrimitives, type Primitives, primitivesPath } from "../../primitives.ts";
import { loadProbe, type Probe } from "./probe.ts";

/** All of an instance's memory but the lent buffer. */
function scratch(firmware: Primitives): Buffer {
  const all = Buffer.from(firmware.memory());
  const [first, last] = firmware.lent();
  return all.fill(0, first, last);
}

const keyOf = (seed: Uint8Array) => loadPrimitives().ed25519PublicKey(seed);

describe("the memory of the primitives", () => {
  const seed = Uint8Array.from({ length: 32 }, (_, i) => 7 * i + 1);
  const message = new Uint8Array(300).fill(0x3c);

  it.each<[string, (firmware: Primitives) => Uint8Array]>([
    ["deriving a public key", (firmware) => firmware.ed25519PublicKey(seed)],
    ["signing", (firmware) => firmware.ed25519Sign(seed, message)],
    ["signing by a key pair", (firmware) => firmware.ed25519SignKeyPair(seed, keyOf(seed), message)],
    ["HMAC", (firmware) => firmware.hmacSha256(seed, message)],
    ["HMAC under a long key", (firmware) => firmware.hmacSha256(message, message)],
    ["HKDF", (firmware) => firmware.hkdfSha256(seed, message, message, 100)],
    ["SHA-256", (firmware) => firmware.sha256(message)],
    ["SHA-512", (firmware) => firmware.sha512(message)],
  ])("is as it was before, to the last byte, after %s", (_name, run) => {
    const firmware = loadPrimitives();
    const before = scratch(firmware);
    run(firmware);
    expect(scratch(firmware).equals(before)).toBe(true);
  });

  it("carries nothing from one call into the next", () => {
    const used = loadPrimitives();
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.uint8Array({ maxLength: 300 }), (key, msg) => {
        const fresh = loadPrimitives();
        const signature = used.ed25519Sign(key, msg);
        used.ed25519Verify(signature, seed, key);
        expect(fresh.ed25519Sign(key, msg)).toEqual(signature);
        expect(used.hmacSha256(key, msg)).toEqual(fresh.hmacSha256(key, msg));
      }),
      { numRuns: 10 },
    );
  });

  it("never grows, and nothing in it is allocated", () => {
    const text = readFileSync(primitivesPath.replace(/wasm$/, "wat"), "utf8");
    expect(text).toMatch(/\(memory \$\S+ (\d+) \1\)/);
    expect(text).not.toContain("__new");
    expect(text).not.toContain("memory.grow");
    expect(text).not.toContain("(import ");
  });
});

describe("small tools for secrets", () => {
  let probe: Probe;
  beforeAll(async () => {
    probe = await loadProbe();
  });

  it("tells equal bytes from bytes that differ anywhere", () => {
    const bytes = fc.uint8Array({ maxLength: 100 });
    fc.assert(
      fc.property(bytes, fc.nat(), fc.integer({ min: 1, max: 255 }), (left, where, change) => {
        const call = (right: Uint8Array) =>
          probe.call("equalBytes", probe.put(0, left), probe.put(1000, right), left.length);
        expect(call(left)).toBe(1);
        if (left.length === 0) return;
        const right = left.slice();
        right[where % left.length]! ^= change;
        expect(call(right)).toBe(0);
      }),
    );
  });

  it("wipes what it is told to and no byte beside it", () => {
    const address = probe.put(0, new Uint8Array(100).fill(0xff));
    probe.call("wipe", address + 10, 37);
    const expected = new Uint8Array(100).fill(0xff).fill(0, 10, 47);
    expect(probe.get(address, 100)).toEqual(expected);
  });
});
