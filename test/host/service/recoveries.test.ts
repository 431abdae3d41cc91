/** Recoveries that others completed without a verifier: it is shown them, and goes on with the device as they do. */
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { decodeLicense } from "../../../host/objects/license.ts";
import { combinedNonce } from "../../../host/objects/nonces.ts";
import { decodeRecovery, type Recovery, signRecovery } from "../../../host/objects/recovery.ts";
import { draftSign, parseSign, type Signer, verificationKey } from "../../../host/protocol/cose.ts";
import { contentChecks } from "../../../host/service/checks/content.ts";
import type { ReportItem } from "../../../host/service/service.ts";
import { type Finding, fsck } from "../../../host/store/fsck.ts";
import { STRUCTURAL_CHECKS } from "../../../host/store/structure.ts";
import { BF16, type FakeGovernor, MANUFACTURER, PARTY_SIGNERS } from "../fake-governor.ts";
import { engines } from "../store/engines.ts";
import { codeOf, REQUEST, type ServiceWorld, whole, worldsOn } from "./world.ts";

const [north, south, inspectorate] = PARTY_SIGNERS as [Signer, Signer, Signer];
const LOST = { gateState: GateState.LOCKED, lastCode: ErrorCode.JOURNAL_ROLLBACK, bootCount: 0, licenseSequence: 0n };

describe.each(engines)("a recovery that others completed on $engine", ({ place }) => {
  const open = worldsOn(place, async (world) => expect(await findings(world)).toEqual([]));

  async function findings({ store }: ServiceWorld): Promise<Finding[]> {
    const checks = [...STRUCTURAL_CHECKS, ...contentChecks([verificationKey(MANUFACTURER.publicKey)])];
    const found: Finding[] = [];
    for await (const finding of fsck(store, checks)) found.push(finding);
    return found;
  }

  /** `here` has one party's key; the others make up a quorum without it. */
  async function apart() {
    const here = await open({ parties: [north] });
    const there = await open({ parties: [south, inspectorate] });
    const device = await here.enrolled();
    device.bootCount = 3;
    await there.service.enrol(device.endorsement(), device.certificate());
    return { here, there, device };
  }

  /** Licensed by the others and shown here, with work that both are reported. */
  async function working() {
    const worlds = await apart();
    await license(worlds, 300n);
    await report(worlds);
    return worlds;
  }

  type Worlds = Awaited<ReturnType<typeof apart>>;

  async function license({ here, there, device }: Worlds, work: bigint): Promise<void> {
    const bytes = await there.license(device);
    await here.service.importLicense(bytes);
    device.install(bytes);
    device.work(BF16, work);
  }

  async function report({ here, there, device }: Worlds): Promise<void> {
    const made = device.report();
    for (const world of [here, there]) expect(await taken(world, made)).toBe("taken");
  }

  async function taken({ service }: ServiceWorld, item: ReportItem): Promise<string> {
    const [outcome] = await service.reports([item]);
    return outcome!.status === "refused" ? outcome!.code : outcome!.status;
  }

  /** The device loses its journal, and the others say from where it goes on. */
  async function recovered({ there, device }: Worlds): Promise<Uint8Array> {
    const bytes = whole(await there.service.recovery({ evidence: await there.evidence(device, LOST) }));
    install(device, bytes);
    return bytes;
  }

  function install(device: FakeGovernor, bytes: Uint8Array): void {
    device.recover(bytes);
    device.bootCount = 0;
    device.powerCycle();
  }

  /** Licensed and reported of BF16. */
  async function books({ service }: ServiceWorld, { ueid }: FakeGovernor) {
    const { licensed, reported } = (await service.books(ueid))[BF16]!;
    return [licensed, reported];
  }

  it("is what reports go on from once it is shown, and what was lost counts as done", async () => {
    const worlds = await working();
    const { here, there, device } = worlds;
    const recovery = await recovered(worlds);
    await license(worlds, 40n);
    const made = device.report();
    expect(await taken(there, made)).toBe("taken");
    expect(await taken(here, made)).toBe("report/boot-regressed");
    const before = await books(here, device);
    expect(before[1]).toBe(300n);
    await here.service.importRecovery(recovery);
    await here.service.importRecovery(recovery);
    // Shown alone it changes no books: that it was installed, the device must say.
    expect(await books(here, device)).toEqual(before);
    expect(await taken(here, made)).toBe("taken");
    for (const world of [here, there]) {
      await world.service.appraise(await world.evidence(device));
      // The license of before the loss was for 1,000.
      expect(await books(world, device)).toEqual([1040n, 1040n]);
    }
    const [row] = await here.service.usage("fleet");
    expect(row!.rows[BF16]).toMatchObject({ licensed: 1040n, reported: 1040n });
    // From now on it judges and signs with the others.
    const answer = await here.service.license({ evidence: await here.evidence(device), terms: REQUEST });
    expect(answer).toMatchObject({ complete: false, have: 1 });
    // And once more changes nothing, now that it is behind.
    await here.service.importRecovery(recovery);
    expect(await books(here, device)).toEqual([1040n, 1040n]);
  });

  it("may be shown before the reports of before it, which come first", async () => {
    const worlds = await apart();
    const { here, there, device } = worlds;
    const reports: ReportItem[] = [];
    // All of the last license is used, so that the last report of before has the totals of the recovery, but for a drain.
    for (const work of [300n, 200n, 1000n]) {
      await license(worlds, work);
      reports.push(device.report());
      expect(await taken(there, reports.at(-1)!)).toBe("taken");
    }
    await there.service.appraise(await there.evidence(device));
    const recovery = await recovered(worlds);
    await license(worlds, 5n);
    const after = device.report();
    expect(await taken(there, after)).toBe("taken");
    await here.service.importRecovery(recovery);
    expect(await taken(here, after)).toBe("report/gap");
    for (const made of [...reports, after]) expect(await taken(here, made)).toBe("taken");
    for (const world of [here, there]) await world.service.appraise(await world.evidence(device));
    expect(await books(here, device)).toEqual(await books(there, device));
  });

  it("is taken for each loss, one after the other", async () => {
    const worlds = await working();
    const { here, there, device } = worlds;
    const recoveries = [];
    const reports = [];
    for (const work of [10n, 20n]) {
      recoveries.push(await recovered(worlds));
      await license(worlds, work);
      const made = device.report();
      expect(await taken(there, made)).toBe("taken");
      reports.push(made);
    }
    for (const [i, made] of reports.entries()) {
      await here.service.importRecovery(recoveries[i]!);
      expect(await taken(here, made)).toBe("taken");
    }
    for (const world of [here, there]) await world.service.appraise(await world.evidence(device));
    expect(await books(here, device)).toEqual(await books(there, device));
    expect((await books(here, device))[0]).toBe(2020n);
  });

  it("completes a draft of this verifier that is the same, and goes before one that nobody completed", async () => {
    const worlds = await working();
    const { here, there, device } = worlds;
    const nonces = await Promise.all(
      [here, there].map(async ({ service }) => (await service.nonce(device.ueid)).nonce),
    );
    const evidence = device.evidence({ nonce: combinedNonce(nonces), ...LOST });
    const draft = await here.service.recovery({ evidence, nonces });
    if (draft.complete) throw new Error("one signature is no quorum");
    // Another draft, which takes its place here until the first is known to be whole.
    expect(await here.service.recovery({ evidence: await here.evidence(device, LOST) })).toMatchObject({ have: 1 });
    const own = decodeRecovery(parseSign(draft.draft).payload);
    const bytes = signRecovery({ ...own }, [north, south]);
    await here.service.importRecovery(bytes);
    expect(await here.service.recovery({ evidence, nonces })).toEqual({ complete: true, bytes, repeated: true });
    install(device, bytes);
    expect(await taken(here, device.report())).toBe("taken");
    expect((await books(here, device))[1]).toBe(1000n);
  });

  it("goes on from a license that this verifier does not know, and so do later licenses and recoveries", async () => {
    const worlds = await working();
    const { here, there, device } = worlds;
    // Drafts that nobody completes: only the sequence of the next one tells of them.
    await there.license(device);
    await there.license(device);
    const recovery = await recovered(worlds);
    expect(decodeRecovery(parseSign(recovery).payload).sequence).toBe(3n);
    await here.service.importRecovery(recovery);
    await report(worlds);
    expect((await here.service.device(device.ueid)).licenseSequence).toBe(1n);
    const again = await here.service.recovery({ evidence: await here.evidence(device, LOST) });
    if (again.complete) throw new Error("one signature is no quorum");
    const { sequence, totals } = decodeRecovery(parseSign(again.draft).payload);
    expect(sequence).toBe(3n);
    expect(totals[BF16]).toBeGreaterThanOrEqual(device.totals[BF16]!);
    const bytes = await there.license(device);
    expect(decodeLicense(parseSign(bytes).payload).sequence).toBe(4n);
    await here.service.importLicense(bytes);
  });

  it("is no reason to count twice: a recovery that is asked for again states the same", async () => {
    const worlds = await working();
    const { here, there, device } = worlds;
    const first = whole(await there.service.recovery({ evidence: await there.evidence(device, LOST) }));
    await here.service.importRecovery(first);
    const stated = async (world: ServiceWorld) => {
      const answer = await world.service.recovery({ evidence: await world.evidence(device, LOST) });
      return decodeRecovery(parseSign(answer.complete ? answer.bytes : answer.draft).payload).totals;
    };
    expect(await stated(there)).toEqual(decodeRecovery(parseSign(first).payload).totals);
    expect(await stated(there)).toEqual(await stated(here));
  });

  it("changes nothing where it is behind, and a device that was never recovered goes on as before", async () => {
    const worlds = await working();
    const { here, device } = worlds;
    const own = (await here.service.recovery({ evidence: await here.evidence(device, LOST) })) as { draft: Uint8Array };
    const stale = decodeRecovery(parseSign(own.draft).payload);
    await license(worlds, 1000n);
    await report(worlds);
    await here.service.importRecovery(signRecovery({ ...stale, totals: stale.totals.map(() => 0n) }, [south, north]));
    await license(worlds, 7n);
    await report(worlds);
    await here.service.appraise(await here.evidence(device));
    expect(await books(here, device)).toEqual([1307n, 1307n]);
  });

  it("waits for no transaction of others where it is none", async () => {
    const { here } = await apart();
    await here.store.write(async () => {
      expect(await codeOf(here.service.importRecovery(Uint8Array.of(0xa0)))).toBe("recovery/malformed");
    });
  });

  it("is refused if it is not whole, not real, of another device or agreement, or makes less of what was done", async () => {
    const worlds = await working();
    const { here, there, device } = worlds;
    const real = decodeRecovery(parseSign(await recovered(worlds)).payload);
    const signed = (change: Partial<Recovery>, by = [south, inspectorate]) => signRecovery({ ...real, ...change }, by);
    const refusal = (bytes: Uint8Array) => codeOf(here.service.importRecovery(bytes));
    expect(await refusal(Uint8Array.of(0xa0))).toBe("recovery/malformed");
    expect(await refusal(draftSign(parseSign(signed({})).payload))).toBe("recovery/malformed");
    expect(await refusal(await there.license(device))).toBe("recovery/malformed");
    expect(await refusal(signed({}, [south]))).toBe("recovery/signature");
    expect(await refusal(signed({}, PARTY_SIGNERS as [Signer, Signer]))).toBe("recovery/signature");
    const flipped = signed({});
    flipped[flipped.length - 1]! ^= 1;
    expect(await refusal(flipped)).toBe("recovery/signature");
    expect(await refusal(signed({ agreementDigest: new Uint8Array(32) }))).toBe("recovery/agreement");
    expect(await refusal(signed({ ueid: here.device("stranger").ueid }))).toBe("device/unknown");
    expect(await refusal(signed({ sequence: 1n + 1025n }))).toBe("recovery/license-ahead");
    const less = real.totals.map((work, c) => (c === BF16 ? 299n : work + 1n));
    expect(await refusal(signed({ totals: less }))).toBe("recovery/totals-regressed");
    const forked = { ...real.reportHead, digest: new Uint8Array(32) };
    expect(await refusal(signed({ reportHead: forked }))).toBe("recovery/report-forked");
    // After all of it the real one is taken still.
    await here.service.importRecovery(signed({}));
    expect(await taken(here, device.report())).toBe("taken");
  });
});
