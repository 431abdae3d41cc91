/**
 * The verifier (RFC 9334): enrols devices, appraises their evidence, has licenses signed, keeps the chain of their usage
 * reports and the books, runs the ceremony of orders, and tells the time. This class is the order in which the parts are
 * called; what each decides stands in its own file, as a function of what it is given.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { OrderAction } from "../../firmware/protocol/claims.ts";
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { type Agreement, verifyAgreement } from "../objects/agreement.ts";
import { decodeEvidence, type Evidence, verifyEvidence } from "../objects/evidence.ts";
import type { License } from "../objects/license.ts";
import { encodeRecovery, type Recovery, recoveryQuorum, verifyRecovery } from "../objects/recovery.ts";
import { decodeUsageReport, type UsageReport, verifyUsageReport } from "../objects/usage-report.ts";
import { type AllWork, mostWork, noWork, sumWork, workBetween } from "../objects/work.ts";
import { draftSign, parseSign1, type Signer, verificationKey } from "../protocol/cose.ts";
import { type Appraisal, appraise, type Purpose } from "./appraisal.ts";
import { type BooksRow, licensedWork, overrunOf, recoverBooks, settleBooks, worstCase } from "./books.ts";
import { hexOf, sameBytes } from "./bytes.ts";
import { Ceremony, type DraftStatus, type OrderRequest } from "./ceremony.ts";
import { followChain } from "./chain.ts";
import { VerifierError } from "./errors.ts";
import { drawUpLicense, gather, type LicenseRequest, signByQuorum } from "./licensing.ts";
import { Nonces } from "./nonces.ts";
import type { Party } from "./party.ts";
import { enrolDevice, type ReferenceValues } from "./registry.ts";
import { readSigned } from "./signed.ts";
import { type DeviceRecord, MemoryStorage, type Storage, type StoredOrder } from "./storage.ts";
import { TimeAuthority } from "./time-authority.ts";

export interface VerifierOptions {
  /** The agreement, signed by all its parties. */
  readonly agreement: Uint8Array;
  /** The parties that are asked for signatures, in this order. */
  readonly parties: readonly Party[];
  /** Exactly as many as the time quorum asks for. */
  readonly timeSigners: readonly Signer[];
  readonly references: ReferenceValues;
  /** Agreement time in ms. */
  readonly clock: () => number;
  /** So many unpredictable bytes. */
  readonly random: (bytes: number) => Uint8Array;
  readonly storage?: Storage;
}

/** A report that was taken. */
export interface ReportReceipt {
  readonly sequence: bigint;
  /** Whether it was here already, byte for byte. */
  readonly repeated: boolean;
  /** What was done since the report before. */
  readonly work: AllWork;
}

export class Verifier {
  readonly ceremony: Ceremony;
  readonly #options: VerifierOptions;
  #references: ReferenceValues;
  readonly #storage: Storage;
  readonly #nonces: Nonces;
  readonly #time: TimeAuthority;
  /** Oldest first; the newest is in force. */
  readonly #agreements: { agreement: Agreement; digest: Uint8Array; bytes: Uint8Array }[];

  /** Throws a `VerifierError` for an agreement that not all its parties signed. */
  constructor(options: VerifierOptions) {
    this.#options = options;
    this.#references = options.references;
    this.#storage = options.storage ?? new MemoryStorage();
    this.#nonces = new Nonces(options.random);
    this.#agreements = [readAgreement(options.agreement)];
    this.ceremony = new Ceremony(this.#storage, () => this.#inForce);
    this.#time = new TimeAuthority(options.timeSigners, {
      agreementDigest: () => this.#inForce.digest,
      confirmed: (nowMs) => this.ceremony.confirmed(nowMs),
    });
  }

  get agreement(): Agreement {
    return this.#inForce.agreement;
  }

  /** The agreement in force, as devices are given it. */
  get agreementBytes(): Uint8Array {
    return this.#inForce.bytes;
  }

  /** The agreements of later versions, oldest first: a device takes them in turn. */
  agreementsAfter(version: number): readonly Uint8Array[] {
    return this.#agreements.filter(({ agreement }) => agreement.version > version).map(({ bytes }) => bytes);
  }

  /** Puts an agreement in force that the amend quorum of the one before signed. */
  amend(bytes: Uint8Array): void {
    this.#agreements.push(readAgreement(bytes, this.agreement));
  }

  /** From now on these: what is not among them any more gets no license. */
  setReferences(references: ReferenceValues): void {
    this.#references = references;
  }

  /** Makes a device known, or its new attestation key. Returns its UEID. */
  enrol(endorsement: Uint8Array, certificate: Uint8Array): Uint8Array {
    const known = (ueid: string) => this.#storage.device(ueid);
    const record = enrolDevice(endorsement, certificate, this.#references, this.agreement, known);
    this.#storage.putDevice(record);
    return record.ueid;
  }

  /** A nonce for the next evidence of a device. */
  challenge(ueid: Uint8Array): Uint8Array {
    const device = this.#device(ueid);
    return this.#nonces.give(hexOf(device.ueid), this.#options.clock());
  }

  /** Judges evidence, and books what it says. Uses its nonce up. */
  appraise(bytes: Uint8Array, purpose: Purpose = "license"): Appraisal {
    const nowMs = this.#options.clock();
    const { evidence, device } = this.#verifyEvidence(bytes);
    const nonceGivenMs = this.#nonces.take(hexOf(device.ueid), evidence.nonce, nowMs);
    const current = withRecovery(device, evidence.totals);
    const appraisal = appraise(evidence, purpose, {
      device: current,
      references: this.#references,
      agreement: this.agreement,
      agreementDigest: this.#inForce.digest,
      epochNow: this.ceremony.confirmed(nowMs).epoch,
      epochNewest: this.ceremony.epochNewest(),
      orderDigestAt: (epoch) => this.ceremony.orderDigestAt(epoch),
      nonceGivenMs,
      nowMs,
    });
    if (purpose === "license") this.#storage.putDevice(this.#settle(current, evidence));
    return appraisal;
  }

  /** A license on this evidence. The same evidence gets the same bytes again. */
  issueLicense(evidenceBytes: Uint8Array, request: LicenseRequest): Uint8Array {
    return this.#once(evidenceBytes, () => {
      const appraisal = this.appraise(evidenceBytes);
      const { ueid, epoch } = appraisal.evidence;
      if (this.ceremony.inForce(ueid, epoch).action === OrderAction.PAUSE) throw new VerifierError("license/paused");
      const nowMs = this.#options.clock();
      const device = this.#device(ueid);
      const license = drawUpLicense(request, appraisal, this.agreement, device.sequenceIssued, nowMs);
      const bytes = signByQuorum(license, this.#options.parties, this.agreement, nowMs);
      this.#storage.putLicense(hexOf(ueid), { license, bytes });
      this.#storage.putDevice({ ...device, sequenceIssued: license.sequence });
      return bytes;
    });
  }

  /** A recovery for a board that lost its journal: whatever it may have done by now counts as done. */
  issueRecovery(evidenceBytes: Uint8Array): Uint8Array {
    return this.#once(evidenceBytes, () => {
      const appraisal = this.appraise(evidenceBytes, "recovery");
      const { evidence } = appraisal;
      const device = this.#device(evidence.ueid);
      const confirmed = this.ceremony.confirmed(this.#options.clock());
      const recovery: Recovery = {
        nonce: evidence.challenge,
        ueid: evidence.ueid,
        agreementDigest: this.#inForce.digest,
        ...confirmed,
        sequence: device.sequenceIssued,
        ...this.ceremony.inForce(evidence.ueid, confirmed.epoch),
        // A lost journal says nothing of the totals; one that is whole (a faulty meter) may say more than the books.
        totals: mostWork(this.#worstCase(device), evidence.totals),
        reportHead: device.chain.head,
      };
      const quorum = recoveryQuorum(this.agreement, recovery);
      const draft = draftSign(encodeRecovery(recovery));
      const bytes = gather(draft, this.#options.parties, quorum, "recovery/quorum", (party, signed) =>
        party.judgeRecovery(signed, device.chain.totals, appraisal),
      );
      verifyRecovery(bytes, this.agreement);
      this.#storage.putDevice({ ...device, recovery });
      return bytes;
    });
  }

  /** Takes the next report of a device's chain, or one again. Intervals may come with it. */
  acceptReport(bytes: Uint8Array, intervals?: Uint8Array): ReportReceipt {
    const { report, device } = this.#verifyReport(bytes);
    const ueid = hexOf(device.ueid);
    const current = withRecovery(device, report.totals);
    const stored = this.#storage.report(ueid, report.sequence);
    const step = followChain(bytes, report, intervals, {
      device: current,
      stored,
      isKnownAgreement: (digest) => this.#agreements.some((known) => sameBytes(known.digest, digest)),
    });
    if (step.repeated) return { sequence: report.sequence, repeated: true, work: noWork() };
    this.#storage.putReport(ueid, { report, bytes, intervals });
    this.#storage.putDevice({ ...current, chain: step.chain });
    return { sequence: report.sequence, repeated: false, work: workBetween(current.chain.totals, report.totals) };
  }

  proposeOrder(request: OrderRequest): DraftStatus {
    return this.ceremony.propose(request, this.#options.clock());
  }

  approveOrder(id: number, party: Party): DraftStatus {
    return this.ceremony.approve(id, party);
  }

  /** What a device that knows this epoch must be given, oldest first. */
  ordersAfter(epoch: number): readonly StoredOrder[] {
    return this.ceremony.ordersAfter(epoch);
  }

  beacon(): Uint8Array {
    return this.#time.beacon(this.#options.clock());
  }

  timeProof(nonce: Uint8Array): Uint8Array {
    return this.#time.timeProof(nonce, this.#options.clock());
  }

  /** Licensed and reported, for every class, over all devices or one. Equal when all is at rest and reported. */
  books(ueid?: Uint8Array): BooksRow[] {
    const devices = ueid === undefined ? [...this.#storage.devices()] : [this.#device(ueid)];
    const licensed = devices.map(({ books }) => licensedWork(books)).reduce(sumWork, noWork());
    const reported = devices.map(({ chain }) => chain.totals).reduce(sumWork, noWork());
    return Array.from({ length: EngineClass.COUNT }, (_, engineClass) => ({
      engineClass,
      licensed: licensed[engineClass]!,
      reported: reported[engineClass]!,
    }));
  }

  get #inForce() {
    return this.#agreements.at(-1)!;
  }

  #device(ueid: Uint8Array): DeviceRecord {
    const device = this.#storage.device(hexOf(ueid));
    if (!device) throw new VerifierError("device/unknown", hexOf(ueid));
    return device;
  }

  #verifyEvidence(bytes: Uint8Array): { evidence: Evidence; device: DeviceRecord } {
    return readSigned("evidence/malformed", "evidence/signature", () => {
      const claimed = decodeEvidence(parseSign1(bytes).payload);
      const device = this.#device(claimed.ueid);
      const key = verificationKey(device.certificates.at(-1)!.attestationPublicKey);
      return { evidence: verifyEvidence(bytes, key), device };
    });
  }

  #verifyReport(bytes: Uint8Array): { report: UsageReport; device: DeviceRecord } {
    return readSigned("report/malformed", "report/signature", () => {
      const message = parseSign1(bytes);
      const device = this.#device(decodeUsageReport(message.payload).ueid);
      const keys = device.certificates.map(({ attestationPublicKey }) => verificationKey(attestationPublicKey));
      const key = keys.find(({ kid }) => message.kid && sameBytes(kid, message.kid));
      if (!key) throw new VerifierError("report/signature", "an unknown key");
      return { report: verifyUsageReport(bytes, key), device };
    });
  }

  /** The record after good evidence. Throws `evidence/license-unknown` and `evidence/overrun`. */
  #settle(device: DeviceRecord, evidence: Evidence): DeviceRecord {
    const { licenseSequence } = evidence;
    const isNew = licenseSequence !== device.books.licenseSequence;
    const license = isNew ? this.#storage.license(hexOf(device.ueid), licenseSequence)?.license : undefined;
    if (isNew && !license) throw new VerifierError("evidence/license-unknown", `${licenseSequence}`);
    const books = settleBooks(device.books, evidence, license, this.agreement);
    const overrun = overrunOf(books).findIndex((work) => work > 0n);
    if (overrun >= 0) throw new VerifierError("evidence/overrun", `class ${overrun}`);
    const { bootCount, bootSeed, totals } = evidence;
    return { ...device, books, lastSeen: { bootCount, bootSeed, totals, licenseSequence } };
  }

  #worstCase(device: DeviceRecord): bigint[] {
    const pending: License[] = [];
    for (let sequence = device.books.licenseSequence + 1n; sequence <= device.sequenceIssued; sequence += 1n) {
      const stored = this.#storage.license(hexOf(device.ueid), sequence);
      if (stored) pending.push(stored.license);
    }
    const worst = worstCase(device.books, pending, this.agreement);
    return mostWork(worst, device.chain.totals);
  }

  /** What was answered to this evidence before, or what `issue` gives now. */
  #once(evidenceBytes: Uint8Array, issue: () => Uint8Array): Uint8Array {
    const digest = hexOf(sha256(evidenceBytes));
    const before = this.#storage.answer(digest);
    if (before) return before;
    const bytes = issue();
    this.#storage.putAnswer(digest, bytes);
    return bytes;
  }
}

function readAgreement(bytes: Uint8Array, inForce?: Agreement) {
  const read = () => verifyAgreement(bytes, inForce);
  return { ...readSigned("agreement/malformed", "agreement/signature", read), bytes };
}

/** The record, after a recovery if the totals show that it was installed: chain and books go on from its totals. */
function withRecovery(device: DeviceRecord, totals: AllWork): DeviceRecord {
  const { recovery, chain, books } = device;
  if (!recovery || workBetween(recovery.totals, totals).some((work) => work < 0n)) return device;
  return {
    ...device,
    recovery: undefined,
    lastSeen: undefined,
    chain: { ...chain, totals: recovery.totals, bootCount: 0, toTick: 0n, licenseSequence: recovery.sequence },
    books: recoverBooks(books, recovery.totals, recovery.sequence),
  };
}
