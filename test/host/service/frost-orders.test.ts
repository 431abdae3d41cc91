/** Orders of a party whose key no one holds: people approve at each holder, and a holder signs one order of an epoch. */
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ObjectType, OrderAction } from "../../../firmware/protocol/claims.ts";
import { addSignatureAsync } from "../../../host/keys/signer.ts";
import { objectAad } from "../../../host/objects/aad.ts";
import { verifyOrder } from "../../../host/objects/order.ts";
import { parseSign, signingRound, verifyQuorum } from "../../../host/protocol/cose.ts";
import { drafts } from "../../../host/service/checks/drafts.ts";
import type { DraftView, FrostShareRequest } from "../../../host/service/service.ts";
import { fsck } from "../../../host/store/fsck.ts";
import type { OrderRequest } from "../../../host/verifier/order-book.ts";
import { PARTY_SIGNERS } from "../fake-governor.ts";
import { embedded } from "../store/engines.ts";
import { FrostSite } from "./frost-site.ts";
import { asyncSigner, codeOf } from "./world.ts";

const AAD = objectAad(ObjectType.ORDER);
const SOUTH = asyncSigner(PARTY_SIGNERS[1]!);
const PAUSE = { action: OrderAction.PAUSE };
const RESUME = { action: OrderAction.RESUME };
const SLOW = { action: OrderAction.SLOW, permille: 500 };

let site: FrostSite;
beforeEach(async () => {
  site = await FrostSite.open(embedded.place);
});
afterEach(() => site.close());

const at = (holder: number) => site.world(holder).service;

/** Drafted at the first holder, and brought to the others: its draft at each of them. */
async function drafted(request: OrderRequest): Promise<DraftView[]> {
  const first = await at(1).proposeOrder(request);
  return [first, await at(2).importOrder(first.bytes), await at(3).importOrder(first.bytes)];
}

/** A person approves it for the group at a holder. */
const approve = (holder: number, views: readonly DraftView[]) =>
  at(holder).approveOrder(views[holder - 1]!.id, "group");

/** What a verifier that holds the first share would ask the second holder. */
async function asked(draft: Uint8Array, change: Partial<FrostShareRequest> = {}): Promise<FrostShareRequest> {
  const { toBeSigned: message } = signingRound(draft, AAD);
  const commitments = [await site.holders[0]!.commit(), await at(2).frostCommitment(site.group.kid)];
  return { group: site.group.kid, purpose: "order", draft, message, commitments, ...change } as FrostShareRequest;
}

const share = (request: FrostShareRequest) => codeOf(at(2).frostShare(request));

async function findings(holder: number) {
  const found = [];
  for await (const finding of fsck(site.world(holder).store, [drafts])) found.push(finding.message);
  return found;
}

describe("an order of a group", () => {
  it.each([
    [1, 2],
    [3, 1],
    [2, 3],
  ])("is signed once people of two holders have approved it (%i, then %i)", async (first, last) => {
    const views = await drafted(PAUSE);
    expect(await approve(first, views)).toMatchObject({ active: false, approvals: [], awaiting: ["group"] });
    const paused = await approve(last, views);
    expect(paused).toMatchObject({ active: true, approvals: ["group"], awaiting: [] });
    verifyOrder(paused.bytes, site.world(1).agreement, 1);
    expect(parseSign(paused.bytes).signatures.map(({ kid }) => kid)).toEqual([site.group.kid]);
    expect((await at(last).ordersAfter(0)).map(({ epoch }) => epoch)).toEqual([1]);
    expect(await at(first).importOrder(paused.bytes)).toMatchObject({ active: true, approvals: ["group"] });
    for (const holder of [1, 2, 3]) expect(await findings(holder)).toEqual([]);
  });

  it("says in the trail who gave no share and why, and is asked for anew by the same approval", async () => {
    const views = await drafted(PAUSE);
    await approve(1, views);
    site.away.add(1);
    expect(await approve(2, views)).toMatchObject({ active: false, awaiting: ["group"] });
    const { items } = await at(2).audit({});
    expect(items[0]).toMatchObject({ action: "frost.gather", outcome: "keys/frost-members" });
    expect(items[0]!.detail).toMatch(/holder 1: client\/connect.*holder 3: frost\/approval/);
    site.away.clear();
    expect(await approve(2, views)).toMatchObject({ active: true, approvals: ["group"] });
  });

  it("keeps its approvals when a verifier starts again", async () => {
    const views = await drafted(PAUSE);
    await approve(1, views);
    await site.restart(1);
    expect(await at(1).draft(views[0]!.id)).toMatchObject({ awaiting: ["group"] });
    expect(await approve(3, views)).toMatchObject({ active: true });
  });

  it("takes other parties' signatures before or after the group's", async () => {
    const views = await drafted(RESUME);
    await approve(1, views);
    const half = await approve(2, views);
    expect(half).toMatchObject({ active: false, quorum: 2, approvals: ["group"], awaiting: [] });
    const whole = await addSignatureAsync(half.bytes, SOUTH, AAD);
    for (const holder of [1, 2, 3]) expect(await at(holder).importOrder(whole)).toMatchObject({ active: true });

    const next = await drafted(RESUME);
    await approve(1, next);
    // The approval is of the order, whatever signatures a draft of it came with.
    const signed = await at(2).importOrder(await addSignatureAsync(next[0]!.bytes, SOUTH, AAD));
    const resumed = await at(2).approveOrder(signed.id, "group");
    expect(resumed).toMatchObject({ active: true, approvals: ["south", "group"] });
    verifyQuorum(resumed.bytes, site.world(1).agreement.parties, 2, AAD);
  });

  it("is one order wherever it was gathered, when two people approve at the same moment", async () => {
    const views = await drafted(PAUSE);
    await approve(3, views);
    const [one, other] = await Promise.all([approve(1, views), approve(2, views)]);
    expect([one.active, other.active]).toEqual([true, true]);
    expect(parseSign(one.bytes).payload).toEqual(parseSign(other.bytes).payload);
    expect(await at(3).importOrder(one.bytes)).toMatchObject({ active: true });
    expect(await at(3).importOrder(other.bytes)).toMatchObject({ active: true, bytes: one.bytes });
  });

  it("is approved as little as any other once it is signed, active or overtaken", async () => {
    const [resume, pause] = [await drafted(RESUME), await drafted(PAUSE)];
    await approve(1, resume);
    await approve(2, resume);
    expect(await codeOf(approve(2, resume))).toBe("order/signed-already");
    const paused = await addSignatureAsync(pause[0]!.bytes, SOUTH, AAD);
    const { id } = await at(3).importOrder(paused);
    expect(await codeOf(at(3).approveOrder(id, "group"))).toBe("order/active");
    expect(await codeOf(approve(3, resume))).toBe("order/stale");
  });
});

describe("a holder gives no share of an order", () => {
  it("that it has no draft of", async () => {
    const { bytes } = await at(1).proposeOrder(PAUSE);
    expect(await share(await asked(bytes))).toBe("order/unknown");
    expect(await share(await asked(bytes, { draft: Uint8Array.of(1) }))).toBe("order/malformed");
  });

  it("that nobody has approved there, whoever else has", async () => {
    const views = await drafted(PAUSE);
    await approve(1, views);
    await approve(1, views);
    expect(await share(await asked(views[0]!.bytes))).toBe("frost/approval");
    expect(await at(2).draft(views[1]!.id)).toMatchObject({ awaiting: [], approvals: [] });
  });

  it("for the approval of another draft of the same epoch", async () => {
    const [pause, resume] = [await drafted(PAUSE), await drafted(RESUME)];
    await approve(2, resume);
    expect(await share(await asked(pause[0]!.bytes))).toBe("frost/approval");
    expect(await share(await asked(resume[0]!.bytes))).toBeUndefined();
  });

  it("of a message that is not what the approved order is signed by", async () => {
    const [pause, resume] = [await drafted(PAUSE), await drafted(RESUME)];
    await approve(2, resume);
    const draft = resume[0]!.bytes;
    const foreign = [
      signingRound(pause[0]!.bytes, AAD).toBeSigned,
      signingRound(draft, objectAad(ObjectType.LICENSE)).toBeSigned,
      signingRound(draft, AAD).toBeSigned.slice(1),
    ];
    for (const message of foreign) expect(await share(await asked(draft, { message }))).toBe("frost/context");
    const evidence = Uint8Array.of(1);
    const license = { purpose: "license", evidence, message: foreign[1]! } as const;
    expect(await share(await asked(draft, license))).toBe("evidence/malformed");
  });

  it("for a second order of the epoch, though it was approved before, and the verifier started again", async () => {
    const [resume, slow] = [await drafted(RESUME), await drafted(SLOW)];
    await approve(2, resume);
    await approve(2, slow);
    expect(await share(await asked(resume[0]!.bytes))).toBeUndefined();
    await site.restart(2);
    expect(await share(await asked(slow[0]!.bytes))).toBe("frost/epoch");
    expect(await codeOf(approve(2, slow))).toBe("frost/epoch");
    // The same one once more is no second order.
    expect(await share(await asked(resume[0]!.bytes))).toBeUndefined();
  });

  it("for a second order after it gathered the signature on the first", async () => {
    const [resume, slow] = [await drafted(RESUME), await drafted(SLOW)];
    await approve(2, slow);
    await approve(1, resume);
    await approve(2, resume);
    expect(await share(await asked(slow[0]!.bytes))).toBe("frost/epoch");
  });

  it("but may of a pause, whatever it signed before, and of nothing else after it", async () => {
    const [resume, pause] = [await drafted(RESUME), await drafted(PAUSE)];
    const other = await drafted({ ...PAUSE, drainTicks: 1n });
    for (const views of [resume, pause, other]) await approve(2, views);
    expect(await share(await asked(resume[0]!.bytes))).toBeUndefined();
    expect(await share(await asked(pause[0]!.bytes))).toBeUndefined();
    expect(await share(await asked(other[0]!.bytes))).toBe("frost/epoch");
    expect(await share(await asked(resume[0]!.bytes))).toBe("frost/epoch");
    expect(await findings(2)).toEqual([]);
  });

  it("but may for the next epoch, and after an amendment that made the first one void", async () => {
    const first = await drafted(RESUME);
    await approve(2, first);
    expect(await share(await asked(first[0]!.bytes))).toBeUndefined();
    for (const holder of [1, 2, 3]) await site.amend(holder, { name: "amended" });
    expect(await share(await asked(first[0]!.bytes))).toBe("order/stale");
    const second = await drafted(PAUSE);
    await approve(1, second);
    const paused = await approve(2, second);
    expect(paused).toMatchObject({ active: true, epoch: 1 });
    for (const holder of [1, 3]) await at(holder).importOrder(paused.bytes);
    const third = await drafted(PAUSE);
    await approve(1, third);
    expect(await approve(2, third)).toMatchObject({ active: true, epoch: 2 });
    expect(await findings(2)).toEqual([]);
  });

  it("that another order has overtaken", async () => {
    const [resume, pause] = [await drafted(RESUME), await drafted(PAUSE)];
    await approve(2, resume);
    await at(2).importOrder(await addSignatureAsync(pause[0]!.bytes, SOUTH, AAD));
    expect(await share(await asked(resume[0]!.bytes))).toBe("order/stale");
  });

  it("twice by one commitment, or of a group that is not its own", async () => {
    const views = await drafted(PAUSE);
    await approve(2, views);
    const request = await asked(views[0]!.bytes);
    expect(await share(request)).toBeUndefined();
    expect(await share(request)).toBe("frost/commitment");
    expect(await share(await asked(views[0]!.bytes, { group: SOUTH.kid }))).toBe("frost/group");
  });

  it("though it signed an order elsewhere that it gave none for: a signature that it cannot keep is not let out", async () => {
    const [resume, slow] = [await drafted(RESUME), await drafted(SLOW)];
    await approve(1, resume);
    await approve(2, slow);
    // While the second holder gathers for one order, it is asked for its share of the other.
    site.between = async () => {
      site.between = undefined;
      expect(await share(await asked(slow[0]!.bytes))).toBeUndefined();
    };
    expect(await codeOf(approve(2, resume))).toBe("frost/epoch");
    expect(await at(2).draft(resume[1]!.id)).toMatchObject({ approvals: [], awaiting: ["group"] });
  });
});

describe("the check of drafts finds", () => {
  it.each([
    ["an approval for nobody", `group_approvals = '["nobody"]'`],
    ["an approval twice", `group_approvals = '["group","group"]'`],
    ["a list that is none", "group_approvals = '1'"],
    ["a share without an approval", `group_shares = '["group"]'`],
  ])("%s", async (_what, change) => {
    await drafted(PAUSE);
    expect(await findings(2)).toEqual([]);
    await site.world(2).store.write((tx) => sql`update drafts set ${sql.raw(change)}`.execute(tx));
    expect(await findings(2)).toHaveLength(1);
  });

  it("shares for two orders of one epoch", async () => {
    for (const request of [RESUME, SLOW]) await approve(2, await drafted(request));
    const both = sql`update drafts set group_shares = group_approvals`;
    await site.world(2).store.write((tx) => both.execute(tx));
    expect(await findings(2)).toEqual(["a share for group for a second order of the epoch"]);
  });
});
