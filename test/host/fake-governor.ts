/** The governor's side of the protocol in software, for tests of the verifier: it says whatever the test wants it to. */
import { sha256 } from "@noble/hashes/sha2.js";
import type { OrderAction } from "../../firmware/protocol/claims.ts";
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { GateState } from "../../firmware/protocol/states.ts";
import { type Agreement, agreementDigest, signAgreement } from "../../host/objects/agreement.ts";
import { NO_REPORT, type ReportHead } from "../../host/objects/eat.ts";
import { signCertificate, signEndorsement, ueidOf } from "../../host/objects/endorsement.ts";
import { type Evidence, signEvidence } from "../../host/objects/evidence.ts";
import { encodeIntervals, type Interval, intervalTree } from "../../host/objects/intervals.ts";
import { decodeLicense } from "../../host/objects/license.ts";
import { decodeOrder, NO_ORDER } from "../../host/objects/order.ts";
import { decodeRecovery } from "../../host/objects/recovery.ts";
import { reportDigest, signUsageReport, type UsageReport } from "../../host/objects/usage-report.ts";
import { allWork, noWork } from "../../host/objects/work.ts";
import { ed25519Signer, parseSign, type Signer, verificationKey } from "../../host/protocol/cose.ts";
import { Party, type PartyPolicy } from "../../host/verifier/party.ts";
import { MemoryStorage } from "../../host/verifier/storage.ts";
import { timeMember } from "../../host/verifier/time-authority.ts";
import { Verifier } from "../../host/verifier/verifier.ts";

/** A signer from a name: the same key every time. */
export function signerOf(name: string): Signer {
  return ed25519Signer(sha256(new TextEncoder().encode(`verifier test ${name}`)));
}

export const MANUFACTURER = signerOf("manufacturer");
export const CLOCK = signerOf("clock");
export const PARTY_SIGNERS = ["north", "south", "inspectorate"].map(signerOf);
export const MEASUREMENT = new Uint8Array(32).fill(0xaa);
const HARDWARE = {
  oemId: Uint8Array.of(1, 2, 3),
  hardwareModel: new Uint8Array(8).fill(0x4d),
  hardwareVersion: "1.00",
};
export const BF16 = EngineClass.TENSOR_BF16;
export const COPY = EngineClass.COPY;

export function agreementOf(change: Partial<Agreement> = {}): Agreement {
  return {
    version: 1,
    name: "test",
    parties: ["north", "south", "inspectorate"].map((name, i) => new Party(name, PARTY_SIGNERS[i]!).member),
    quorums: { license: 2, pause: 1, resume: 2, update: 2, amend: 2 },
    timeAuthorities: [timeMember("clock", CLOCK)],
    timeQuorum: 1,
    caps: new Map([
      [BF16, { budgetMax: 10_000n, rateMax: 10n }],
      [COPY, { budgetMax: 1_000n, rateMax: 10n }],
    ]),
    tickHz: 1000,
    driftPpm: 100,
    leaseSeconds: 60,
    licenseTicksMax: 3_600_000n,
    sliceTicks: 10n,
    drain: new Map([[COPY, 100n]]),
    drainTicksMax: 10_000n,
    offline: false,
    svnLeast: 1,
    ...change,
  };
}

/** A verifier with three parties, a clock that a test turns, and devices that a test plays. */
export class World {
  nowMs = 1_800_000_000_500;
  readonly agreement: Agreement;
  readonly digest: Uint8Array;
  readonly parties: Party[];
  readonly storage = new MemoryStorage();
  readonly verifier: Verifier;
  #drawn = 0;

  constructor(change: Partial<Agreement> = {}, policies: readonly PartyPolicy[] = []) {
    this.agreement = agreementOf(change);
    this.digest = agreementDigest(this.agreement);
    this.parties = this.agreement.parties.map(({ name }, i) => new Party(name, PARTY_SIGNERS[i]!, policies[i]));
    this.verifier = new Verifier({
      agreement: signAgreement(this.agreement, PARTY_SIGNERS),
      parties: this.parties,
      timeSigners: [CLOCK],
      references: {
        manufacturers: [verificationKey(MANUFACTURER.publicKey)],
        measurements: [{ digest: MEASUREMENT, svnLeast: 0 }],
      },
      clock: () => this.nowMs,
      storage: this.storage,
      random: (bytes) => sha256(Uint8Array.of(++this.#drawn & 255, this.#drawn >> 8)).slice(0, bytes),
    });
  }

  /** A device of this name that is not enrolled. */
  device(name = "device"): FakeGovernor {
    return new FakeGovernor(this, name);
  }

  enrolled(name = "device"): FakeGovernor {
    const device = this.device(name);
    this.verifier.enrol(device.endorsement(), device.certificate());
    return device;
  }

  /** Ordered by as many parties as it takes, and obeyed by these devices. */
  order(action: OrderAction, devices: readonly FakeGovernor[] = [], permille?: number): Uint8Array {
    let status = this.verifier.proposeOrder({ action, permille });
    for (const party of this.parties) {
      if (!status.active) status = this.verifier.approveOrder(status.id, party);
    }
    for (const device of devices) device.obey(status.bytes!);
    return status.bytes!;
  }
}

/** What a governor needs of the world around it. */
export interface GovernorWorld {
  readonly nowMs: number;
  /** Of the agreement in force. */
  readonly digest: Uint8Array;
  readonly verifier: Pick<Verifier, "challenge"> & { acceptReport(report: Uint8Array, intervals: Uint8Array): unknown };
}

export class FakeGovernor {
  readonly deviceSigner: Signer;
  attester: Signer;
  readonly ueid: Uint8Array;
  measurement = MEASUREMENT;
  bootCount = 1;
  bootSeed: Uint8Array;
  gateState = GateState.IDLE;
  epoch: number;
  orderDigest: Uint8Array = NO_ORDER;
  totals = noWork();
  left = noWork();
  licenseSequence = 0n;
  head: ReportHead = NO_REPORT;
  tick = 0n;
  intervals: Interval[] = [];
  readonly #world: GovernorWorld;
  #reportedTick = 0n;
  #challenges = 0;

  constructor(world: GovernorWorld, name: string) {
    this.#world = world;
    this.deviceSigner = signerOf(`${name} device`);
    this.attester = signerOf(`${name} attester`);
    this.ueid = ueidOf(this.deviceSigner.publicKey);
    this.bootSeed = this.#seed(0);
    this.epoch = 0;
  }

  get challenge(): Uint8Array {
    return sha256(Uint8Array.of(this.#challenges, ...this.ueid));
  }

  endorsement(change: object = {}, manufacturer = MANUFACTURER): Uint8Array {
    const devicePublicKey = this.deviceSigner.publicKey;
    return signEndorsement({ devicePublicKey, ueid: this.ueid, ...HARDWARE, ...change }, manufacturer);
  }

  certificate(change: object = {}, device = this.deviceSigner): Uint8Array {
    const { attester, ueid, measurement } = this;
    return signCertificate({ attestationPublicKey: attester.publicKey, ueid, measurement, ...change }, device);
  }

  powerCycle(): void {
    this.bootCount += 1;
    this.bootSeed = this.#seed(this.bootCount);
    this.tick = 0n;
    this.#reportedTick = 0n;
  }

  /** Work under the license; `beyond`: on a drain allowance, or on nobody's. */
  work(engineClass: EngineClass, amount: bigint, beyond = false): void {
    this.tick += 100n;
    this.totals[engineClass]! += amount;
    if (!beyond) this.left[engineClass]! -= amount;
    const work = noWork();
    work[engineClass] = amount;
    this.intervals = [...this.intervals, { endTick: this.tick, work }].slice(-8);
  }

  evidence(change: Partial<Evidence> = {}, attester = this.attester): Uint8Array {
    const lowerMs = Math.floor(this.#world.nowMs / 1000) * 1000;
    const evidence: Evidence = {
      ...HARDWARE,
      nonce: change.nonce ?? this.#world.verifier.challenge(this.ueid),
      bootSeed: this.bootSeed,
      ueid: this.ueid,
      uptimeSeconds: Number(this.tick / 1000n),
      bootCount: this.bootCount,
      measurement: this.measurement,
      agreementDigest: this.#world.digest,
      epoch: this.epoch,
      gateState: this.gateState,
      tamper: 0,
      totals: this.totals,
      budgetLeft: this.left,
      reportHead: this.head,
      licenseSequence: this.licenseSequence,
      challenge: this.challenge,
      timeBounds: { lowerMs, upperMs: lowerMs + 1100 },
      counterPermille: 0,
      flashPermille: 0,
      failures: 0,
      backOffTicks: 0n,
      svn: 1,
      agreementVersion: 1,
      lastCode: 0,
      orderDigest: this.orderDigest,
      ...change,
    };
    return signEvidence(evidence, attester);
  }

  /** The next report, and from then on its digest is the chain's head; a change that a test wants goes in before. */
  report(change: Partial<UsageReport> = {}, attester = this.attester): { report: Uint8Array; intervals: Uint8Array } {
    const intervals = this.intervals;
    const bytes = signUsageReport(
      {
        ueid: this.ueid,
        bootCount: this.bootCount,
        agreementDigest: this.#world.digest,
        epoch: this.epoch,
        sequence: this.head.sequence + 1n,
        gateState: this.gateState,
        totals: this.totals,
        licenseSequence: this.licenseSequence,
        timeBounds: null,
        previous: this.head.digest,
        fromTick: this.#reportedTick,
        toTick: this.tick,
        denied: noWork(),
        throttled: noWork(),
        transitionCount: 0,
        transitions: [],
        intervalCount: intervals.length,
        intervalRoot: intervalTree(intervals).hash,
        ...change,
      },
      attester,
    );
    this.head = { sequence: this.head.sequence + 1n, digest: reportDigest(bytes) };
    this.intervals = [];
    this.#reportedTick = this.tick;
    return { report: bytes, intervals: encodeIntervals(intervals) };
  }

  /** Reports to the verifier. */
  upload(): void {
    const { report, intervals } = this.report();
    this.#world.verifier.acceptReport(report, intervals);
  }

  install(bytes: Uint8Array): void {
    const license = decodeLicense(parseSign(bytes).payload);
    this.licenseSequence = license.sequence;
    this.left = allWork(license.budget);
    this.#challenges += 1;
  }

  obey(bytes: Uint8Array): void {
    const { payload } = parseSign(bytes);
    this.epoch = decodeOrder(payload).epoch;
    this.orderDigest = sha256(payload);
  }

  recover(bytes: Uint8Array): void {
    const recovery = decodeRecovery(parseSign(bytes).payload);
    this.totals = [...recovery.totals];
    this.left = noWork();
    this.licenseSequence = recovery.sequence;
    this.head = recovery.reportHead;
    this.epoch = recovery.epoch;
    this.orderDigest = recovery.orderDigest;
    this.intervals = [];
    this.gateState = GateState.IDLE;
    this.#challenges += 1;
  }

  #seed(bootCount: number): Uint8Array {
    return sha256(Uint8Array.of(bootCount, ...this.ueid));
  }
}
