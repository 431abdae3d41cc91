import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ObjectType, OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { KeyError } from "../../../host/keys/errors.ts";
import { formatAddCheckpoint } from "../../../host/log/add-checkpoint.ts";
import { objectAad } from "../../../host/objects/aad.ts";
import { NO_REPORT } from "../../../host/objects/eat.ts";
import { decodeIntervals } from "../../../host/objects/intervals.ts";
import { combinedNonce } from "../../../host/objects/nonces.ts";
import { encodeOpening, openInterval } from "../../../host/objects/opening.ts";
import { NO_ORDER } from "../../../host/objects/order.ts";
import { type Recovery, signRecovery } from "../../../host/objects/recovery.ts";
import { decodeUsageReport } from "../../../host/objects/usage-report.ts";
import { allWork, noWork } from "../../../host/objects/work.ts";
import { parseSign1, signingRound } from "../../../host/protocol/cose.ts";
import type { FrostShareRequest } from "../../../host/service/service.ts";
import { SERVICE_ERRORS, VerifierError } from "../../../host/verifier/errors.ts";
import { eventually } from "../eventually.ts";
import { BF16, type FakeGovernor, PARTY_SIGNERS } from "../fake-governor.ts";
import { logPair } from "../log/keys.ts";
import { embedded } from "../store/engines.ts";
import { TestLog } from "../witness/rig.ts";
import { FrostSite } from "./frost-site.ts";
import { digestOf, LOG_KEY, LOG_SIGNER, loggedOn, ORIGIN } from "./logged-world.ts";
import { asyncSigner, REQUEST, ServiceWorld } from "./world.ts";

const [north, south] = PARTY_SIGNERS;
const TIGHT = { budgetMax: new Map([[BF16, 1n]]) };
const LOCKED = { gateState: GateState.LOCKED, lastCode: ErrorCode.JOURNAL_ROLLBACK };

/** One store for the whole table: every row plays a device of its own. */
let world: ServiceWorld;
let other: ServiceWorld;
let seated: FrostSite;
beforeAll(async () => {
  world = await ServiceWorld.open(embedded.place(), { parties: [north!] });
  other = await ServiceWorld.open(embedded.place(), { parties: [south!] });
  seated = await FrostSite.open(embedded.place);
});
afterAll(async () => {
  await world.close();
  await other.close();
  await seated.close();
});

const logged = loggedOn(embedded.place);
let drawn = 0;
const enrolled = () => world.enrolled(`device ${drawn++}`);

async function withStatus(status: "suspended" | "retired" | "suspected-fork"): Promise<void> {
  const device = await enrolled();
  await world.service.changeDevice(device.ueid, { status });
  await world.license(device);
}

/** Evidence over the nonces of both verifiers. */
async function shared(change: object = {}) {
  const device = await enrolled();
  await other.service.enrol(device.endorsement(), device.certificate());
  const given = [await world.service.nonce(device.ueid), await other.service.nonce(device.ueid)];
  const nonces = given.map(({ nonce }) => nonce);
  return { device, nonces, evidence: device.evidence({ nonce: combinedNonce(nonces), ...change }) };
}

/** What the second holder of a group was asked, with commitments that are new. */
async function shareRequest(): Promise<FrostShareRequest> {
  const given = await seated.evidence(await seated.enrolled(`device ${drawn++}`));
  await seated.world(1).service.license({ ...given, terms: REQUEST });
  const { request } = seated.asked.at(-1)!;
  const commitments = [await seated.holders[0]!.commit(), await seated.holders[1]!.commit()];
  return { ...request, commitments };
}

async function orderShare(draft: Uint8Array): Promise<FrostShareRequest> {
  const { toBeSigned: message } = signingRound(draft, objectAad(ObjectType.ORDER));
  const commitments = [await seated.holders[0]!.commit(), await seated.holders[1]!.commit()];
  return { group: seated.group.kid, purpose: "order", draft, message, commitments };
}

/** A report whose intervals are owed, and the openings of them. */
async function owing() {
  const device = await enrolled();
  const first = await world.service.license({ evidence: await world.evidence(device), terms: REQUEST });
  device.install(first.complete ? first.bytes : first.draft);
  device.work(BF16, 10n);
  device.work(BF16, 20n);
  const { report, intervals } = device.report();
  await world.service.reports([{ report }]);
  const [wanted] = await world.service.openingsWanted(device.ueid);
  const leaves = decodeIntervals(intervals);
  const decoded = decodeUsageReport(parseSign1(report).payload);
  const opening = (index: number, from = leaves) => encodeOpening(openInterval(decoded, from, index));
  return { index: wanted!.index, leaves, opening };
}

const QUORUM = PARTY_SIGNERS.slice(0, 2);

/** As others may have signed it for a device that did nothing yet. */
async function recoveryOf({ ueid, challenge: nonce }: FakeGovernor): Promise<Recovery> {
  const { action, sequence, totals } = { action: OrderAction.PAUSE, sequence: 0n, totals: noWork() };
  const standing = { epoch: 0, orderDigest: NO_ORDER, reportHead: NO_REPORT };
  return { nonce, ueid, agreementDigest: world.digest, action, sequence, totals, ...standing };
}

async function imported(change: Partial<Recovery>, signers = QUORUM): Promise<void> {
  const recovery = { ...(await recoveryOf(await enrolled())), ...change };
  await world.service.importRecovery(signRecovery(recovery, signers));
}

/** How each refusal comes about. */
const REFUSALS: Record<keyof typeof SERVICE_ERRORS, () => Promise<unknown>> = {
  "certificate/key": async () => {
    const [one, another] = [await enrolled(), world.device(`device ${drawn++}`)];
    another.attester = one.attester;
    await world.service.enrol(another.endorsement(), another.certificate());
  },
  "device/suspended": () => withStatus("suspended"),
  "device/retired": () => withStatus("retired"),
  "device/suspected-fork": () => withStatus("suspected-fork"),
  "device/registration": async () => world.service.changeDevice((await enrolled()).ueid, { owner: "a\u0000b" }),
  "device/query": () => world.service.devices({ limit: 1001 }),
  "nonces/mismatch": async () => {
    const { evidence, nonces } = await shared();
    await world.service.license({ evidence, nonces: nonces.slice(1) });
  },
  "license/policy": async () => {
    const evidence = await world.evidence(await enrolled());
    const { settings } = world;
    world.settings = { ...settings, policy: { ...settings.policy, ...TIGHT } };
    try {
      await world.service.license({ evidence, terms: REQUEST });
    } finally {
      world.settings = settings;
    }
  },
  "license/draft": async () => {
    const { evidence, nonces } = await shared();
    await world.service.license({ evidence, nonces, draft: Uint8Array.of(1) });
  },
  "license/signed-already": async () => {
    const { evidence, nonces } = await shared();
    const theirs = await other.service.license({ evidence, nonces, terms: { ...REQUEST, windowSeconds: 60 } });
    await world.service.license({ evidence, nonces, terms: REQUEST });
    await world.service.license({ evidence, nonces, draft: theirs.complete ? theirs.bytes : theirs.draft });
  },
  "license/malformed": () => world.service.importLicense(Uint8Array.of(1)),
  "license/signature": async () => {
    const evidence = await world.evidence(await enrolled());
    const answer = await world.service.license({ evidence, terms: REQUEST });
    await world.service.importLicense(answer.complete ? answer.bytes : answer.draft);
  },
  "license/agreement": async () => {
    const stranger = await ServiceWorld.open(embedded.place(), { agreement: { name: "another" } });
    const license = await stranger.license(await stranger.enrolled());
    await stranger.close();
    await world.service.importLicense(license);
  },
  "license/offline": async () => world.service.offlineLicense({ ueids: [(await enrolled()).ueid], terms: REQUEST }),
  "recovery/draft": async () => {
    const { evidence, nonces } = await shared(LOCKED);
    await world.service.recovery({ evidence, nonces, draft: Uint8Array.of(1) });
  },
  "recovery/malformed": () => world.service.importRecovery(Uint8Array.of(1)),
  "recovery/signature": () => imported({}, PARTY_SIGNERS.slice(0, 1)),
  "recovery/agreement": () => imported({ agreementDigest: new Uint8Array(32) }),
  "recovery/totals-regressed": async () => {
    const recovery = await recoveryOf(await enrolled());
    const totals = (work: bigint) => allWork(new Map([[BF16, work]]));
    await world.service.importRecovery(signRecovery({ ...recovery, totals: totals(2n) }, QUORUM));
    await world.service.importRecovery(signRecovery({ ...recovery, totals: totals(1n), sequence: 1n }, QUORUM));
  },
  "recovery/license-ahead": () => imported({ sequence: 1025n }),
  "recovery/report-forked": () => imported({ reportHead: { sequence: 0n, digest: new Uint8Array(32).fill(1) } }),
  "frost/group": () => seated.world(2).service.frostCommitment(new Uint8Array(8)),
  "frost/context": async () =>
    seated.world(2).service.frostShare({ ...(await shareRequest()), message: Uint8Array.of(1) }),
  "frost/commitment": async () => {
    const request = await shareRequest();
    await seated.world(2).service.frostShare(request);
    await seated.world(2).service.frostShare(request);
  },
  "frost/commitments": async () => {
    const request = await shareRequest();
    await seated.world(2).service.frostShare({ ...request, commitments: request.commitments.slice(1) });
  },
  "frost/approval": async () => {
    const { bytes } = await seated.world(2).service.proposeOrder({ action: OrderAction.PAUSE });
    await seated.world(2).service.frostShare(await orderShare(bytes));
  },
  "frost/epoch": async () => {
    const { service } = seated.world(2);
    const [resume, slow] = [
      await service.proposeOrder({ action: OrderAction.RESUME }),
      await service.proposeOrder({ action: OrderAction.SLOW, permille: 500 }),
    ];
    await service.approveOrder(resume.id, "group");
    await service.frostShare(await orderShare(resume.bytes));
    await service.approveOrder(slow.id, "group");
  },
  "opening/malformed": () => world.service.open(Uint8Array.of(1)),
  "opening/unwanted": async () => {
    const { index, opening } = await owing();
    await world.service.open(opening(1 - index));
  },
  "opening/mismatch": async () => {
    const { index, leaves, opening } = await owing();
    const forged = leaves.map((leaf) => ({ ...leaf, endTick: leaf.endTick + 1n }));
    await world.service.open(opening(index, forged));
  },
  "time/no-authority": async () => {
    const blind = await ServiceWorld.open(embedded.place(), { timeSigners: [] });
    try {
      await blind.service.beacon();
    } finally {
      await blind.close();
    }
  },
  "time/nonce": () => world.service.timeProof(new Uint8Array(31)),
  "evidence/log-forked": async () => {
    const { world } = await logged({ witnesses: 1 });
    const logHead = { size: 2n, root: new Uint8Array(32) };
    await world.service.license({ evidence: await world.evidence(await world.enrolled(), { logHead }) });
  },
  "log/unpublished": async () => {
    let isAway = false;
    const sign = async (message: Uint8Array) => {
      if (isAway) throw new KeyError("keys/signer-lost");
      return LOG_SIGNER.sign(message);
    };
    const { world } = await logged({ witnesses: 1, signer: { ...asyncSigner(LOG_SIGNER), sign } });
    isAway = true;
    await world.license(await world.enrolled());
  },
  "log/rolled-back": async () => {
    const { world, options } = await logged({ witnesses: 1 });
    await world.service.logProof(digestOf(await world.license(await world.enrolled())), 0);
    const forgetful = await ServiceWorld.open(embedded.place(), options);
    try {
      await eventually(async () => {
        const { witnesses } = await forgetful.service.log();
        expect(witnesses[0]!.problem).toContain("log/rolled-back");
      });
      await forgetful.license(await forgetful.enrolled());
    } finally {
      await forgetful.close();
    }
  },
  "log/not-cosigned": async () => {
    const { world, witnesses } = await logged({ witnesses: 1 });
    await witnesses[0]!.stop();
    await world.service.logProof(digestOf(await world.license(await world.enrolled())), 0);
  },
  "log/entry-unknown": () => world.service.logProof(new Uint8Array(32), 0),
  "log/not-agreed": async () => {
    const [agreement] = await world.service.agreementsAfter(0);
    await world.service.logProof(digestOf(agreement!), 0);
  },
  "log/head-ahead": async () => {
    const { world } = await logged({ witnesses: 1 });
    await world.service.logProof(digestOf(await world.license(await world.enrolled())), 1000);
  },
  "log/tile-unknown": () => world.service.logTile({ level: 0, index: 1000, width: 1 }),
  "log/head-malformed": () => world.service.offerLogHead("old 0"),
  "log/head-unknown": async () => {
    const { world } = await logged({ witnesses: 1 });
    await world.service.offerLogHead(await new TestLog(logPair("another.example/log")).grow(2).request(0));
  },
  "log/head-signature": async () => {
    const { world } = await logged({ witnesses: 1 });
    await world.service.offerLogHead(await new TestLog(logPair(ORIGIN)).grow(2).request(0));
  },
  "log/head-path": async () => {
    const { world } = await logged({ witnesses: 1 });
    const log = new TestLog({ key: LOG_KEY, signer: LOG_SIGNER }).grow(20);
    await world.service.offerLogHead(await log.request(0, 15));
    const request = { oldSize: 15, proof: log.proof(14, 20), note: await log.note(20) };
    await world.service.offerLogHead(formatAddCheckpoint(request));
  },
  "verdict/unknown": () => world.service.verdict(new Uint8Array(32)),
  "audit/query": () => world.service.audit({ cursor: "yesterday" }),
};

describe("the service refuses", () => {
  it.each(Object.entries(REFUSALS))("%s", async (code, act) => {
    await expect(act()).rejects.toMatchObject({ name: "VerifierError", code });
  });

  it("nothing that this table and that of the verifier don't show", () => {
    expect(Object.keys(REFUSALS).sort()).toEqual(Object.keys(SERVICE_ERRORS).sort());
    expect(new VerifierError("verdict/unknown").class).toBe("unknown");
  });
});

describe("a budget of a class that the agreement does not cap", () => {
  it("is over the cap, whatever the policy says", async () => {
    const terms = { ...REQUEST, budget: new Map([[EngineClass.TENSOR_INT8, 1n]]) };
    const evidence = await world.evidence(await enrolled());
    await expect(world.service.license({ evidence, terms })).rejects.toMatchObject({ code: "license/over-cap" });
  });
});
