/** Where the module was not built, the system's library and noble give the same verdicts by themselves. */
import { ed25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { ed25519Signer, ed25519Verify, ed25519VerifyAsync } from "../../../host/protocol/cose-key.ts";
import { ed25519VerifyMany } from "../../../host/protocol/ed25519.ts";
import { anyOddSignature, message } from "../../firmware/crypto/odd-points.ts";

vi.mock("../../../host/protocol/ed25519-module.ts", () => ({ ed25519Module: undefined }));

describe("Ed25519 without the module", () => {
  it("judges any odd key and R as noble does", async () => {
    const seen = { true: 0, false: 0 };
    await fc.assert(
      fc.asyncProperty(anyOddSignature, async ({ signature, key }) => {
        const exact = ed25519.verify(signature, message, key, { zip215: false });
        const item = { signature, message, publicKey: key };
        expect(ed25519Verify(signature, message, key)).toBe(exact);
        expect(await ed25519VerifyAsync(signature, message, key)).toBe(exact);
        expect(ed25519VerifyMany([item, item])).toEqual([exact, exact]);
        seen[`${exact}`]++;
      }),
      { numRuns: 300 },
    );
    expect(Math.min(seen.true, seen.false)).toBeGreaterThan(20);
  });

  it("takes honest signatures", () => {
    const { sign, publicKey } = ed25519Signer(new Uint8Array(32).fill(3));
    expect(ed25519Verify(sign(message), message, publicKey)).toBe(true);
  });
});
