import { describe, expect, it } from "vitest";
import { ObjectType, OrderAction } from "../../../firmware/protocol/claims.ts";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { decodeIntervals } from "../../../host/objects/intervals.ts";
import { verifyLicense } from "../../../host/objects/license.ts";
import { combinedNonce } from "../../../host/objects/nonces.ts";
import { encodeOpening, openInterval } from "../../../host/objects/opening.ts";
import { decodeRecovery, type Recovery, signRecovery, verifyRecovery } from "../../../host/objects/recovery.ts";
import { verifyTime } from "../../../host/objects/time.ts";
import { decodeUsageReport } from "../../../host/objects/usage-report.ts";
import { parseSign, parseSign1, verificationKey } from "../../../host/protocol/cose.ts";
import { sha256 } from "../../../host/protocol/sha256.ts";
import { verifyEar } from "../../../host/rats/ear.ts";
import type { ReportItem } from "../../../host/service/service.ts";
import { BF16, COPY, type FakeGovernor, PARTY_SIGNERS, signerOf } from "../fake-governor.ts";
import { engines } from "../store/engines.ts";
import { codeOf, REQUEST, type ServiceWorld, type WorldOptions, whole, worldsOn } from "./world.ts";

const LOCKED = { gateState: GateState.LOCKED, lastCode: ErrorCode.JOURNAL_ROLLBACK };

describe.each(engines)("the service on $engine", ({ place }) => {
  const open = worldsOn(place);

  /** Under its first license, 300 of 1,000 done. */
  async function working(options?: WorldOptions) {
    const world = await open(options);
    const device = await world.enrolled();
    device.install(await world.license(device));
    device.work(BF16, 300n);
    await world.upload(device);
    return { world, device };
  }

  async function order(world: ServiceWorld, action: OrderAction, devices: FakeGovernor[] = []) {
    let draft = await world.service.proposeOrder({ action });
    for (const { name } of world.agreement.parties) {
      if (!draft.active) draft = await world.service.approveOrder(draft.id, name);
    }
    for (const device of devices) device.obey(draft.bytes);
    return draft;
  }

  describe("a license", () => {
    it("answers its evidence, signed by exactly the quorum", async () => {
      const world = await open();
      const device = await world.enrolled();
      const license = verifyLicense(await world.license(device), world.agreement);
      expect(license).toMatchObject({
        nonce: device.challenge,
        ueid: device.ueid,
        sequence: 1n,
        budget: REQUEST.budget,
      });
    });

    it("comes as the same bytes for the same evidence, at once, later, and after a restart", async () => {
      const world = await open();
      const device = await world.enrolled();
      const evidence = await world.evidence(device);
      const answers = await Promise.all([1, 2, 3, 4].map(() => world.service.license({ evidence, terms: REQUEST })));
      const first = whole(answers[0]!);
      for (const answer of answers) expect(whole(answer)).toEqual(first);
      world.nowMs += 5000;
      await world.start(PARTY_SIGNERS);
      const again = await world.service.license({ evidence, terms: { ...REQUEST, windowSeconds: 60 } });
      expect(again).toMatchObject({ complete: true, repeated: true });
      expect(whole(again)).toEqual(first);
      expect((await world.service.device(device.ueid)).licenseSequence).toBe(1n);
    });

    it("is never the second for a nonce, and an older nonce is no good any more", async () => {
      const world = await open();
      const device = await world.enrolled();
      const { nonce } = await world.service.nonce(device.ueid);
      const evidence = await world.evidence(device);
      await world.service.license({ evidence, terms: REQUEST });
      const late = device.evidence({ nonce });
      expect(await codeOf(world.service.license({ evidence: late, terms: REQUEST }))).toBe("evidence/nonce-unknown");
    });

    it("has a sequence of its own, however many are asked for at once", async () => {
      const world = await open();
      const device = await world.enrolled();
      const evidence = await Promise.all(Array.from({ length: 8 }, () => world.evidence(device)));
      const answers = await Promise.allSettled(
        evidence.map((one) => world.service.license({ evidence: one, terms: REQUEST })),
      );
      const sequences = answers.flatMap((answer) =>
        answer.status === "fulfilled" ? [verifyLicense(whole(answer.value), world.agreement).sequence] : [],
      );
      expect(sequences.length).toBeGreaterThan(0);
      expect(new Set(sequences).size).toBe(sequences.length);
      for (const answer of answers) {
        if (answer.status === "rejected") expect(answer.reason).toMatchObject({ code: "evidence/nonce-unknown" });
      }
    });

    it("is what the policy gives to who asks for nothing in particular", async () => {
      const policy = { name: "short", licenseSecondsMax: 120n, budgetMax: new Map([[BF16, 77n]]) };
      const world = await open({ policy });
      const device = await world.enrolled();
      const evidence = await world.evidence(device);
      const license = verifyLicense(whole(await world.service.license({ evidence })), world.agreement);
      expect(license.budget).toEqual(new Map([[BF16, 77n]]));
      expect(license.expirySeconds).toBe(Math.floor(world.nowMs / 1000) + 120);
    });

    it("is refused against the policy, with every objection named", async () => {
      const world = await open({ policy: { budgetMax: new Map([[BF16, 999n]]), licenseSecondsMax: 599n } });
      const device = await world.enrolled();
      const evidence = await world.evidence(device);
      const refused = world.service.license({ evidence, terms: REQUEST });
      await expect(refused).rejects.toMatchObject({ code: "license/policy" });
      await expect(refused).rejects.toThrow(/budget.*expiry/);
    });

    it("comes with a verdict that other verifiers' users can read, and so does a refusal", async () => {
      const world = await open();
      const device = await world.enrolled();
      const [good, worse] = [await world.evidence(device), await world.evidence(device, { tamper: 4 })];
      await world.service.license({ evidence: good, terms: REQUEST });
      expect(await codeOf(world.service.license({ evidence: worse, terms: REQUEST }))).toBe("evidence/tampered");
      const key = verificationKey(signerOf("verdicts").publicKey);
      const verdict = async (evidence: Uint8Array) => {
        const ear = verifyEar(await world.service.verdict(sha256(evidence)), key);
        return ear.submods.get("governor")!;
      };
      expect(await verdict(good)).toMatchObject({ status: "affirming", ueid: device.ueid });
      expect(await verdict(worse)).toMatchObject({ status: "contraindicated", refusal: "evidence/tampered" });
      expect(await codeOf(world.service.verdict(new Uint8Array(32)))).toBe("verdict/unknown");
    });

    it("is given over no gap in the reports, and after the gap is filled", async () => {
      const { world, device } = await working();
      const report = device.report();
      expect(await codeOf(world.license(device))).toBe("evidence/report-missing");
      await world.service.reports([report]);
      await world.license(device);
    });

    it("is not given to a device that is suspended, retired, or suspected of being two", async () => {
      const world = await open();
      const device = await world.enrolled();
      for (const status of ["suspended", "retired", "suspected-fork"] as const) {
        await world.service.changeDevice(device.ueid, { status });
        expect(await codeOf(world.license(device))).toBe(`device/${status}`);
      }
      await world.service.changeDevice(device.ueid, { status: "active" });
      await world.license(device);
    });

    it("is not given any more once two devices have used one identity", async () => {
      const { world, device } = await working();
      await world.service.appraise(await world.evidence(device));
      expect(
        await codeOf(world.license(Object.assign(world.device(), { ...device, bootSeed: sha256(device.ueid) }))),
      ).toBe("evidence/boot-forked");
      expect((await world.service.device(device.ueid)).status).toBe("suspected-fork");
      expect(await codeOf(world.license(device))).toBe("device/suspected-fork");
    });
  });

  describe("a quorum over several verifiers", () => {
    const [north, south, inspectorate] = PARTY_SIGNERS;

    it("is gathered from one to the next, each on its own nonce", async () => {
      const worlds = [await open({ parties: [north!] }), await open({ parties: [south!, inspectorate!] })] as const;
      const device = await worlds[0].enrolled();
      await worlds[1].service.enrol(device.endorsement(), device.certificate());
      const nonces = await Promise.all(worlds.map(async ({ service }) => (await service.nonce(device.ueid)).nonce));
      const evidence = device.evidence({ nonce: combinedNonce(nonces) });
      const first = await worlds[0].service.license({ evidence, terms: REQUEST, nonces });
      expect(first).toMatchObject({ complete: false, have: 1, need: 2 });
      if (first.complete) return;
      const second = await worlds[1].service.license({ evidence, nonces, draft: first.draft });
      expect(verifyLicense(whole(second), worlds[0].agreement).sequence).toBe(1n);
      // A retry anywhere gives the same again.
      expect(await worlds[1].service.license({ evidence, nonces, draft: first.draft })).toMatchObject({
        complete: true,
      });
      expect(await worlds[0].service.license({ evidence, nonces })).toEqual(first);
      device.install(whole(second));
      device.work(BF16, 10n);
      const report = device.report();
      for (const { service } of worlds) expect((await service.reports([report]))[0]).toMatchObject({ status: "taken" });
    });

    it("adds no signature to a license that this verifier would not have drawn up", async () => {
      const [one, other] = [await open({ parties: [north!] }), await open({ parties: [south!] })];
      const device = await one.enrolled();
      await other.service.enrol(device.endorsement(), device.certificate());
      const draftFor = async (change: object) => {
        const nonces = await Promise.all(
          [one, other].map(async ({ service }) => (await service.nonce(device.ueid)).nonce),
        );
        const evidence = device.evidence({ nonce: combinedNonce(nonces), ...change });
        const first = await one.service.license({ evidence, terms: REQUEST, nonces });
        return { evidence, nonces, draft: first.complete ? first.bytes : first.draft };
      };
      const [a, b] = [await draftFor({}), await draftFor({ uptimeSeconds: 9 })];
      // The draft of one evidence with another evidence that has another challenge.
      device.install(a.draft);
      const c = await draftFor({ licenseSequence: 0n, budgetLeft: a ? device.totals : [] });
      expect(await codeOf(other.service.license({ ...c, draft: a.draft }))).toBe("license/draft");
      expect(await codeOf(other.service.license({ ...b, draft: Uint8Array.of(1) }))).toBe("license/draft");
      expect(await codeOf(other.service.license({ ...b, nonces: b.nonces.slice(1) }))).toBe("nonces/mismatch");
    });
  });

  describe("usage reports", () => {
    it("are taken in a batch, in order, and again without counting twice", async () => {
      const { world, device } = await working();
      const batch: ReportItem[] = [];
      for (let i = 0; i < 5; i++) {
        device.work(BF16, 10n);
        batch.push(device.report());
      }
      const statuses = async () => (await world.service.reports(batch)).map(({ status }) => status);
      expect(await statuses()).toEqual(Array(5).fill("taken"));
      expect(await statuses()).toEqual(Array(5).fill("repeated"));
      const [row] = await world.service.usage("fleet");
      expect(row!.rows[BF16]).toMatchObject({ reported: 350n });
    });

    it("say one by one what is wrong with them, and one that is bad does not hold up another device's", async () => {
      const { world, device } = await working();
      const other = await world.enrolled("other");
      const [gap, forged] = [device.report(), other.report({}, signerOf("stranger"))];
      other.head = { ...other.head, sequence: 0n, digest: new Uint8Array(32) };
      const outcomes = await world.service.reports([
        device.report(),
        { report: Uint8Array.of(1) },
        forged,
        gap,
        other.report(),
      ]);
      expect(outcomes.map((outcome) => ("code" in outcome ? outcome.code : outcome.status))).toEqual([
        "report/gap",
        "report/malformed",
        "report/signature",
        "taken",
        "taken",
      ]);
    });

    it("that come without intervals owe one, which the device must show", async () => {
      const { world, device } = await working();
      device.work(BF16, 10n);
      device.work(BF16, 20n);
      const { report, intervals } = device.report();
      await world.service.reports([{ report }]);
      const [wanted] = await world.service.openingsWanted(device.ueid);
      expect(wanted).toMatchObject({ ueid: device.ueid, reportSequence: 2n });
      const leaves = decodeIntervals(intervals);
      const decoded = decodeUsageReport(parseSign1(report).payload);
      const opening = (index: number, from = leaves) => encodeOpening(openInterval(decoded, from, index));
      const forged = leaves.map((leaf) => ({ ...leaf, endTick: leaf.endTick + 1n }));
      expect(await codeOf(world.service.open(opening(1 - wanted!.index)))).toBe("opening/unwanted");
      expect(await codeOf(world.service.open(opening(wanted!.index, forged)))).toBe("opening/mismatch");
      expect(await codeOf(world.service.open(Uint8Array.of(1)))).toBe("opening/malformed");
      await world.service.open(opening(wanted!.index));
      expect(await world.service.openingsWanted(device.ueid)).toEqual([]);
    });
  });

  describe("orders", () => {
    it("become active at the quorum's signature, and stop licenses from then on", async () => {
      const { world, device } = await working();
      const pause = await order(world, OrderAction.PAUSE);
      expect(pause).toMatchObject({ epoch: 1, quorum: 1, active: true, approvals: ["north"] });
      expect(await codeOf(world.license(device))).toBe("evidence/epoch-behind");
      device.obey(pause.bytes);
      expect(await codeOf(world.license(device))).toBe("license/paused");
      await order(world, OrderAction.RESUME, [device]);
      await world.license(device);
      expect((await world.service.ordersAfter(0)).map(({ epoch }) => epoch)).toEqual([1, 2]);
    });

    it("go from verifier to verifier as drafts, and come back whole", async () => {
      const [one, other] = [await open({ parties: [PARTY_SIGNERS[0]!] }), await open({ parties: [PARTY_SIGNERS[1]!] })];
      for (const { service } of [one, other]) {
        const pause = await service.proposeOrder({ action: OrderAction.PAUSE });
        expect(await codeOf(service.approveOrder(pause.id, "inspectorate"))).toBe("order/not-a-party");
      }
      const pause = await one.service.proposeOrder({ action: OrderAction.PAUSE });
      const paused = await one.service.approveOrder(pause.id, "north");
      expect(await other.service.importOrder(paused.bytes)).toMatchObject({ active: true, epoch: 1 });
      expect(await other.service.importOrder(paused.bytes)).toMatchObject({ active: true, epoch: 1 });
      const resume = await one.service.proposeOrder({ action: OrderAction.RESUME });
      const half = await one.service.approveOrder(resume.id, "north");
      expect(half).toMatchObject({ active: false, quorum: 2 });
      const there = await other.service.importOrder(half.bytes);
      const resumed = await other.service.approveOrder(there.id, "south");
      expect(resumed).toMatchObject({ active: true, approvals: ["north", "south"] });
      expect(await one.service.importOrder(resumed.bytes)).toMatchObject({ active: true, epoch: 2 });
      expect(await codeOf(one.service.approveOrder(resume.id, "north"))).toBe("order/stale");
    });

    it("are confirmed by beacon and time proof, and their delivery is known from evidence", async () => {
      const world = await open();
      const [near, far] = [await world.enrolled("near"), await world.enrolled("far")];
      const pause = await order(world, OrderAction.PAUSE, [near]);
      const beacon = verifyTime(ObjectType.BEACON, await world.service.beacon(), world.agreement);
      expect(beacon).toMatchObject({ epoch: 1, issuedAtSeconds: Math.floor(world.nowMs / 1000) });
      const nonce = new Uint8Array(32).fill(9);
      const proof = verifyTime(ObjectType.TIME_PROOF, await world.service.timeProof(nonce), world.agreement);
      expect(proof).toMatchObject({ nonce, epoch: 1, orderDigest: sha256(parseSignPayload(pause.bytes)) });
      await world.service.appraise(await world.evidence(near));
      expect(await world.service.delivery(1)).toMatchObject({ delivered: 1, missing: 1, behind: [far.ueid] });
    });
  });

  describe("a recovery", () => {
    it("counts everything that may have been done as done, and comes again for the same evidence", async () => {
      const { world, device } = await working();
      await order(world, OrderAction.PAUSE, [device]);
      const locked = {
        gateState: GateState.LOCKED,
        lastCode: ErrorCode.JOURNAL_ROLLBACK,
        bootCount: 0,
        licenseSequence: 0n,
      };
      const evidence = await world.evidence(device, locked);
      const bytes = whole(await world.service.recovery({ evidence }));
      const recovery = verifyRecovery(bytes, world.agreement);
      expect(recovery).toMatchObject({ action: OrderAction.PAUSE, epoch: 1, sequence: 1n });
      expect(recovery.totals[BF16]).toBe(1000n);
      expect(recovery.totals[COPY]).toBe(200n);
      expect(whole(await world.service.recovery({ evidence }))).toEqual(bytes);
      device.recover(bytes);
      device.bootCount = 1;
      await order(world, OrderAction.RESUME, [device]);
      device.install(await world.license(device));
      device.work(BF16, 50n);
      await world.upload(device);
      await world.service.appraise(await world.evidence(device));
      expect((await world.service.books(device.ueid))[BF16]).toMatchObject({ licensed: 1050n, reported: 1050n });
    });
  });

  describe("a recovery by several verifiers", () => {
    it("may count what one of them does not know of, and no more than licenses could have given", async () => {
      const [north, south] = PARTY_SIGNERS;
      const [one, other] = [await open({ parties: [north!] }), await open({ parties: [south!] })];
      const device = await one.enrolled();
      await other.service.enrol(device.endorsement(), device.certificate());
      const ask = async (change: (recovery: Recovery) => Recovery) => {
        const nonces = await Promise.all(
          [one, other].map(async ({ service }) => (await service.nonce(device.ueid)).nonce),
        );
        const evidence = device.evidence({ nonce: combinedNonce(nonces), ...LOCKED });
        const first = await one.service.recovery({ evidence, nonces });
        const own = decodeRecovery(parseSign(first.complete ? first.bytes : first.draft).payload);
        return other.service.recovery({ evidence, nonces, draft: signRecovery(change(own), [north!]) });
      };
      const counting = (work: bigint) => (recovery: Recovery) => ({
        ...recovery,
        totals: recovery.totals.map((total, c) => (c === BF16 ? total + work : total)),
      });
      const most = 1024n * 10_000n;
      expect(verifyRecovery(whole(await ask(counting(most))), one.agreement).totals[BF16]).toBe(most);
      expect(await codeOf(ask(counting(most + 1n)))).toBe("recovery/draft");
      expect(await codeOf(ask((recovery) => ({ ...recovery, epoch: 1 })))).toBe("recovery/draft");
      expect(await codeOf(ask((recovery) => ({ ...recovery, sequence: recovery.sequence + 1025n })))).toBe(
        "recovery/draft",
      );
    });
  });

  describe("the registry", () => {
    it("pages through devices by owner, site, model and status", async () => {
      const world = await open();
      for (let i = 0; i < 7; i++) {
        const device = world.device(`device ${i}`);
        await world.service.enrol(device.endorsement(), device.certificate(), { site: i < 4 ? "a" : "b" });
      }
      const first = await world.service.devices({ site: "a", limit: 3 });
      const second = await world.service.devices({ site: "a", limit: 3, cursor: first.cursor! });
      expect([first.items.length, second.items.length, second.cursor]).toEqual([3, 1, undefined]);
      expect((await world.service.devices({ owner: "operator" })).items).toHaveLength(7);
      expect((await world.service.devices({ status: "retired" })).items).toEqual([]);
      expect(await codeOf(world.service.devices({ limit: 0 }))).toBe("device/query");
      expect(await codeOf(world.service.devices({ cursor: "1; drop table devices" }))).toBe("device/query");
      expect(await codeOf(world.service.device(new Uint8Array(33)))).toBe("device/unknown");
    });

    it("moves a device's work with it to another site", async () => {
      const { world, device } = await working();
      await world.service.changeDevice(device.ueid, { site: "b" });
      const rows = await world.service.usage("site");
      expect(rows.map(({ name, devices }) => [name, devices])).toEqual([["b", 1]]);
      expect(rows[0]!.rows[BF16]).toMatchObject({ reported: 300n });
      expect(await codeOf(world.service.changeDevice(device.ueid, { site: "x".repeat(129) }))).toBe(
        "device/registration",
      );
    });
  });

  describe("caps of a policy", () => {
    it("stop a site at its boards, and let it go on when a license has run out", async () => {
      const world = await open({ policy: { caps: [{ per: "site", boardsMax: 2n }] } });
      const devices = await Promise.all(["a", "b", "c"].map((name) => world.enrolled(name)));
      await world.license(devices[0]!);
      await world.license(devices[1]!);
      expect(await codeOf(world.license(devices[2]!))).toBe("license/policy");
      await world.license(devices[0]!);
      world.nowMs += 601_000;
      await world.license(devices[2]!);
    });

    it("stop an owner at its operations, however the requests come", async () => {
      const tera = 2n ** 40n;
      const caps = [{ per: "party" as const, operationsMax: 3n * tera, periodSeconds: 1600n }];
      const agreement = { caps: new Map([[BF16, { budgetMax: tera, rateMax: 10n }]]), drain: new Map() };
      const world = await open({ policy: { caps }, agreement });
      const devices = await Promise.all(["a", "b", "c", "d", "e"].map((name) => world.enrolled(name)));
      const terms = { ...REQUEST, budget: new Map([[BF16, tera]]) };
      const answers = await Promise.all(devices.map(async (device) => codeOf(world.license(device, terms))));
      expect(answers.filter((code) => code === undefined)).toHaveLength(3);
      expect(answers.filter((code) => code === "license/policy")).toHaveLength(2);
      world.nowMs += 1_800_000;
      await world.license(devices[0]!, terms);
    });
  });

  describe("offline licenses", () => {
    it("serve a cohort without a nonce, above every sequence of each", async () => {
      const world = await open({ agreement: { offline: true } });
      const devices = await Promise.all(["a", "b"].map((name) => world.enrolled(name)));
      await world.license(devices[0]!);
      const ueids = devices.map(({ ueid }) => ueid);
      const license = verifyLicense(
        whole(await world.service.offlineLicense({ ueids, terms: REQUEST })),
        world.agreement,
      );
      expect(license).toMatchObject({ cohort: ueids, sequence: 2n });
      expect(license.nonce).toBeUndefined();
      expect((await world.service.device(ueids[1]!)).licenseSequence).toBe(2n);
    });

    it("are not given where the agreement takes none", async () => {
      const world = await open();
      const { ueid } = await world.enrolled();
      expect(await codeOf(world.service.offlineLicense({ ueids: [ueid], terms: REQUEST }))).toBe("license/offline");
    });
  });
});

function parseSignPayload(bytes: Uint8Array): Uint8Array {
  return parseSign(bytes).payload;
}
