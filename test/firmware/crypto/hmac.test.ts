import { createHmac, hkdfSync } from "node:crypto";
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { loadPrimitives } from "../../primitives.ts";
import { ascii, hex, toHex } from "./bytes.ts";
import { loadProbe, type Probe } from "./probe.ts";

const firmware = loadPrimitives();

let probe: Probe;
beforeAll(async () => {
  probe = await loadProbe();
});

const repeat = (byte: number, count: number) => new Uint8Array(count).fill(byte);
const range = (first: number, last: number) => Uint8Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe("HMAC-SHA-256", () => {
  // RFC 4231 sections 4.2 to 4.8; 4.6 is truncated to 128 bits.
  it.each([
    ["4.2", repeat(0x0b, 20), ascii("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
    [
      "4.3",
      ascii("Jefe"),
      ascii("what do ya want for nothing?"),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ],
    ["4.4", repeat(0xaa, 20), repeat(0xdd, 50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"],
    ["4.5", range(1, 25), repeat(0xcd, 50), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"],
    ["4.6", repeat(0x0c, 20), ascii("Test With Truncation"), "a3b6167473100ee06e0c796c2955552b"],
    [
      "4.7",
      repeat(0xaa, 131),
      ascii("Test Using Larger Than Block-Size Key - Hash Key First"),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ],
    [
      "4.8",
      repeat(0xaa, 131),
      ascii(
        "This is a test using a larger than block-size key and a larger than block-size data. " +
          "The key needs to be hashed before being used by the HMAC algorithm.",
      ),
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ],
  ])("gives the code that RFC 4231 section %s prints", (_section, key, message, code) => {
    expect(toHex(firmware.hmacSha256(key, message)).slice(0, code.length)).toBe(code);
    expect(toHex(hmac(sha256, key, message)).slice(0, code.length)).toBe(code);
  });

  it("agrees with OpenSSL for keys and messages of any length, whole or in two pieces", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.uint8Array({ maxLength: 300 }),
        fc.nat({ max: 300 }),
        (key, message, cut) => {
          const code = createHmac("sha256", key).update(message).digest("hex");
          expect(toHex(firmware.hmacSha256(key, message))).toBe(code);

          const at = Math.min(cut, message.length);
          probe.call("hmacSha256Begin", probe.put(0, key), key.length);
          probe.call("hmacSha256Update", probe.put(0, message.subarray(0, at)), at);
          probe.call("hmacSha256Update", probe.put(0, message.subarray(at)), message.length - at);
          probe.call("hmacSha256End", probe.at(0));
          expect(toHex(probe.get(probe.at(0), 32))).toBe(code);
        },
      ),
    );
  });
});

describe("HKDF-SHA-256", () => {
  // RFC 5869 appendices A.1 to A.3.
  it.each([
    [
      "A.1",
      repeat(0x0b, 22),
      range(0x00, 0x0c),
      range(0xf0, 0xf9),
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ],
    [
      "A.2",
      range(0x00, 0x4f),
      range(0x60, 0xaf),
      range(0xb0, 0xff),
      `b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c
       59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71
       cc30c58179ec3e87c14c01d5c1f3434f1d87`,
    ],
    [
      "A.3",
      repeat(0x0b, 22),
      new Uint8Array(),
      new Uint8Array(),
      "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ],
  ])("gives the key that RFC 5869 appendix %s prints", (_appendix, ikm, salt, info, figure) => {
    const key = hex(figure);
    expect(firmware.hkdfSha256(ikm, salt, info, key.length)).toEqual(key);
    expect(hkdf(sha256, ikm, salt, info, key.length)).toEqual(key);
  });

  it("agrees with OpenSSL for inputs of any length and keys up to the longest that the RFC allows", () => {
    const part = fc.uint8Array({ maxLength: 100 });
    fc.assert(
      fc.property(part, part, part, fc.nat({ max: 200 }), (ikm, salt, info, length) => {
        const key = new Uint8Array(hkdfSync("sha256", ikm, salt, info, length));
        expect(firmware.hkdfSha256(ikm, salt, info, length)).toEqual(key);
      }),
    );
    const longest = new Uint8Array(hkdfSync("sha256", ascii("ikm"), ascii("salt"), ascii("info"), 255 * 32));
    expect(firmware.hkdfSha256(ascii("ikm"), ascii("salt"), ascii("info"), 255 * 32)).toEqual(longest);
  });
});
