import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ObjectType } from "../../../firmware/protocol/claims.ts";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { dealShares } from "../../../host/keys/frost-group.ts";
import { objectAad } from "../../../host/objects/aad.ts";
import { decodeLicense, encodeLicense, verifyLicense } from "../../../host/objects/license.ts";
import { combinedNonce } from "../../../host/objects/nonces.ts";
import { decodeRecovery } from "../../../host/objects/recovery.ts";
import { draftSign, parseSign, signingRound, verifyQuorum } from "../../../host/protocol/cose.ts";
import type { FrostShareRequest } from "../../../host/service/service.ts";
import { BF16, type FakeGovernor, signerOf } from "../fake-governor.ts";
import { embedded } from "../store/engines.ts";
import { FrostSite } from "./frost-site.ts";
import { codeOf, REQUEST, whole } from "./world.ts";

let site: FrostSite;
let drawn = 0;
let device: FakeGovernor;
beforeAll(async () => {
  site = await FrostSite.open(embedded.place);
});
afterAll(() => site.close());

const enrolled = async () => {
  device = await site.enrolled(`device ${drawn++}`);
  return device;
};

async function licensed(holder: number) {
  const given = await site.evidence(await enrolled());
  return { ...given, answer: await site.world(holder).service.license({ ...given, terms: REQUEST }) };
}

/** Does something while holders sign only what is next to nothing. */
async function objecting<T>(holders: readonly number[], work: () => Promise<T>): Promise<T> {
  const before = holders.map((holder) => site.world(holder).settings);
  for (const holder of holders) {
    const world = site.world(holder);
    world.settings = { ...world.settings, policy: { ...world.settings.policy, budgetMax: new Map([[BF16, 1n]]) } };
  }
  try {
    return await work();
  } finally {
    holders.forEach((holder, i) => {
      site.world(holder).settings = before[i]!;
    });
  }
}

/** What the second holder was asked for a license, which a test may ask again with its own turns. */
async function asked(): Promise<FrostShareRequest> {
  const { answer } = await licensed(1);
  whole(answer);
  const { request } = site.asked.findLast(({ holder }) => holder === 2)!;
  return request;
}

/** The same with commitments that are new. */
async function anew(request: FrostShareRequest, change: object = {}): Promise<FrostShareRequest> {
  const commitments = [await site.holders[0]!.commit(), await site.world(2).service.frostCommitment(site.group.kid)];
  return { ...request, commitments, ...change };
}

const share = (request: FrostShareRequest) => codeOf(site.world(2).service.frostShare(request));

describe("a party whose key no one holds", () => {
  it.each([1, 2, 3])("signs a license by one plain signature, whichever holder is asked (%i)", async (holder) => {
    const { answer, evidence, nonces } = await licensed(holder);
    const license = verifyLicense(whole(answer), site.world(1).agreement);
    expect(license).toMatchObject({ ueid: device.ueid, sequence: 1n, nonce: device.challenge });
    expect(parseSign(whole(answer)).signatures.map(({ kid }) => kid)).toEqual([site.group.kid]);
    const again = await site.world(holder).service.license({ evidence, nonces, terms: REQUEST });
    expect(again).toMatchObject({ repeated: true, bytes: whole(answer) });
  });

  it("is here, to agents, where its signature can be had", async () => {
    const { parties } = await site.world(2).service.about();
    expect(parties.map(({ name, here }) => [name, here])).toEqual([
      ["group", true],
      ["south", false],
      ["inspectorate", false],
    ]);
  });

  it("signs for many devices at once, at all holders", async () => {
    const given = [];
    for (let i = 0; i < 12; i++) given.push(await site.evidence(await enrolled()));
    const answers = await Promise.all(
      given.map((one, i) => site.world(1 + (i % 3)).service.license({ ...one, terms: REQUEST })),
    );
    for (const answer of answers) verifyLicense(whole(answer), site.world(1).agreement);
  });

  it("signs by the other two where one holder's policy objects, and that one writes no license down", async () => {
    const { answer } = await objecting([2], () => licensed(1));
    verifyLicense(whole(answer), site.world(1).agreement);
    expect((await site.world(2).service.device(device.ueid)).licenseSequence).toBe(0n);
    expect((await site.world(3).service.device(device.ueid)).licenseSequence).toBe(1n);
  });

  it("does not sign where two object; who refused is in the trail, and the same evidence may be tried again", async () => {
    const { answer, ...given } = await objecting([2, 3], () => licensed(1));
    expect(answer).toMatchObject({ complete: false, have: 0, need: 1 });
    const { items } = await site.world(1).service.audit({});
    expect(items[0]).toMatchObject({ action: "frost.gather", outcome: "keys/frost-members" });
    expect(items[0]!.detail).toMatch(/holder 2: license\/policy.*holder 3: license\/policy/);
    const later = await site.world(1).service.license({ ...given, terms: REQUEST });
    expect(later).toMatchObject({ complete: true, repeated: false });
    verifyLicense(whole(later), site.world(1).agreement);
  });

  it("signs a recovery too", async () => {
    const locked = await enrolled();
    const nonces: Uint8Array[] = [];
    for (const { service } of site.worlds) nonces.push((await service.nonce(locked.ueid)).nonce);
    const state = { gateState: GateState.LOCKED, lastCode: ErrorCode.JOURNAL_ROLLBACK };
    const evidence = locked.evidence({ nonce: combinedNonce(nonces), ...state });
    const answer = await site.world(3).service.recovery({ evidence, nonces });
    // It takes two parties, of which the group is one.
    if (answer.complete) throw new Error("one party was enough");
    expect(answer).toMatchObject({ have: 1, need: 2 });
    const { payload } = verifyQuorum(answer.draft, [site.group], 1, objectAad(ObjectType.RECOVERY));
    expect(decodeRecovery(payload).ueid).toEqual(locked.ueid);
  });
});

describe("a holder gives no share", () => {
  it("of a message that is not what the judged license is signed by", async () => {
    const request = await asked();
    expect(await share(await anew(request))).toBeUndefined();
    const order = signingRound(request.draft, objectAad(ObjectType.ORDER)).toBeSigned;
    expect(await share(await anew(request, { message: order }))).toBe("frost/context");
    const message = Uint8Array.from(request.message);
    message[message.length - 1]! ^= 1;
    expect(await share(await anew(request, { message }))).toBe("frost/context");
  });

  it("of another license on the same evidence", async () => {
    const request = await asked();
    const license = decodeLicense(parseSign(request.draft).payload);
    const draft = draftSign(encodeLicense({ ...license, expirySeconds: license.expirySeconds - 1 }));
    const message = signingRound(draft, objectAad(ObjectType.LICENSE)).toBeSigned;
    expect(await share(await anew(request, { draft, message }))).toBe("license/signed-already");
  });

  it("without evidence, on another device's evidence, or on evidence without its own nonce", async () => {
    const request = await asked();
    expect(await share(await anew(request, { evidence: new Uint8Array(0) }))).toBe("evidence/malformed");
    const other = await site.evidence(await enrolled());
    expect(await share(await anew(request, other))).toBe("license/draft");
    const { nonce } = await site.world(1).service.nonce(device.ueid);
    const foreign = { evidence: device.evidence({ nonce: combinedNonce([nonce]) }), nonces: [nonce] };
    expect(await share(await anew(request, foreign))).toBe("evidence/nonce-unknown");
  });

  it("twice by one commitment, or by one of another holder", async () => {
    const request = await anew(await asked());
    expect(await share(request)).toBeUndefined();
    expect(await share(request)).toBe("frost/commitment");
    const theirs = [await site.holders[0]!.commit(), await site.holders[2]!.commit()];
    expect(await share({ ...request, commitments: theirs })).toBe("frost/commitment");
    expect(await share(await anew(request, { commitments: theirs.slice(1) }))).toBe("frost/commitments");
  });

  it("of a group that it is no holder of", async () => {
    const { group } = dealShares(2, 3);
    expect(await share(await anew(await asked(), { group: group.kid }))).toBe("frost/group");
    expect(await share(await anew(await asked(), { group: signerOf("south").kid }))).toBe("frost/group");
  });
});
