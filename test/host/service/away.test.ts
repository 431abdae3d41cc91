/** Licenses that a verifier sees no evidence for: offline ones, and those that others completed while it was away. */
import { describe, expect, it } from "vitest";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { decodeLicense, signLicense } from "../../../host/objects/license.ts";
import { draftSign, parseSign, verificationKey } from "../../../host/protocol/cose.ts";
import { contentChecks } from "../../../host/service/checks/content.ts";
import { type Finding, fsck } from "../../../host/store/fsck.ts";
import { STRUCTURAL_CHECKS } from "../../../host/store/structure.ts";
import { BF16, type FakeGovernor, MANUFACTURER, PARTY_SIGNERS } from "../fake-governor.ts";
import { engines } from "../store/engines.ts";
import { codeOf, REQUEST, type ServiceWorld, type WorldOptions, whole, worldsOn } from "./world.ts";

const [north, south, inspectorate] = PARTY_SIGNERS;
const OFFLINE = { agreement: { offline: true } };

describe.each(engines)("past the evidence on $engine", ({ place }) => {
  /** Those in which there is something to be found. */
  const unsound = new Set<ServiceWorld>();
  const open = worldsOn(place, async (world) => {
    if (!unsound.has(world)) expect(await findings(world)).toEqual([]);
  });

  async function findings({ store }: ServiceWorld): Promise<Finding[]> {
    const checks = [...STRUCTURAL_CHECKS, ...contentChecks([verificationKey(MANUFACTURER.publicKey)])];
    const found: Finding[] = [];
    for await (const finding of fsck(store, checks)) found.push(finding);
    return found;
  }

  /** Licensed and reported of BF16. */
  async function books(world: ServiceWorld, { ueid }: FakeGovernor) {
    const { licensed, reported } = (await world.service.books(ueid))[BF16]!;
    return [licensed, reported];
  }

  describe("offline licenses", () => {
    const offline = async (world: ServiceWorld, { ueid }: FakeGovernor) =>
      whole(await world.service.offlineLicense({ ueids: [ueid], terms: REQUEST }));

    /** Each is used up, as far as `amounts` say, before the next is installed; no evidence is shown in between. */
    async function useUp(
      world: ServiceWorld,
      device: FakeGovernor,
      licenses: readonly Uint8Array[],
      amounts: bigint[],
    ) {
      for (const [i, license] of licenses.entries()) {
        device.install(license);
        device.work(BF16, amounts[i]!);
        await world.upload(device);
      }
    }

    it("count all, though evidence speaks of the last of them alone", async () => {
      const world = await open(OFFLINE);
      const device = await world.enrolled();
      const first = await world.license(device);
      const licenses = [
        first,
        await offline(world, device),
        await offline(world, device),
        await offline(world, device),
      ];
      await useUp(world, device, licenses, [900n, 1000n, 1000n, 1000n]);
      expect(decodeLicense(parseSign(await world.license(device)).payload).sequence).toBe(5n);
      expect(await books(world, device)).toEqual([3900n, 3900n]);
    });

    it("cover no work beyond all of them", async () => {
      const world = await open(OFFLINE);
      const device = await world.enrolled();
      const licenses = [await world.license(device), await offline(world, device), await offline(world, device)];
      await useUp(world, device, licenses, [1000n, 1001n, 1000n]);
      expect(await codeOf(world.license(device))).toBe("evidence/overrun");
      // The reports are there, so whoever looks at the store sees it too.
      expect(await findings(world)).toMatchObject([{ check: "books", message: expect.stringContaining("more work") }]);
      unsound.add(world);
    });

    const small = { ...REQUEST, budget: new Map([[BF16, 10n]]) };

    it("cover no work by a second license on one challenge, which the first that is installed ends", async () => {
      for (const [given, beyond, code] of [
        [[REQUEST, small], 0n, undefined],
        [[REQUEST, small], 1n, "evidence/overrun"],
        [[small, REQUEST], 0n, undefined],
        [[small, REQUEST], 1n, "evidence/overrun"],
      ] as const) {
        const world = await open(OFFLINE);
        const device = await world.enrolled();
        const licenses = [await world.license(device, given[0]), await world.license(device, given[1])];
        // On evidence after the first; which of the two is installed is the operator's choice.
        const installed = licenses[given.indexOf(REQUEST)]!;
        await useUp(world, device, [installed, await offline(world, device)], [1000n + beyond, 1000n]);
        expect(await codeOf(world.license(device))).toBe(code);
      }
    });

    it("do not bring back a license whose challenge was over", async () => {
      for (const [beyond, code] of [
        [0n, undefined],
        [1n, "evidence/overrun"],
      ] as const) {
        const world = await open(OFFLINE);
        const device = await world.enrolled();
        const [first, over] = [await offline(world, device), await world.license(device)];
        expect(decodeLicense(parseSign(over).payload).sequence).toBe(2n);
        await useUp(world, device, [first], [1000n]);
        const second = await world.license(device);
        await useUp(world, device, [second, await offline(world, device)], [1000n + beyond, 1000n]);
        expect(await codeOf(world.license(device))).toBe(code);
      }
    });

    it("count beside a license that was installed when later evidence was shown already", async () => {
      const world = await open(OFFLINE);
      const device = await world.enrolled();
      const license = await world.license(device);
      await world.service.appraise(await world.evidence(device));
      await useUp(world, device, [license, await offline(world, device)], [1000n, 500n]);
      await world.service.appraise(await world.evidence(device));
      expect(await books(world, device)).toEqual([1500n, 1500n]);
    });

    it("are not given while a pause is in force, to whom it is in force for", async () => {
      const world = await open(OFFLINE);
      const [paused, free] = [await world.enrolled("a"), await world.enrolled("b")];
      const order = async (action: OrderAction) => {
        let draft = await world.service.proposeOrder({ action, scope: [paused.ueid] });
        for (const { name } of world.agreement.parties)
          if (!draft.active) draft = await world.service.approveOrder(draft.id, name);
      };
      await order(OrderAction.PAUSE);
      expect(await codeOf(offline(world, paused))).toBe("license/paused");
      const both = { ueids: [free.ueid, paused.ueid], terms: REQUEST };
      expect(await codeOf(world.service.offlineLicense(both))).toBe("license/paused");
      await offline(world, free);
      await order(OrderAction.RESUME);
      await world.service.offlineLicense(both);
    });
  });

  describe("licenses that others completed", () => {
    /** `here` has one party's key; the others make up a quorum without it. */
    async function apart(options?: WorldOptions) {
      const here = await open({ ...options, parties: [north!] });
      const there = await open({ ...options, parties: [south!, inspectorate!] });
      const device = await here.enrolled();
      await there.service.enrol(device.endorsement(), device.certificate());
      return { here, there, device };
    }

    /** Installs a license of the others, works and reports: to them, and by the report that is given, here. */
    async function work(there: ServiceWorld, device: FakeGovernor, amount: bigint) {
      const license = await there.license(device);
      device.install(license);
      device.work(BF16, amount);
      const report = device.report();
      expect((await there.service.reports([report]))[0]).toMatchObject({ status: "taken" });
      return { license, report };
    }

    it("are what reports and evidence may speak of once they are shown", async () => {
      const { here, there, device } = await apart();
      const { license, report } = await work(there, device, 700n);
      expect((await here.service.reports([report]))[0]).toMatchObject({ code: "report/license-unknown" });
      await here.service.importLicense(license);
      await here.service.importLicense(license);
      expect((await here.service.reports([report]))[0]).toMatchObject({ status: "taken" });
      const answer = await here.service.license({ evidence: await here.evidence(device), terms: REQUEST });
      expect(answer).toMatchObject({ complete: false, have: 1 });
      expect((await here.service.device(device.ueid)).licenseSequence).toBe(2n);
      expect(await books(here, device)).toEqual([700n, 700n]);
    });

    it("count all, in whatever order they are shown", async () => {
      const { here, there, device } = await apart();
      const done = [];
      for (const amount of [1000n, 900n, 800n]) done.push(await work(there, device, amount));
      for (const i of [2, 0]) await here.service.importLicense(done[i]!.license);
      for (const { report } of done) {
        expect((await here.service.reports([report]))[0]).toMatchObject({ status: "taken" });
      }
      expect(await codeOf(here.service.appraise(await here.evidence(device)))).toBe("evidence/overrun");
      await here.service.importLicense(done[1]!.license);
      await here.service.appraise(await here.evidence(device));
      expect(await books(here, device)).toEqual([2700n, 2700n]);
    });

    it("count though a verifier was away for more of them than a device can be ahead", async () => {
      const { here, there, device } = await apart();
      for (const sequence of [1000n, 2000n, 3000n]) {
        const own = decodeLicense(parseSign(await there.license(device)).payload);
        const license = signLicense({ ...own, sequence, nonce: device.challenge }, [south!, inspectorate!]);
        await here.service.importLicense(license);
        await there.service.importLicense(license);
        device.install(license);
        device.work(BF16, 500n);
        const report = device.report();
        for (const { service } of [here, there]) {
          expect((await service.reports([report]))[0]).toMatchObject({ status: "taken" });
        }
      }
      await here.service.appraise(await here.evidence(device));
      expect(await books(here, device)).toEqual([1500n, 1500n]);
    });

    it("go before a draft of this verifier that nobody completed, and that stays what it was", async () => {
      const { here, there, device } = await apart();
      const evidence = await here.evidence(device);
      const small = { ...REQUEST, budget: new Map([[BF16, 10n]]) };
      const draft = await here.service.license({ evidence, terms: small });
      const { license, report } = await work(there, device, 1000n);
      await here.service.importLicense(license);
      expect(await here.service.license({ evidence })).toEqual(draft);
      await here.service.reports([report]);
      await here.service.appraise(await here.evidence(device));
      expect(await books(here, device)).toEqual([1000n, 1000n]);
    });

    it("count though drafts of their sequences were drawn up here before the newest evidence", async () => {
      const { here, there, device } = await apart();
      for (let draft = 0; draft < 2; draft++) {
        await here.service.license({ evidence: await here.evidence(device), terms: REQUEST });
      }
      await here.service.appraise(await here.evidence(device));
      const done = [];
      for (const amount of [1000n, 900n, 800n]) done.push(await work(there, device, amount));
      for (const { license } of done) await here.service.importLicense(license);
      await here.service.reports(done.map(({ report }) => report));
      await here.service.appraise(await here.evidence(device));
      expect(await books(here, device)).toEqual([2700n, 2700n]);
    });

    it("complete a draft that is the same license", async () => {
      const { here, device } = await apart();
      const evidence = await here.evidence(device);
      const draft = await here.service.license({ evidence, terms: REQUEST });
      if (draft.complete) throw new Error("one signature is no quorum");
      const license = signLicense(decodeLicense(parseSign(draft.draft).payload), [north!, south!]);
      await here.service.importLicense(license);
      expect(await here.service.license({ evidence })).toMatchObject({ complete: true, repeated: true });
    });

    it("are counted for every device of a cohort that is enrolled here", async () => {
      const { here, there, device } = await apart(OFFLINE);
      const other = await there.enrolled("other");
      const terms = REQUEST;
      const license = whole(await there.service.offlineLicense({ ueids: [device.ueid, other.ueid], terms }));
      await here.service.importLicense(license);
      expect((await here.service.device(device.ueid)).licenseSequence).toBe(1n);
      const stranger = whole(await there.service.offlineLicense({ ueids: [other.ueid], terms }));
      expect(await codeOf(here.service.importLicense(stranger))).toBe("device/unknown");
    });

    it("are taken for a device of a cohort though another is too far behind", async () => {
      const { here, there, device: behind } = await apart(OFFLINE);
      const device = await here.enrolled("other");
      const by = [south!, inspectorate!];
      const sample = decodeLicense(parseSign(await there.license(behind)).payload);
      const offline = (sequence: bigint, ...ueids: Uint8Array[]) =>
        signLicense({ ...sample, nonce: undefined, ueid: undefined, cohort: ueids, sequence }, by);
      const first = offline(1000n, device.ueid);
      await here.service.importLicense(first);
      device.install(first);
      await here.service.appraise(await here.evidence(device));
      const both = offline(1500n, behind.ueid, device.ueid);
      await here.service.importLicense(both);
      expect((await here.service.device(device.ueid)).licenseSequence).toBe(1500n);
      // To the one there is nothing new in it, and for the other it is still too far ahead.
      expect(await codeOf(here.service.importLicense(both))).toBe("license/sequence-exhausted");
      expect((await here.service.device(behind.ueid)).licenseSequence).toBe(0n);
    });

    it("wait for no transaction of others where they are none", async () => {
      const { here } = await apart();
      await here.store.write(async () => {
        expect(await codeOf(here.service.importLicense(Uint8Array.of(0xa0)))).toBe("license/malformed");
      });
    });

    it("are refused if they are not whole, not real, too far ahead, or a second of their sequence", async () => {
      const { here, there, device } = await apart();
      const license = decodeLicense(parseSign(await there.license(device)).payload);
      const signed = (change: object, by = [south!, inspectorate!]) => signLicense({ ...license, ...change }, by);
      const refusal = (bytes: Uint8Array) => codeOf(here.service.importLicense(bytes));
      expect(await refusal(Uint8Array.of(0xa0))).toBe("license/malformed");
      expect(await refusal(signed({}, [south!]))).toBe("license/signature");
      expect(await refusal(signed({}, PARTY_SIGNERS as never))).toBe("license/signature");
      expect(await refusal(draftSign(parseSign(signed({})).payload))).toBe("license/malformed");
      expect(await refusal(signed({ agreementDigest: new Uint8Array(32) }))).toBe("license/agreement");
      expect(await refusal(signed({ sequence: 1025n }))).toBe("license/sequence-exhausted");
      await here.service.importLicense(signed({}));
      expect(await refusal(signed({ ticksMax: 999n }))).toBe("license/signed-already");
      await here.service.importLicense(signed({}, [north!, south!]));
    });
  });
});
