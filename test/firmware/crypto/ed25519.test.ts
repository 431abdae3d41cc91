import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { ed25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IO_BYTES, loadPrimitives } from "../../primitives.ts";
import { sharedIsHere, sharedJson } from "../../shared.ts";
import { concat, hex, toHex } from "./bytes.ts";

const firmware = loadPrimitives();
const strict = { zip215: false };

interface Figure {
  name: string;
  seed: string;
  publicKey: string;
  message: string;
  signature: string;
}

/** RFC 8032 section 7.1; its fourth, of 1023 bytes, is among the shared vectors. */
const figures: Figure[] = [
  {
    name: "TEST 1",
    seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    message: "",
    signature: `e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155
                5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b`,
  },
  {
    name: "TEST 2",
    seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    message: "72",
    signature: `92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
                085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00`,
  },
  {
    name: "TEST 3",
    seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    message: "af82",
    signature: `6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
                18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a`,
  },
  {
    name: "TEST SHA(abc)",
    seed: "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
    publicKey: "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
    message: `ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a
              2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f`,
    signature: `dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589
                09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704`,
  },
];

/** Key, signature and verdict through the firmware, and the same through the host. */
function expectFigure({ name, seed, publicKey, message, signature }: Figure): void {
  const [s, key, msg, sig] = [hex(seed), hex(publicKey), hex(message), hex(signature)];
  expect(toHex(firmware.ed25519PublicKey(s)), name).toBe(toHex(key));
  expect(toHex(firmware.ed25519Sign(s, msg)), name).toBe(toHex(sig));
  expect(toHex(firmware.ed25519SignKeyPair(s, key, msg)), name).toBe(toHex(sig));
  expect(firmware.ed25519Verify(sig, msg, key), name).toBe(true);
  // Under a new key, under one that signed once, and under one whose combs are built.
  for (let i = 0; i < 3; i++) expect(firmware.ed25519VerifyKnown(sig, msg, key), name).toBe(true);
  expect(toHex(ed25519.getPublicKey(s)), name).toBe(toHex(key));
  expect(toHex(ed25519.sign(msg, s)), name).toBe(toHex(sig));
  expect(ed25519.verify(sig, msg, key, strict), name).toBe(true);
}

describe("Ed25519", () => {
  it.each(figures)("makes the key and the signature that RFC 8032 prints: $name", expectFigure);

  it.skipIf(!sharedIsHere)("agrees with all RFC 8032 vectors of the shared folder", () => {
    const vectors =
      sharedJson<{ name: string; secretKey: string; publicKey: string; message: string; signature: string }[]>(
        "vectors/ed25519/rfc8032.json",
      );
    expect(vectors.length).toBe(5);
    for (const { secretKey, ...rest } of vectors) expectFigure({ seed: secretKey, ...rest });
  });

  it.skipIf(!sharedIsHere)("agrees with the sample of the original sign.input set", () => {
    const vectors = sharedJson<{ sk: string; pk: string; msg: string; sig: string }[]>(
      "vectors/ed25519/signinput_sample_a.json",
    );
    expect(vectors.length).toBe(165);
    for (const [i, { sk, pk, msg, sig }] of vectors.entries()) {
      expectFigure({ name: `sign.input ${i}`, seed: sk, publicKey: pk, message: msg, signature: sig });
    }
  });

  it.skipIf(!sharedIsHere)(
    "takes the signature of a FROST group (RFC 9591, appendix E.1) for the plain one that it is",
    () => {
      const { inputs, final_output } = sharedJson<{
        inputs: { verifying_key_key: string; message: string };
        final_output: { sig: string };
      }>("vectors/frost/frost_ed25519.json");
      const [sig, msg, key] = [hex(final_output.sig), hex(inputs.message), hex(inputs.verifying_key_key)];
      expect(firmware.ed25519Verify(sig, msg, key)).toBe(true);
      expect(ed25519.verify(sig, msg, key, strict)).toBe(true);
      sig[0]! ^= 1;
      expect(firmware.ed25519Verify(sig, msg, key)).toBe(false);
    },
  );

  it.skipIf(!sharedIsHere)("gives Wycheproof's verdicts, on the firmware and on the host", () => {
    const { testGroups } = sharedJson<{
      testGroups: {
        publicKey: { pk: string };
        tests: { tcId: number; comment: string; msg: string; sig: string; result: "valid" | "invalid" }[];
      }[];
    }>("vectors/ed25519/wycheproof_ed25519_odd.json");
    let count = 0;
    for (const { publicKey, tests } of testGroups) {
      for (const { tcId, comment, msg, sig, result } of tests) {
        count++;
        const name = `tcId ${tcId} ${comment}`;
        // A signature of another length has no address to give: both boundaries refuse it before any arithmetic.
        if (sig.length !== 128) {
          expect(result, name).toBe("invalid");
          expect(() => firmware.ed25519Verify(hex(sig), hex(msg), hex(publicKey.pk)), name).toThrow(RangeError);
          expect(() => ed25519.verify(hex(sig), hex(msg), hex(publicKey.pk), strict), name).toThrow();
          continue;
        }
        expect(firmware.ed25519Verify(hex(sig), hex(msg), hex(publicKey.pk)), name).toBe(result === "valid");
        for (let i = 0; i < 3; i++) {
          expect(firmware.ed25519VerifyKnown(hex(sig), hex(msg), hex(publicKey.pk)), name).toBe(result === "valid");
        }
        expect(ed25519.verify(hex(sig), hex(msg), hex(publicKey.pk), strict), name).toBe(result === "valid");
      }
    }
    expect(count).toBe(76);
  });

  it("makes the host's keys and signatures to the bit, and either accepts the other's", () => {
    const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(seeds, fc.uint8Array({ maxLength: 1000 }), (seed, message) => {
        const key = firmware.ed25519PublicKey(seed);
        const signature = firmware.ed25519Sign(seed, message);
        expect(key).toEqual(ed25519.getPublicKey(seed));
        expect(signature).toEqual(ed25519.sign(message, seed));
        expect(firmware.ed25519Verify(signature, message, key)).toBe(true);
        expect(ed25519.verify(signature, message, key, strict)).toBe(true);
      }),
    );
  });

  it("makes OpenSSL's keys and signatures, which OpenSSL accepts", () => {
    const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(seeds, fc.uint8Array({ maxLength: 1000 }), (seed, message) => {
        const pkcs8 = concat(hex("302e020100300506032b657004220420"), seed); // RFC 8410 section 7
        const privateKey = createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
        const publicKey = createPublicKey(privateKey);
        const spki = new Uint8Array(publicKey.export({ format: "der", type: "spki" }));
        expect(firmware.ed25519PublicKey(seed)).toEqual(spki.slice(-32));
        const signature = firmware.ed25519Sign(seed, message);
        expect(signature).toEqual(new Uint8Array(sign(null, message, privateKey)));
        expect(verify(null, message, publicKey, signature)).toBe(true);
      }),
    );
  });

  it("refuses a signature with any one bit changed, in R, in S, in the key or in the message", () => {
    const seed = hex(figures[2]!.seed);
    const message = hex("0011223344556677");
    const parts = [firmware.ed25519Sign(seed, message), message, firmware.ed25519PublicKey(seed)] as const;
    expect(firmware.ed25519Verify(...parts)).toBe(true);
    for (let i = 0; i < 3; i++) expect(firmware.ed25519VerifyKnown(...parts)).toBe(true);
    for (const [which, part] of parts.entries()) {
      for (let bit = 0; bit < part.length * 8; bit++) {
        part[bit >> 3]! ^= 1 << (bit & 7);
        expect(firmware.ed25519Verify(...parts), `part ${which}, bit ${bit}`).toBe(false);
        expect(firmware.ed25519VerifyKnown(...parts), `part ${which}, bit ${bit}, known key`).toBe(false);
        part[bit >> 3]! ^= 1 << (bit & 7);
      }
    }
    expect(firmware.ed25519Verify(...parts)).toBe(true);
  });

  it("signs and verifies the longest message that fits", () => {
    const seed = hex(figures[1]!.seed);
    const message = new Uint8Array(IO_BYTES - 96).fill(0xa5);
    const signature = firmware.ed25519Sign(seed, message);
    expect(signature).toEqual(ed25519.sign(message, seed));
    expect(firmware.ed25519Verify(signature, message, hex(figures[1]!.publicKey))).toBe(true);
  });
});
