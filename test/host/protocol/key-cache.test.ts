/** Public keys are kept, so that what a party or a busy device signs does not cost the making of its key again. */
import { createPublicKey, type KeyObject } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { ed25519Signer, ed25519VerifyAsync } from "../../../host/protocol/cose-key.ts";
import { KEYS_MAX, KeyCache } from "../../../host/protocol/key-cache.ts";

vi.mock("node:crypto", async (original) => {
  const crypto = await original<typeof import("node:crypto")>();
  return { ...crypto, createPublicKey: vi.fn(crypto.createPublicKey) };
});

const text = new Uint8Array(3);
const signerOf = (fill: number) => ed25519Signer(new Uint8Array(32).fill(fill));

/** How many public keys `act` had made. */
async function made(act: () => unknown): Promise<number> {
  vi.mocked(createPublicKey).mockClear();
  await act();
  return vi.mocked(createPublicKey).mock.calls.length;
}

describe("the key of a signature", () => {
  it("that holds is made once", async () => {
    const { publicKey, sign } = signerOf(1);
    const signature = sign(text);
    expect(await made(() => ed25519VerifyAsync(signature, text, publicKey))).toBe(1);
    expect(await made(() => ed25519VerifyAsync(signature, text, publicKey))).toBe(0);
  });

  it("that does not hold is not kept: who cannot sign cannot drive other keys out", async () => {
    const [{ publicKey }, { sign }] = [signerOf(2), signerOf(3)];
    const bad = sign(text);
    for (let i = 0; i < 3; i++) expect(await made(() => ed25519VerifyAsync(bad, text, publicKey))).toBe(1);
  });

  it("is not even made where the bytes alone show that nothing can hold", async () => {
    const { publicKey, sign } = signerOf(4);
    const high = sign(text);
    high[63] = 0xff;
    expect(await made(() => ed25519VerifyAsync(high, text, publicKey))).toBe(0);
    expect(await made(() => ed25519VerifyAsync(sign(text), text, new Uint8Array(32)))).toBe(0);
  });
});

describe("the cache", () => {
  const keyOf = (i: number) => Uint8Array.of(i & 255, (i >> 8) & 255, i >> 16);
  const standIn = {} as KeyObject;

  it("is bounded: the key that was used the longest time ago goes first", () => {
    const asked: number[] = [];
    const cache = new KeyCache((publicKey) => {
      asked.push(publicKey[0]! | (publicKey[1]! << 8) | (publicKey[2]! << 16));
      return standIn;
    });
    const use = (i: number) => cache.keep(keyOf(i), cache.get(keyOf(i)));
    for (let i = 0; i < KEYS_MAX; i++) use(i);
    use(0);
    use(KEYS_MAX);
    expect(asked).toHaveLength(KEYS_MAX + 1);
    use(0);
    use(2);
    expect(asked).toHaveLength(KEYS_MAX + 1);
    use(1);
    expect(asked.at(-1)).toBe(1);
  });
});
