import { describe, expect, it } from "vitest";
import { frostSigner } from "../../../host/keys/frost.ts";
import { decodeGroup, encodeGroup, openShare, sealShare } from "../../../host/keys/frost-file.ts";
import { dealShares } from "../../../host/keys/frost-group.ts";
import { openKey } from "../../../host/keys/key-file.ts";
import { ed25519Verify } from "../../../host/protocol/cose.ts";
import { codeOf } from "./folder.ts";

const passphrase = new TextEncoder().encode("a long passphrase");
const cost = { logN: 10, r: 8, p: 1 };
const message = new TextEncoder().encode("message");

describe("the files of a group", () => {
  it("are all that its holders need to sign", async () => {
    const { group: dealt, shares } = dealShares(2, 3);
    const group = decodeGroup(encodeGroup(dealt));
    expect(group).toEqual(dealt);
    const holders = [];
    for (const share of shares)
      holders.push(await openShare(group, await sealShare(group, share, passphrase, cost), passphrase));
    expect(holders.map(({ holder }) => holder)).toEqual([1, 2, 3]);
    const signature = await frostSigner(group, holders.slice(1)).sign(message);
    expect(ed25519Verify(signature, message, group.publicKey)).toBe(true);
  });

  it("are refused cut, padded, with a byte changed, or of another group", async () => {
    const { group, shares } = dealShares(2, 3);
    const bytes = encodeGroup(group);
    for (const bad of [bytes.slice(1), bytes.slice(0, -1), Uint8Array.of(...bytes, 0), new Uint8Array(2000)]) {
      expect(await codeOf(() => decodeGroup(bad))).toBe("keys/frost-group");
    }
    const sealed = await sealShare(group, shares[0]!, passphrase, cost);
    const other = dealShares(2, 3).group;
    expect(await codeOf(() => openShare(other, sealed, passphrase))).toBe("keys/frost-share");
    expect(await codeOf(() => openShare(group, sealed, message))).toBe("keys/passphrase");
    const stray = await sealShare(group, { holder: 1, secret: new Uint8Array(32).fill(1) }, passphrase, cost);
    expect(await codeOf(() => openShare(group, stray, passphrase))).toBe("keys/frost-share");
  });

  it("serve as no key of a party", async () => {
    const { group, shares } = dealShares(2, 3);
    const sealed = await sealShare(group, shares[0]!, passphrase, cost);
    expect(await codeOf(() => openKey(sealed, passphrase))).toBe("keys/corrupt");
  });
});

describe("a signer of a group", () => {
  const dealt = () => {
    const { group, shares } = dealShares(2, 3);
    return { group, shares };
  };

  it("does without a holder that sends a share or a commitment that does not hold", async () => {
    const { group, shares } = dealt();
    const open = async () => {
      const holders = [];
      for (const share of shares)
        holders.push(await openShare(group, await sealShare(group, share, passphrase, cost), passphrase));
      return holders;
    };
    const [a, b, c] = await open();
    const liar = { holder: 1, commit: () => a!.commit(), sign: async () => new Uint8Array(32).fill(1) };
    const noPoint = {
      holder: 1,
      commit: async () => ({ ...(await a!.commit()), hiding: new Uint8Array(32).fill(0xff) }),
      sign: a!.sign.bind(a!),
    };
    const double = { holder: 1, commit: () => b!.commit(), sign: b!.sign.bind(b!) };
    for (const bad of [liar, noPoint, double]) {
      const signature = await frostSigner(group, [bad, b!, c!]).sign(message);
      expect(ed25519Verify(signature, message, group.publicKey)).toBe(true);
      await expect(frostSigner(group, [bad, b!]).sign(message)).rejects.toMatchObject({ code: "keys/frost-members" });
    }
  });

  it("hides no fault of a program behind a holder's refusal", async () => {
    const { group } = dealt();
    const broken = (holder: number) => ({
      holder,
      commit: () => Promise.reject(new TypeError("broken")),
      sign: async () => message,
    });
    await expect(frostSigner(group, [broken(1), broken(2)]).sign(message)).rejects.toThrow(TypeError);
  });
});
