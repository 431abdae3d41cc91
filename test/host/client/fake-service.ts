/**
 * A verifier in memory that holds the keys of some parties: what agents ask of a `VerifierService`, judged by the same
 * functions as the real one, and turned by a test.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import type { OrderAction } from "../../../firmware/protocol/claims.ts";
import { agreementDigest, signAgreement } from "../../../host/objects/agreement.ts";
import { decodeLicense, verifyLicense } from "../../../host/objects/license.ts";
import { combinedNonce } from "../../../host/objects/nonces.ts";
import { checkOpening, decodeOpening } from "../../../host/objects/opening.ts";
import { noWork } from "../../../host/objects/work.ts";
import { ed25519Signer, parseSign, verificationKey } from "../../../host/protocol/cose.ts";
import type {
  LicenseCall,
  OpeningWanted,
  OrderView,
  ReportItem,
  ReportOutcome,
  ServiceEvent,
  SignedAnswer,
} from "../../../host/service/service.ts";
import { hexOf, sameBytes } from "../../../host/verifier/bytes.ts";
import { approved, draftOrder } from "../../../host/verifier/draft.ts";
import { VerifierError } from "../../../host/verifier/errors.ts";
import {
  decideLicense,
  type Grounds,
  judgeEvidence,
  judgeReport,
  readEvidence,
  readReport,
} from "../../../host/verifier/judgement.ts";
import { draftLicense, type LicenseRequest } from "../../../host/verifier/licensing.ts";
import { Nonces } from "../../../host/verifier/nonces.ts";
import { OrderBook, type StoredOrder } from "../../../host/verifier/order-book.ts";
import { Party } from "../../../host/verifier/party.ts";
import { enrolDevice, modelText } from "../../../host/verifier/registry.ts";
import { type DeviceRecord, MemoryStorage } from "../../../host/verifier/storage.ts";
import { TimeAuthority } from "../../../host/verifier/time-authority.ts";
import { agreementOf, CLOCK, governorImage, PARTIES } from "../../rig.ts";

export const MANUFACTURER_SEED = sha256(new TextEncoder().encode("manufacturer of fake verifiers"));
export const MANUFACTURER = ed25519Signer(MANUFACTURER_SEED);
/** An hour at a hundredth of the agreement's rate. */
export const TERMS: LicenseRequest = {
  budget: new Map([
    [2, 36n * 10n ** 15n],
    [9, 36n * 10n ** 13n],
  ]),
  ticksMax: 3_600_000n,
  windowSeconds: 3600,
};

/** Of one circle: what its verifiers agree on, and the time. */
export class FakeWorld {
  nowMs = () => Date.now();
  readonly agreement;
  readonly digest: Uint8Array;
  readonly agreementBytes: Uint8Array;
  readonly parties: readonly Party[];

  constructor(change: Parameters<typeof agreementOf>[0] = {}) {
    this.agreement = agreementOf(change);
    this.digest = agreementDigest(this.agreement);
    this.agreementBytes = signAgreement(this.agreement, PARTIES);
    this.parties = this.agreement.parties.map(({ name }, i) => new Party(name, PARTIES[i]!));
  }

  /** An order that as many parties signed as it takes, of the epoch that is next for this verifier. */
  order(action: OrderAction, verifier: FakeVerifier): StoredOrder {
    const grounds = { agreement: this.agreement, agreementDigest: this.digest, orders: verifier.orders };
    let draft = draftOrder({ action }, grounds, this.nowMs());
    for (const party of this.parties.slice(0, draft.quorum)) {
      draft = approved(draft, party.name, party.signOrder(draft.bytes), grounds);
    }
    return draft;
  }
}

export class FakeVerifier {
  readonly world: FakeWorld;
  readonly here: readonly Party[];
  readonly storage = new MemoryStorage();
  orders = new OrderBook();
  wanted: OpeningWanted[] = [];
  /** Reports that were taken anew, by device. */
  readonly taken = new Map<string, bigint[]>();
  readonly repeated: bigint[] = [];
  readonly listeners = new Set<(event: ServiceEvent) => void>();
  readonly #nonces: Nonces;
  readonly #time: TimeAuthority;
  #drawn = 0;

  /** `here`: indexes of the parties whose keys it has. */
  constructor(world: FakeWorld, name: string, here: readonly number[] = [0, 1, 2]) {
    this.world = world;
    this.here = here.map((index) => world.parties[index]!);
    this.#nonces = new Nonces(sha256(Buffer.from(name)), (bytes) =>
      sha256(Buffer.from(`${name} ${++this.#drawn}`)).slice(0, bytes),
    );
    this.#time = new TimeAuthority([CLOCK], {
      agreementDigest: () => world.digest,
      confirmed: (nowMs) => this.orders.confirmed(nowMs),
    });
  }

  about() {
    const parties = this.world.agreement.parties.map(({ name, kid }) => ({
      name,
      kid,
      here: this.here.some((party) => party.name === name),
    }));
    const { agreement, digest } = this.world;
    const nowMs = this.world.nowMs();
    return {
      agreementVersion: agreement.version,
      agreementDigest: digest,
      parties,
      epoch: this.orders.epochNewest,
      nowMs,
    };
  }

  agreementsAfter(version: number): Uint8Array[] {
    return this.world.agreement.version > version ? [this.world.agreementBytes] : [];
  }

  enrol(endorsement: Uint8Array, certificate: Uint8Array): DeviceRecord {
    const references = this.#grounds.references;
    const record = enrolDevice(endorsement, certificate, references, this.world.agreement, (ueid) =>
      this.storage.device(ueid),
    );
    this.storage.putDevice(record);
    return record;
  }

  nonce(ueid: Uint8Array): { nonce: Uint8Array; expiresMs: number } {
    this.#device(ueid);
    return { nonce: this.#nonces.give(ueid, this.world.nowMs()), expiresMs: this.world.nowMs() + 60_000 };
  }

  license({ evidence: bytes, terms = TERMS, draft: before, nonces }: LicenseCall): SignedAnswer {
    const key = hexOf(sha256(bytes));
    const answered = this.storage.answer(key);
    const need = this.world.agreement.quorums.license;
    if (answered) return this.#signedAnswer(answered, need, true);
    const { device, ...attested } = readEvidence(bytes, (ueid) => this.#device(ueid));
    const { evidence } = attested;
    const nowMs = this.world.nowMs();
    const own = this.#nonces.judge(
      device.ueid,
      ownNonce(evidence.nonce, nonces, (nonce) => this.#isOwn(device.ueid, nonce)),
      nowMs,
    );
    const licenseOf = (sequence: bigint) => this.storage.license(hexOf(device.ueid), sequence)?.license;
    const judgement = judgeEvidence(attested, "license", device, own, this.#grounds, licenseOf, nowMs);
    const drawn = decideLicense(judgement, terms, this.#grounds, nowMs);
    let draft = before ?? draftLicense(drawn);
    const license = decodeLicense(parseSign(draft).payload);
    const isWhole = parseSign(draft).signatures.length === need;
    if (isWhole) verifyLicense(draft, this.world.agreement);
    for (const party of isWhole ? [] : this.here) {
      if (parseSign(draft).signatures.length === need) break;
      const verdict = party.judgeLicense(
        draft,
        { party: "", site: "", model: modelText(device.endorsement), agreement: this.world.agreement },
        { nowSeconds: Math.floor(nowMs / 1000), offlineLicenses: 0n, licensedUeids: [], scopes: new Map() },
      );
      if ("objection" in verdict) throw new VerifierError("license/quorum", verdict.objection);
      draft = verdict.signed;
    }
    this.storage.putLicense(hexOf(device.ueid), { license, bytes: draft });
    this.storage.putAnswer(key, draft);
    this.storage.putDevice({ ...judgement.device, sequenceIssued: license.sequence });
    return this.#signedAnswer(draft, need, false);
  }

  /** Of others, with its whole quorum. */
  importLicense(bytes: Uint8Array): void {
    const license = verifyLicense(bytes, this.world.agreement);
    const device = this.#device(license.ueid!);
    this.storage.putLicense(hexOf(device.ueid), { license, bytes });
    if (license.sequence > device.sequenceIssued)
      this.storage.putDevice({ ...device, sequenceIssued: license.sequence });
  }

  reports(items: readonly ReportItem[]): ReportOutcome[] {
    return items.map(({ report, intervals }) => {
      try {
        return this.#report(report, intervals);
      } catch (error) {
        if (!(error instanceof VerifierError)) throw error;
        return { status: "refused", code: error.code, message: error.message };
      }
    });
  }

  /** Whether it proves what is wanted. */
  open(bytes: Uint8Array): void {
    const opening = decodeOpening(bytes);
    const ueid = hexOf(opening.ueid);
    const stored = this.storage.report(ueid, opening.reportSequence);
    const before = this.storage.report(ueid, opening.reportSequence - 1n)?.report.totals ?? noWork();
    if (!stored || !checkOpening(opening, stored.report, before)) throw new VerifierError("report/intervals");
    this.wanted = this.wanted.filter(({ reportSequence }) => reportSequence !== opening.reportSequence);
  }

  ordersAfter(epoch: number): OrderView[] {
    return this.orders.after(epoch).map((order) => this.#view(order));
  }

  /** Makes an order active here, and tells who listens. */
  take(order: StoredOrder): void {
    this.orders = this.orders.with(order);
    this.tell({ type: "order", order: this.#view(order) });
    this.tell({ type: "beacon", bytes: this.beacon() });
  }

  tell(event: ServiceEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  beacon(): Uint8Array {
    return this.#time.beacon(this.world.nowMs());
  }

  timeProof(nonce: Uint8Array): Uint8Array {
    return this.#time.timeProof(nonce, this.world.nowMs());
  }

  #report(bytes: Uint8Array, intervals: Uint8Array | undefined): ReportOutcome {
    const { device: before, ...attested } = readReport(bytes, (ueid) => this.#device(ueid));
    const ueid = hexOf(before.ueid);
    const { sequence } = attested.report;
    const { step, device } = judgeReport(
      bytes,
      attested,
      intervals,
      before,
      this.storage.report(ueid, sequence),
      this.#grounds,
    );
    if (step.repeated) {
      this.repeated.push(sequence);
      return { status: "repeated", sequence };
    }
    this.storage.putReport(ueid, { report: attested.report, bytes, intervals });
    this.storage.putDevice(device);
    this.taken.set(ueid, [...(this.taken.get(ueid) ?? []), sequence]);
    return { status: "taken", sequence };
  }

  #signedAnswer(bytes: Uint8Array, need: number, repeated: boolean): SignedAnswer {
    const have = parseSign(bytes).signatures.length;
    return have === need ? { complete: true, bytes, repeated } : { complete: false, draft: bytes, have, need };
  }

  #view({ order, bytes }: StoredOrder): OrderView {
    const { epoch, action, notBeforeSeconds, scope } = order;
    return { epoch, action, notBeforeSeconds, scope, digest: this.orders.digestAt(epoch), bytes };
  }

  #device(ueid: Uint8Array): DeviceRecord {
    const device = this.storage.device(hexOf(ueid));
    if (!device) throw new VerifierError("device/unknown", hexOf(ueid));
    return device;
  }

  #isOwn(ueid: Uint8Array, nonce: Uint8Array): boolean {
    try {
      this.#nonces.judge(ueid, nonce, this.world.nowMs());
      return true;
    } catch {
      return false;
    }
  }

  get #grounds(): Grounds {
    const { agreement, digest } = this.world;
    return {
      agreement,
      agreementDigest: digest,
      isKnownAgreement: (other) => sameBytes(other, digest),
      references: {
        manufacturers: [verificationKey(MANUFACTURER.publicKey)],
        measurements: [{ digest: governorImage().sha256, svnLeast: 0 }],
      },
      orders: this.orders,
    };
  }
}

/** Of a list that the evidence's nonce stands for; without a list it is the evidence's own. */
function ownNonce(nonce: Uint8Array, nonces: readonly Uint8Array[] | undefined, isOwn: (nonce: Uint8Array) => boolean) {
  if (nonces === undefined) return nonce;
  if (!sameBytes(combinedNonce(nonces), nonce)) throw new VerifierError("evidence/nonce-unknown", "another list");
  const own = nonces.find(isOwn);
  if (!own) throw new VerifierError("evidence/nonce-unknown", "not in the list");
  return own;
}
