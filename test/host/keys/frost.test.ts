import { ed25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aggregate, FrostHolder, frostSigner } from "../../../host/keys/frost.ts";
import { dealShares, type FrostGroup, FrostKeygen, groupOf, identifierOf } from "../../../host/keys/frost-group.ts";
import { aadOf } from "../../../host/keys/sign-type.ts";
import { addSignatureAsync } from "../../../host/keys/signer.ts";
import { ed25519Verify, keyId, verifyQuorum } from "../../../host/protocol/cose.ts";
import { sharedIsHere, sharedJson } from "../../shared.ts";
import { codeOf } from "./folder.ts";
import { draftOf } from "./objects.ts";

const message = new TextEncoder().encode("message");

function dealt(threshold: number, count: number) {
  const { group, shares } = dealShares(threshold, count);
  return { group, holders: shares.map((share) => new FrostHolder(group, share)) };
}

/** Both rounds by these holders, up to the shares. */
async function rounds(holders: readonly FrostHolder[]) {
  const commitments = await Promise.all(holders.map((holder) => holder.commit()));
  const shares = new Map<number, Uint8Array>();
  for (const holder of holders) shares.set(holder.holder, await holder.sign(message, commitments));
  return { commitments, shares };
}

function generated(threshold: number, count: number) {
  const makers = Array.from({ length: count }, (_, i) => new FrostKeygen(i + 1, threshold, count));
  const othersOf = ({ holder }: FrostKeygen) => makers.filter((other) => other.holder !== holder);
  const sent = new Map(
    makers.map((maker) => [maker.holder, maker.sharesFor(othersOf(maker).map(({ opening }) => opening))] as const),
  );
  const receivedBy = (maker: FrostKeygen) =>
    new Map(othersOf(maker).map(({ holder }) => [holder, sent.get(holder)!.get(maker.holder)!]));
  return { makers, sent, receivedBy };
}

describe("a group key", () => {
  it("signs by any holders that are enough, and the signature is a plain one", async () => {
    const size = fc
      .integer({ min: 2, max: 8 })
      .chain((count) => fc.tuple(fc.integer({ min: 2, max: count }), fc.constant(count)));
    await fc.assert(
      fc.asyncProperty(size, fc.infiniteStream(fc.nat()), async ([threshold, count], order) => {
        const { group, holders } = dealt(threshold, count);
        const mixed = holders.map((holder) => ({ holder, key: order.next().value as number }));
        const chosen = mixed.sort((a, b) => a.key - b.key).slice(0, threshold);
        const { commitments, shares } = await rounds(chosen.map(({ holder }) => holder));
        const signature = aggregate(group, message, commitments, shares);
        expect(ed25519Verify(signature, message, group.publicKey)).toBe(true);
        expect(group.kid).toEqual(keyId(group.publicKey));
      }),
      { numRuns: 5 },
    );
  });

  it("signs a draft as a party among others do", async () => {
    const { group, holders } = dealt(2, 3);
    const signer = frostSigner(group, holders.slice(1));
    const signed = await addSignatureAsync(draftOf("order", []), signer, aadOf("order"));
    expect(verifyQuorum(signed, [group], 1, aadOf("order")).signers).toEqual([0]);
  });

  it("signs many things at once", async () => {
    const { group, holders } = dealt(2, 2);
    const signer = frostSigner(group, holders);
    const messages = Array.from({ length: 10 }, (_, i) => Uint8Array.of(i));
    const signatures = await Promise.all(messages.map((each) => signer.sign(each)));
    signatures.forEach((signature, i) => {
      expect(ed25519Verify(signature, messages[i]!, group.publicKey)).toBe(true);
    });
  });

  it("has 2 to 8 holders, of whom at least 2 sign", async () => {
    for (const [threshold, count] of [
      [1, 3],
      [4, 3],
      [2, 9],
      [1.5, 3],
      [2, 1],
    ] as const) {
      expect(await codeOf(() => dealShares(threshold, count))).toBe("keys/frost-group");
      expect(await codeOf(() => new FrostKeygen(1, threshold, count))).toBe("keys/frost-group");
    }
    expect(await codeOf(() => new FrostKeygen(4, 2, 3))).toBe("keys/frost-group");
    const { group, holders } = dealt(2, 3);
    expect(await codeOf(() => frostSigner(group, holders.slice(2)))).toBe("keys/frost-group");
  });

  it("takes no share of another group", async () => {
    const { group } = dealShares(2, 3);
    const { shares } = dealShares(2, 3);
    expect(await codeOf(() => new FrostHolder(group, shares[0]!))).toBe("keys/frost-share");
  });
});

describe("a nonce", () => {
  it("makes one share and no second, of the same message or another", async () => {
    const { holders } = dealt(2, 3);
    const [a, b] = holders as [FrostHolder, FrostHolder];
    const commitments = [await a.commit(), await b.commit()];
    await a.sign(message, commitments);
    expect(await codeOf(() => a.sign(message, commitments))).toBe("keys/frost-nonce");
    expect(await codeOf(() => a.sign(Uint8Array.of(1), commitments))).toBe("keys/frost-nonce");
  });

  it("is used up by a round that fails", async () => {
    const { holders } = dealt(2, 3);
    const [a, b] = holders as [FrostHolder, FrostHolder];
    const commitments = [await a.commit(), await b.commit()];
    const noPoint = { ...commitments[1]!, hiding: new Uint8Array(32).fill(0xff) };
    expect(await codeOf(() => a.sign(message, [commitments[0]!, noPoint]))).toBe("keys/frost-commitments");
    expect(await codeOf(() => a.sign(message, commitments))).toBe("keys/frost-nonce");
  });

  it("is another each time, and waits for its message only so long", async () => {
    const { holders } = dealt(2, 2);
    const [a, b] = holders as [FrostHolder, FrostHolder];
    const first = await a.commit();
    for (let i = 0; i < 64; i++) expect(await a.commit()).not.toEqual(first);
    expect(await codeOf(async () => a.sign(message, [first, await b.commit()]))).toBe("keys/frost-nonce");
  });

  it("is not to be had by another holder's commitment, or by none", async () => {
    const { holders } = dealt(2, 3);
    const [a, b, c] = holders as [FrostHolder, FrostHolder, FrostHolder];
    const others = [await b.commit(), await c.commit()];
    expect(await codeOf(() => a.sign(message, others))).toBe("keys/frost-nonce");
    const renamed = [{ ...others[0]!, holder: a.holder }, others[1]!];
    expect(await codeOf(() => a.sign(message, renamed))).toBe("keys/frost-nonce");
  });
});

describe("commitments and shares", () => {
  it.each<[string, (commitments: Awaited<ReturnType<FrostHolder["commit"]>>[]) => typeof commitments]>([
    ["too few", (all) => all.slice(1)],
    ["twice the same holder", (all) => [all[0]!, all[0]!]],
    ["a holder that is none", (all) => [all[0]!, { ...all[1]!, holder: 4 }]],
    ["half a point", (all) => [all[0]!, { ...all[1]!, binding: all[1]!.binding.slice(16) }]],
  ])("with %s are refused in both rounds", async (_what, change) => {
    const { group, holders } = dealt(2, 3);
    const { commitments, shares } = await rounds(holders.slice(0, 2));
    const changed = change(commitments);
    expect(await codeOf(() => holders[0]!.sign(message, changed))).toBe("keys/frost-commitments");
    expect(await codeOf(() => aggregate(group, message, changed, shares))).toBe("keys/frost-commitments");
  });

  it("that do not hold are refused by their holder's number", async () => {
    const { group, holders } = dealt(2, 3);
    const { commitments, shares } = await rounds(holders.slice(1));
    const bad = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(0xff), new Uint8Array(31), undefined];
    for (const share of bad) {
      const changed = new Map(shares);
      if (share) changed.set(3, share);
      else changed.delete(3);
      expect(() => aggregate(group, message, commitments, changed)).toThrowError(
        expect.objectContaining({ code: "keys/frost-share", detail: "holder 3" }),
      );
    }
    const other = Uint8Array.of(1);
    expect(await codeOf(() => aggregate(group, other, commitments, shares))).toBe("keys/frost-share");
  });
});

describe("a key that is made without a dealer", () => {
  it("is one group for all holders, and signs", async () => {
    const { makers, receivedBy } = generated(2, 3);
    const finished = makers.map((maker) => maker.finish(receivedBy(maker)));
    const groups = finished.map(({ group }) => group);
    for (const group of groups) expect(group).toEqual(groups[0]);
    const holders = finished.slice(1).map(({ group, share }) => new FrostHolder(group, share));
    const signature = await frostSigner(groups[0]!, holders).sign(message);
    expect(ed25519Verify(signature, message, groups[0]!.publicKey)).toBe(true);
  });

  it("refuses a share that the openings belie", async () => {
    const { makers, receivedBy } = generated(2, 3);
    const received = receivedBy(makers[0]!).set(2, new Uint8Array(32).fill(1));
    expect(await codeOf(() => makers[0]!.finish(received))).toBe("keys/frost-share");
  });

  it("refuses openings whose holder does not know its own secret", async () => {
    const [a, b, c] = [1, 2, 3].map((holder) => new FrostKeygen(holder, 2, 3)) as [
      FrostKeygen,
      FrostKeygen,
      FrostKeygen,
    ];
    const stolen = { ...b.opening, proofOfKnowledge: c.opening.proofOfKnowledge };
    expect(await codeOf(() => a.sharesFor([stolen, c.opening]))).toBe("keys/frost-share");
    expect(await codeOf(() => a.sharesFor([b.opening]))).toBe("keys/frost-share");
  });

  it("is made in its steps, each once", async () => {
    const { makers, receivedBy } = generated(2, 2);
    const [a, b] = makers as [FrostKeygen, FrostKeygen];
    expect(await codeOf(() => new FrostKeygen(1, 2, 2).finish(new Map()))).toBe("keys/frost-step");
    expect(await codeOf(() => a.sharesFor([b.opening]))).toBe("keys/frost-step");
    a.finish(receivedBy(a));
    expect(await codeOf(() => a.finish(receivedBy(a)))).toBe("keys/frost-step");
  });
});

type Vector = {
  inputs: {
    group_secret_key: string;
    verifying_key_key: string;
    message: string;
    share_polynomial_coefficients: [string];
    participant_shares: { identifier: number; participant_share: string }[];
  };
  round_one_outputs: { outputs: Record<string, string>[] };
  round_two_outputs: { outputs: { identifier: number; sig_share: string }[] };
  final_output: { sig: string };
};

describe.runIf(sharedIsHere)("the vector of RFC 9591, appendix E.1", () => {
  const hex = (text: string) => new Uint8Array(Buffer.from(text, "hex"));
  const point = (scalar: Uint8Array) =>
    new Uint8Array(ed25519.Point.BASE.multiply(ed25519.Point.Fn.fromBytes(scalar)).toBytes());

  it("comes out byte by byte: commitments, shares, signature", async () => {
    const vector = sharedJson<Vector>("vectors/frost/frost_ed25519.json");
    const { inputs, round_one_outputs: one, round_two_outputs: two, final_output: final } = vector;
    const shares = inputs.participant_shares.map(({ identifier, participant_share }) => ({
      holder: identifier,
      secret: hex(participant_share),
    }));
    const group: FrostGroup = groupOf({
      signers: { min: 2, max: 3 },
      commitments: [inputs.group_secret_key, ...inputs.share_polynomial_coefficients].map((text) => point(hex(text))),
      verifyingShares: Object.fromEntries(shares.map(({ holder, secret }) => [identifierOf(holder), point(secret)])),
    });
    expect(group.publicKey).toEqual(hex(inputs.verifying_key_key));
    const holders = one.outputs.map((output) => {
      const random = [output.hiding_nonce_randomness!, output.binding_nonce_randomness!].map(hex);
      return new FrostHolder(group, shares[Number(output.identifier) - 1]!, () => random.shift()!);
    });
    const commitments = await Promise.all(holders.map((holder) => holder.commit()));
    expect(commitments).toEqual(
      one.outputs.map((output) => ({
        holder: output.identifier,
        hiding: hex(output.hiding_nonce_commitment!),
        binding: hex(output.binding_nonce_commitment!),
      })),
    );
    const signed = new Map<number, Uint8Array>();
    for (const holder of holders) signed.set(holder.holder, await holder.sign(hex(inputs.message), commitments));
    expect([...signed]).toEqual(two.outputs.map(({ identifier, sig_share }) => [identifier, hex(sig_share)]));
    const signature = aggregate(group, hex(inputs.message), commitments, signed);
    expect(signature).toEqual(hex(final.sig));
  });
});
