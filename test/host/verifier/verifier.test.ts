import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ObjectType, OrderAction } from "../../../firmware/protocol/claims.ts";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { signAgreement } from "../../../host/objects/agreement.ts";
import { verifyLicense } from "../../../host/objects/license.ts";
import { NO_ORDER, orderDigest, verifyOrder } from "../../../host/objects/order.ts";
import { verifyRecovery } from "../../../host/objects/recovery.ts";
import { verifyTime } from "../../../host/objects/time.ts";
import { VerifierError } from "../../../host/verifier/errors.ts";
import { agreementOf, BF16, COPY, type FakeGovernor, PARTY_SIGNERS, signerOf, World } from "../fake-governor.ts";

const REQUEST = { budget: new Map([[BF16, 1000n]]), ticksMax: 1000n, windowSeconds: 600 };

function verifierCodeOf(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof VerifierError) return error.code;
    throw error;
  }
  return undefined;
}

const rowOf = (world: World, engineClass: number) => world.verifier.books()[engineClass]!;

/** Report, evidence, license. */
function renew(world: World, device: FakeGovernor, request = REQUEST): void {
  device.upload();
  device.install(world.verifier.issueLicense(device.evidence(), request));
}

describe("a license", () => {
  it("answers its evidence, within the agreement, for this device and epoch", () => {
    const world = new World();
    const device = world.enrolled();
    const license = verifyLicense(world.verifier.issueLicense(device.evidence(), REQUEST), world.agreement);
    expect(license).toMatchObject({
      nonce: device.challenge,
      ueid: device.ueid,
      agreementDigest: world.digest,
      epoch: 0,
      sequence: 1n,
      budget: REQUEST.budget,
      drain: world.agreement.drain,
      notBeforeSeconds: 1_800_000_000,
      expirySeconds: 1_800_000_600,
    });
  });

  it("comes as the same bytes for the same evidence, however often it is asked for", () => {
    const world = new World();
    const device = world.enrolled();
    const evidence = device.evidence();
    const first = world.verifier.issueLicense(evidence, REQUEST);
    world.nowMs += 5000;
    expect(world.verifier.issueLicense(evidence, { ...REQUEST, windowSeconds: 60 })).toBe(first);
  });

  it("never has a sequence that another had, installed or not", () => {
    const world = new World();
    const device = world.enrolled();
    const sequences = [1, 2, 3].map(
      () => verifyLicense(world.verifier.issueLicense(device.evidence(), REQUEST), world.agreement).sequence,
    );
    expect(sequences).toEqual([1n, 2n, 3n]);
  });

  it("is signed by exactly the quorum: the parties that agree, and no more than are needed", () => {
    const modest = { budgetMax: new Map([[BF16, 500n]]) };
    const world = new World({}, [modest, {}, {}]);
    const device = world.enrolled();
    const bytes = world.verifier.issueLicense(device.evidence(), REQUEST);
    expect(verifyLicense(bytes, { ...world.agreement, parties: world.agreement.parties.slice(1) }).sequence).toBe(1n);
  });

  it.each([
    ["a budget", { budgetMax: new Map([[BF16, 999n]]) }],
    ["a class that it does not name", { budgetMax: new Map([[COPY, 999n]]) }],
    ["ticks", { licenseTicksMax: 999n }],
    ["a window", { licenseSecondsMax: 599n }],
  ])("is not given when too many parties object to %s", (_what, policy) => {
    const world = new World({}, [policy, policy, {}]);
    const evidence = world.enrolled().evidence();
    expect(verifierCodeOf(() => world.verifier.issueLicense(evidence, REQUEST))).toBe("license/quorum");
  });
});

describe("the chain of reports", () => {
  it("takes a report again, byte for byte, without counting it twice", () => {
    const world = new World();
    const device = world.enrolled();
    device.install(world.verifier.issueLicense(device.evidence(), REQUEST));
    device.work(BF16, 10n);
    const { report, intervals } = device.report();
    expect(world.verifier.acceptReport(report, intervals).repeated).toBe(false);
    expect(world.verifier.acceptReport(report, intervals)).toMatchObject({ sequence: 1n, repeated: true });
    expect(rowOf(world, BF16).reported).toBe(10n);
  });

  it("refuses another report of a sequence that it has", () => {
    const world = new World();
    const device = world.enrolled();
    device.upload();
    device.head = { ...device.head, sequence: 0n };
    expect(verifierCodeOf(() => device.upload())).toBe("report/forked");
  });

  it("gives no license over a gap, and gives one when the gap is filled", () => {
    const world = new World();
    const device = world.enrolled();
    const [first, second] = [device.report(), device.report()];
    expect(verifierCodeOf(() => world.verifier.issueLicense(device.evidence(), REQUEST))).toBe(
      "evidence/report-missing",
    );
    expect(verifierCodeOf(() => world.verifier.acceptReport(second.report))).toBe("report/gap");
    world.verifier.acceptReport(first.report, first.intervals);
    world.verifier.acceptReport(second.report, second.intervals);
    world.verifier.issueLicense(device.evidence(), REQUEST);
  });

  it("goes on over power-ups, and over a new governor image with another attestation key", () => {
    const world = new World();
    const device = world.enrolled();
    device.upload();
    device.powerCycle();
    device.upload();
    const last = device.report();
    device.attester = signerOf("updated attester");
    world.verifier.enrol(device.endorsement(), device.certificate());
    world.verifier.acceptReport(last.report, last.intervals);
    device.upload();
    world.verifier.issueLicense(device.evidence(), REQUEST);
  });

  it("refuses intervals whose sums are not the totals, or that are not the report's", () => {
    const world = new World();
    const device = world.enrolled();
    device.install(world.verifier.issueLicense(device.evidence(), REQUEST));
    device.work(BF16, 10n);
    const { report, intervals } = device.report();
    const changed = Uint8Array.from(intervals);
    changed[changed.length - 1]! ^= 1;
    expect(verifierCodeOf(() => world.verifier.acceptReport(report, changed))).toBe("report/intervals");
    expect(verifierCodeOf(() => world.verifier.acceptReport(report, new Uint8Array(0)))).toBe("report/intervals");
    world.verifier.acceptReport(report, intervals);
  });
});

describe("the books", () => {
  it("are equal when all is at rest and reported, whatever was used of each license", () => {
    const use = fc.record({
      budget: fc.bigInt({ min: 1n, max: 1000n }),
      part: fc.nat({ max: 100 }),
      tail: fc.nat({ max: 100 }),
      drain: fc.nat({ max: 100 }),
    });
    fc.assert(
      fc.property(fc.array(use, { minLength: 1, maxLength: 6 }), (uses) => {
        const world = new World();
        const device = world.enrolled();
        let done = 0n;
        for (const { budget, part, tail, drain } of uses) {
          device.upload();
          const license = world.verifier.issueLicense(device.evidence(), {
            ...REQUEST,
            budget: new Map([[BF16, budget]]),
          });
          // The old license goes on until the new one is installed.
          const late = (device.left[BF16]! * BigInt(tail)) / 100n;
          device.work(BF16, late);
          device.install(license);
          const used = (budget * BigInt(part)) / 100n;
          device.work(BF16, used);
          device.work(COPY, BigInt(drain), true);
          done += late + used;
        }
        device.upload();
        world.verifier.appraise(device.evidence());
        expect(rowOf(world, BF16)).toEqual({ engineClass: BF16, licensed: done, reported: done });
        expect(rowOf(world, COPY).licensed).toBe(rowOf(world, COPY).reported);
      }),
      { numRuns: 25 },
    );
  });

  it("show work that is not reported yet as the difference", () => {
    const world = new World();
    const device = world.enrolled();
    renew(world, device);
    device.work(BF16, 10n);
    world.verifier.appraise(device.evidence());
    expect(rowOf(world, BF16)).toEqual({ engineClass: BF16, licensed: 10n, reported: 0n });
  });

  it("do not take more for a drain than was allowed for drains", () => {
    const world = new World();
    const device = world.enrolled();
    renew(world, device);
    device.work(COPY, 100n, true);
    renew(world, device);
    device.work(COPY, 101n, true);
    device.upload();
    expect(verifierCodeOf(() => world.verifier.appraise(device.evidence()))).toBe("evidence/overrun");
  });
});

describe("the ceremony", () => {
  it("pauses with one party of three, and resumes with two", () => {
    const world = new World();
    const { verifier, parties, agreement } = world;
    const pause = verifier.proposeOrder({ action: OrderAction.PAUSE });
    expect(pause).toMatchObject({ quorum: 1, active: false, approvals: [] });
    const paused = verifier.approveOrder(pause.id, parties[2]!);
    expect(paused).toMatchObject({ active: true, approvals: ["inspectorate"] });
    expect(verifyOrder(paused.bytes!, agreement, 1)).toMatchObject({ action: OrderAction.PAUSE, epoch: 1 });

    const resume = verifier.proposeOrder({ action: OrderAction.RESUME });
    const half = verifier.approveOrder(resume.id, parties[0]!);
    expect(half).toMatchObject({ quorum: 2, active: false });
    expect(half.bytes).toBeUndefined();
    expect(verifier.ceremony.book.newest!.order.action).toBe(OrderAction.PAUSE);
    const whole = verifier.approveOrder(resume.id, parties[1]!);
    expect(verifyOrder(whole.bytes!, agreement, 2)).toMatchObject({ action: OrderAction.RESUME, epoch: 2 });
  });

  it("asks the pause quorum for slower and the resume quorum for faster", () => {
    const world = new World();
    const quorumOf = (permille: number) => world.verifier.proposeOrder({ action: OrderAction.SLOW, permille }).quorum;
    expect(quorumOf(500)).toBe(1);
    world.order(OrderAction.SLOW, [], 500);
    expect([quorumOf(400), quorumOf(500), quorumOf(501)]).toEqual([1, 1, 2]);
  });

  it("asks for the larger quorum where an order raises some devices and lowers others", () => {
    const world = new World();
    const [slow, full] = [world.enrolled("a"), world.enrolled("b")];
    const { verifier } = world;
    const { id } = verifier.proposeOrder({ action: OrderAction.SLOW, permille: 300, scope: [slow.ueid] });
    verifier.approveOrder(id, world.parties[0]!);
    const mixed = verifier.proposeOrder({ action: OrderAction.SLOW, permille: 500, scope: [slow.ueid, full.ueid] });
    expect(mixed.quorum).toBe(world.agreement.quorums.resume);
  });

  it("gives a device that joins late every order after its epoch, oldest first", () => {
    const world = new World();
    const orders = [world.order(OrderAction.PAUSE), world.order(OrderAction.RESUME), world.order(OrderAction.PAUSE)];
    const late = world.enrolled();
    expect(world.verifier.ordersAfter(late.epoch).map(({ bytes }) => bytes)).toEqual(orders);
    expect(world.verifier.ordersAfter(2).map(({ order }) => order.epoch)).toEqual([3]);
    expect(world.verifier.ceremony.book.newest!.order.epoch).toBe(3);
  });

  it("leaves devices outside its scope as they are", () => {
    const world = new World();
    const [a, b] = [world.enrolled("a"), world.enrolled("b")];
    const { id } = world.verifier.proposeOrder({ action: OrderAction.PAUSE, scope: [a.ueid] });
    const { bytes } = world.verifier.approveOrder(id, world.parties[0]!);
    for (const device of [a, b]) device.obey(bytes!);
    expect(verifierCodeOf(() => world.verifier.issueLicense(a.evidence(), REQUEST))).toBe("license/paused");
    world.verifier.issueLicense(b.evidence(), REQUEST);
  });

  it("has the time authorities confirm an order when its time has come, and not before", () => {
    const world = new World();
    const confirmed = () => verifyTime(ObjectType.BEACON, world.verifier.beacon(), world.agreement);
    expect(confirmed()).toMatchObject({ epoch: 0, orderDigest: NO_ORDER, issuedAtSeconds: 1_800_000_000 });
    const { id, order } = world.verifier.proposeOrder({ action: OrderAction.PAUSE, notBeforeSeconds: 1_800_000_010 });
    world.verifier.approveOrder(id, world.parties[0]!);
    expect(confirmed()).toMatchObject({ epoch: 0, orderDigest: NO_ORDER });
    world.nowMs += 10_000;
    expect(confirmed()).toMatchObject({ epoch: 1, orderDigest: orderDigest(order) });
    const nonce = new Uint8Array(32).fill(9);
    const proof = verifyTime(ObjectType.TIME_PROOF, world.verifier.timeProof(nonce), world.agreement);
    expect(proof).toMatchObject({ nonce, epoch: 1 });
  });
});

describe("a recovery", () => {
  const locked = { gateState: GateState.LOCKED, lastCode: ErrorCode.JOURNAL_ROLLBACK };

  it("counts everything that may have been done as done, and the device goes on from there", () => {
    const world = new World();
    const device = world.enrolled();
    renew(world, device);
    device.work(BF16, 300n);
    world.order(OrderAction.PAUSE, [device]);
    const bytes = world.verifier.issueRecovery(device.evidence({ ...locked, bootCount: 0, licenseSequence: 0n }));
    const recovery = verifyRecovery(bytes, world.agreement);
    expect(recovery).toMatchObject({ action: OrderAction.PAUSE, epoch: 1, sequence: 1n, nonce: device.challenge });
    expect(recovery.totals[BF16]).toBe(1000n);
    expect(recovery.totals[COPY]).toBe(200n);

    device.recover(bytes);
    device.bootCount = 1;
    world.order(OrderAction.RESUME, [device]);
    renew(world, device);
    device.work(BF16, 50n);
    device.upload();
    world.verifier.appraise(device.evidence());
    expect(rowOf(world, BF16)).toEqual({ engineClass: BF16, licensed: 1050n, reported: 1050n });
  });

  it("counts a license that was issued and perhaps installed", () => {
    const world = new World();
    const device = world.enrolled();
    world.verifier.issueLicense(device.evidence(), REQUEST);
    const recovery = verifyRecovery(world.verifier.issueRecovery(device.evidence(locked)), world.agreement);
    expect(recovery.totals[BF16]).toBe(1000n);
  });
});

describe("an amended agreement", () => {
  it("is asked of devices from then on, while reports from before still count", () => {
    const world = new World();
    const device = world.enrolled();
    const before = device.report();
    world.verifier.amend(signAgreement(agreementOf({ version: 2 }), PARTY_SIGNERS.slice(1)));
    world.verifier.acceptReport(before.report, before.intervals);
    expect(verifierCodeOf(() => world.verifier.appraise(device.evidence()))).toBe("evidence/agreement");
  });
});
