/** Licenses without evidence of a party whose key no one holds: a person at each of enough holders has them issued. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ObjectType, OrderAction } from "../../../firmware/protocol/claims.ts";
import { addSignatureAsync } from "../../../host/keys/signer.ts";
import { objectAad } from "../../../host/objects/aad.ts";
import { decodeLicense, encodeLicense, verifyLicense } from "../../../host/objects/license.ts";
import { draftSign, parseSign, signingRound } from "../../../host/protocol/cose.ts";
import { contentChecks } from "../../../host/service/checks/content.ts";
import type { FrostShareRequest, SignedAnswer } from "../../../host/service/service.ts";
import { fsck } from "../../../host/store/fsck.ts";
import { type FakeGovernor, PARTY_SIGNERS } from "../fake-governor.ts";
import { embedded } from "../store/engines.ts";
import { FrostSite } from "./frost-site.ts";
import { asyncSigner, codeOf, REQUEST, whole } from "./world.ts";

const AAD = objectAad(ObjectType.LICENSE);

let site: FrostSite;
let device: FakeGovernor;
beforeEach(async () => {
  site = await FrostSite.open(embedded.place, { offline: true });
  device = await site.enrolled("device");
});
afterEach(() => site.close());

const at = (holder: number) => site.world(holder).service;

/** A person at a holder has it issued; with a draft, the one of another holder. */
const issued = (holder: number, draft?: Uint8Array) =>
  at(holder).offlineLicense({ ueids: [device.ueid], terms: REQUEST, ...(draft && { draft }) });

function draftOf(answer: SignedAnswer): Uint8Array {
  if (answer.complete) throw new Error("one holder was enough");
  return answer.draft;
}

/** What a verifier that holds the first share would ask the second holder. */
async function asked(draft: Uint8Array, change: Partial<FrostShareRequest> = {}): Promise<FrostShareRequest> {
  const { toBeSigned: message } = signingRound(draft, AAD);
  const commitments = [await site.holders[0]!.commit(), await at(2).frostCommitment(site.group.kid)];
  return { group: site.group.kid, purpose: "offline", draft, message, commitments, ...change } as FrostShareRequest;
}

const share = (request: FrostShareRequest) => codeOf(at(2).frostShare(request));

describe("a license without evidence", () => {
  it("is signed by a group once people of two holders had it issued", async () => {
    const first = await issued(1);
    expect(first).toMatchObject({ complete: false, have: 0, need: 1 });
    const bytes = whole(await issued(3, draftOf(first)));
    expect(verifyLicense(bytes, site.world(1).agreement)).toMatchObject({ ueid: device.ueid, sequence: 1n });
    expect(parseSign(bytes).signatures.map(({ kid }) => kid)).toEqual([site.group.kid]);
    // At the first it is whole when it is brought there, as any license that others completed.
    await at(1).importLicense(bytes);
    for (const holder of [1, 3]) {
      const [row] = await site.world(holder).store.db.selectFrom("licenses").select("bytes").execute();
      expect(row!.bytes).toEqual(bytes);
      const found = [];
      for await (const finding of fsck(site.world(holder).store, contentChecks())) found.push(finding);
      expect(found).toEqual([]);
    }
  });

  it("is asked for anew by the same draft, and counted once", async () => {
    const draft = draftOf(await issued(1));
    site.away.add(1);
    expect(await issued(2, draft)).toMatchObject({ complete: false, have: 0 });
    const { items } = await at(2).audit({});
    expect(items[0]).toMatchObject({ action: "frost.gather", outcome: "keys/frost-members" });
    expect(items[0]!.detail).toMatch(/holder 1: client\/connect.*holder 3: frost\/approval/);
    site.away.clear();
    const bytes = whole(await issued(2, draft));
    expect(await issued(2, draft)).toMatchObject({ complete: true });
    expect(await issued(2, bytes)).toMatchObject({ complete: true, bytes, repeated: true });
    expect(await at(2).device(device.ueid)).toMatchObject({ licenseSequence: 1n });
    expect(await site.world(2).store.db.selectFrom("licenses").selectAll().execute()).toHaveLength(1);
  });
});

describe("a holder gives no share of a license without evidence", () => {
  it("that nobody had issued there, whoever else did", async () => {
    const draft = draftOf(await issued(1));
    expect(await share(await asked(draft))).toBe("frost/approval");
    expect((await at(2).device(device.ueid)).licenseSequence).toBe(0n);
  });

  it("that is another of the same sequence, or one that it issued on evidence", async () => {
    const draft = draftOf(await issued(1));
    await issued(2, draft);
    const license = decodeLicense(parseSign(draft).payload);
    const other = draftSign(encodeLicense({ ...license, expirySeconds: license.expirySeconds - 1 }));
    expect(await share(await asked(other))).toBe("frost/approval");
    expect(await codeOf(issued(2, other))).toBe("license/signed-already");
    device = await site.enrolled("another");
    const answered = whole(await at(2).license({ ...(await site.evidence(device)), terms: REQUEST }));
    expect(await share(await asked(draftSign(parseSign(answered).payload)))).toBe("frost/approval");
  });

  it("of a message that is not what the license is signed by, or twice by one commitment", async () => {
    const draft = draftOf(await issued(1));
    site.away.add(1);
    await issued(2, draft);
    const order = signingRound(draft, objectAad(ObjectType.ORDER)).toBeSigned;
    expect(await share(await asked(draft, { message: order }))).toBe("frost/context");
    expect(await share(await asked(Uint8Array.from(draft), { draft: Uint8Array.of(1) }))).toBe("license/draft");
    const request = await asked(draft);
    expect(await share(request)).toBeUndefined();
    expect(await share(request)).toBe("frost/commitment");
  });

  it("while a pause is in force, after it expired, or to a device that is suspended", async () => {
    const draft = draftOf(await issued(1));
    site.away.add(1);
    await issued(2, draft);
    await at(2).changeDevice(device.ueid, { status: "suspended" });
    expect(await share(await asked(draft))).toBe("device/suspended");
    await at(2).changeDevice(device.ueid, { status: "active" });
    const world = site.world(2);
    world.nowMs += 600_000;
    expect(await share(await asked(draft))).toBe("license/draft");
    world.nowMs -= 600_000;
    expect(await share(await asked(draft))).toBeUndefined();
    const pause = await at(2).proposeOrder({ action: OrderAction.PAUSE });
    const south = asyncSigner(PARTY_SIGNERS[1]!);
    await at(2).importOrder(await addSignatureAsync(pause.bytes, south, objectAad(ObjectType.ORDER)));
    expect(await share(await asked(draft))).toBe("license/draft");
  });
});
