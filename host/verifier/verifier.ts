/**
 * The verifier (RFC 9334): enrols devices, appraises their evidence, has licenses signed, keeps the chain of their usage
 * reports and the books, runs the ceremony of orders, and tells the time. This class is the order in which the parts are
 * called; what each decides stands in its own file, as a function of what it is given.
 */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { type Agreement, verifyAgreement } from "../objects/agreement.ts";
import { encodeRecovery, recoveryQuorum, verifyRecovery } from "../objects/recovery.ts";
import { type AllWork, noWork, sumWork } from "../objects/work.ts";
import type { PolicyDevice, PolicyUsage } from "../policy/verdict.ts";
import { draftSign, type Signer } from "../protocol/cose.ts";
import { sha256 } from "../protocol/sha256.ts";
import type { Appraisal, Purpose } from "./appraisal.ts";
import { type BooksRow, licensedWork } from "./books.ts";
import { hexOf, sameBytes } from "./bytes.ts";
import { Ceremony, type DraftStatus } from "./ceremony.ts";
import { VerifierError } from "./errors.ts";
import {
  decideLicense,
  decideRecovery,
  type Grounds,
  type Judgement,
  judgeEvidence,
  judgeReport,
  type LicenseOf,
  readEvidence,
  readReport,
} from "./judgement.ts";
import { gather, type LicenseRequest, signByQuorum } from "./licensing.ts";
import { Nonces } from "./nonces.ts";
import type { OrderRequest, StoredOrder } from "./order-book.ts";
import type { Party } from "./party.ts";
import { enrolDevice, modelText, type ReferenceValues } from "./registry.ts";
import { readSigned } from "./signed.ts";
import { type DeviceRecord, MemoryStorage, type Storage } from "./storage.ts";
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
    this.#nonces = new Nonces(options.random(Limit.NONCE_BYTES), options.random);
    this.#agreements = [readAgreement(options.agreement)];
    this.ceremony = new Ceremony(this.#storage, () => this.#inForce);
    this.#time = new TimeAuthority(options.timeSigners, {
      agreementDigest: () => this.#inForce.digest,
      confirmed: (nowMs) => this.ceremony.book.confirmed(nowMs),
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
    return this.#nonces.give(device.ueid, this.#options.clock());
  }

  /** Judges evidence, and books what it says. Uses its nonce up. */
  appraise(bytes: Uint8Array, purpose: Purpose = "license"): Appraisal {
    const judgement = this.#judge(bytes, purpose);
    this.#storage.putDevice(judgement.device);
    return judgement.appraisal;
  }

  /** A license on this evidence. The same evidence gets the same bytes again. */
  issueLicense(evidenceBytes: Uint8Array, request: LicenseRequest): Uint8Array {
    return this.#once(evidenceBytes, () => {
      const nowMs = this.#options.clock();
      const judgement = this.#judge(evidenceBytes, "license");
      const { device } = judgement;
      const license = decideLicense(judgement, request, this.#grounds, nowMs);
      const usage = usageAt(nowMs);
      const bytes = signByQuorum(license, this.#options.parties, this.agreement, (party, draft) =>
        party.judgeLicense(draft, policyDevice(device, this.agreement), usage),
      );
      this.#storage.putLicense(hexOf(device.ueid), { license, bytes });
      this.#storage.putDevice({ ...device, sequenceIssued: license.sequence });
      return bytes;
    });
  }

  /** A recovery for a board that lost its journal: whatever it may have done by now counts as done. */
  issueRecovery(evidenceBytes: Uint8Array): Uint8Array {
    return this.#once(evidenceBytes, () => {
      const judgement = this.#judge(evidenceBytes, "recovery");
      const { appraisal, device } = judgement;
      const recovery = decideRecovery(judgement, this.#grounds, this.#licensesOf(device), this.#options.clock());
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
    const { device: before, ...attested } = readReport(bytes, (ueid) => this.#device(ueid));
    const { report } = attested;
    const ueid = hexOf(before.ueid);
    const stored = this.#storage.report(ueid, report.sequence);
    const { step, device, work } = judgeReport(bytes, attested, intervals, before, stored, this.#grounds);
    if (!step.repeated) {
      this.#storage.putReport(ueid, { report, bytes, intervals });
      this.#storage.putDevice(device);
    }
    return { sequence: report.sequence, repeated: step.repeated, work };
  }

  proposeOrder(request: OrderRequest): DraftStatus {
    return this.ceremony.propose(request, this.#options.clock());
  }

  approveOrder(id: number, party: Party): DraftStatus {
    return this.ceremony.approve(id, party);
  }

  /** What a device that knows this epoch must be given, oldest first. */
  ordersAfter(epoch: number): readonly StoredOrder[] {
    return this.ceremony.book.after(epoch);
  }

  beacon(): Uint8Array {
    return this.#time.beacon(this.#options.clock());
  }

  timeProof(nonce: Uint8Array): Uint8Array {
    return this.#time.timeProof(nonce, this.#options.clock());
  }

  /** There is no log in a process alone: boards whose agreement has one are served by a service (host/service/). */
  logProof(digest: Uint8Array): Uint8Array {
    throw new VerifierError("log/entry-unknown", hexOf(digest));
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

  get #grounds(): Grounds {
    return {
      agreement: this.agreement,
      agreementDigest: this.#inForce.digest,
      isKnownAgreement: (digest) => this.#agreements.some((known) => sameBytes(known.digest, digest)),
      references: this.#references,
      orders: this.ceremony.book,
    };
  }

  #judge(bytes: Uint8Array, purpose: Purpose): Judgement {
    const nowMs = this.#options.clock();
    const { device, ...attested } = readEvidence(bytes, (ueid) => this.#device(ueid));
    const nonce = this.#nonces.judge(device.ueid, attested.evidence.nonce, nowMs);
    return judgeEvidence(attested, purpose, device, nonce, this.#grounds, this.#licensesOf(device), nowMs);
  }

  #licensesOf({ ueid }: DeviceRecord): LicenseOf {
    return (sequence) => this.#storage.license(hexOf(ueid), sequence)?.license;
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

/** Caps that count boards or work over time need a store: here a party's policy judges each license by itself. */
function usageAt(nowMs: number): PolicyUsage {
  return { nowSeconds: Math.floor(nowMs / 1000), offlineLicenses: 0n, licensedUeids: [], scopes: new Map() };
}

function policyDevice({ endorsement }: DeviceRecord, agreement: Agreement): PolicyDevice {
  return { party: "", site: "", model: modelText(endorsement), agreement };
}
