/**
 * The other end of the wire for one cell: the parties, their verifier and a time authority. They sign what the host's own
 * encoders make and judge evidence and reports by the host's own checks; keys come from the run's seed.
 */
import { createHash } from "node:crypto";
import { ObjectType, OrderAction } from "../../firmware/protocol/claims.ts";
import type { EngineClass } from "../../firmware/protocol/classes.ts";
import { type Agreement, agreementDigest, signAgreement } from "../../host/objects/agreement.ts";
import { verifyCertificate } from "../../host/objects/endorsement.ts";
import { verifyEvidence } from "../../host/objects/evidence.ts";
import { signLicense } from "../../host/objects/license.ts";
import { NO_ORDER, type Order, orderDigest, signOrder } from "../../host/objects/order.ts";
import { signTime } from "../../host/objects/time.ts";
import { reportDigest, type UsageReport, verifyUsageReport } from "../../host/objects/usage-report.ts";
import type { WorkByClass } from "../../host/objects/work.ts";
import { ed25519Signer, type Signer, type VerificationKey, verificationKey } from "../../host/protocol/cose.ts";
import type { Terms } from "./terms.ts";

/** What the office knows of a board. */
export interface Enrolled {
  readonly ueid: Uint8Array;
  readonly key: VerificationKey;
  /** Of the newest report that was taken. */
  reports: bigint;
  head: Uint8Array;
  /** What that report says of the work so far. */
  totals: UsageReport["totals"] | undefined;
}

export class OfficeRefused extends Error {
  override readonly name = "OfficeRefused";
}

const BACKDATED_SECONDS = 60;
const ORDER_LEAD_SECONDS = 1;

export class Office {
  readonly agreement: Agreement;
  readonly agreementBytes: Uint8Array;
  readonly digest: Uint8Array;
  readonly #parties: readonly Signer[];
  readonly #clock: Signer;
  readonly #terms: Terms;
  /** All so far, in their order: each names the one before. */
  readonly orders: Uint8Array[] = [];
  #epoch = 0;
  #orderDigest: Uint8Array = NO_ORDER;
  #beacon: { readonly seconds: number; readonly epoch: number; readonly bytes: Uint8Array } | undefined;

  constructor(seed: string, terms: Terms) {
    const signer = (name: string) => ed25519Signer(createHash("sha256").update(`${seed}/${name}`).digest());
    const member = (one: Signer, name: string) => ({ kid: one.kid, publicKey: one.publicKey, name });
    this.#terms = terms;
    this.#parties = Array.from({ length: terms.parties }, (_, i) => signer(`party ${i + 1}`));
    this.#clock = signer("clock");
    this.agreement = {
      ...terms.agreement,
      version: 1,
      name: "fleet",
      parties: this.#parties.map((party, i) => member(party, `party ${i + 1}`)),
      timeAuthorities: [member(this.#clock, "clock")],
      timeQuorum: 1,
    };
    this.agreementBytes = signAgreement(this.agreement, this.#parties);
    this.digest = agreementDigest(this.agreement);
  }

  /** Of the newest order. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Judges the certificate of a board's attestation key by the device key that its maker endorsed. Throws a `Refusal`. */
  enroll(ueid: Uint8Array, devicePublicKey: Uint8Array, certificate: Uint8Array): Enrolled {
    const { attestationPublicKey } = verifyCertificate(certificate, verificationKey(devicePublicKey));
    const key = verificationKey(attestationPublicKey);
    return { ueid, key, reports: 0n, head: new Uint8Array(32), totals: undefined };
  }

  /** One for all boards in a second. */
  beacon(nowSeconds: number): Uint8Array {
    const known = this.#beacon;
    if (known?.seconds === nowSeconds && known.epoch === this.#epoch) return known.bytes;
    const bytes = signTime(ObjectType.BEACON, this.#time(nowSeconds), [this.#clock]);
    this.#beacon = { seconds: nowSeconds, epoch: this.#epoch, bytes };
    return bytes;
  }

  timeProof(nowSeconds: number, nonce: Uint8Array): Uint8Array {
    return signTime(ObjectType.TIME_PROOF, { ...this.#time(nowSeconds), nonce }, [this.#clock]);
  }

  /** In force, and named by beacons, from now on. */
  order(action: OrderAction, nowSeconds: number, permille?: number): Uint8Array {
    const { quorums } = this.agreement;
    const order: Order = {
      notBeforeSeconds: nowSeconds - ORDER_LEAD_SECONDS,
      agreementDigest: this.digest,
      epoch: this.#epoch + 1,
      previousDigest: this.#orderDigest,
      action,
      ...(action === OrderAction.SLOW && { permille: permille! }),
    };
    const quorum = action === OrderAction.PAUSE ? quorums.pause : quorums.resume;
    const bytes = signOrder(order, this.#parties.slice(0, quorum));
    this.#epoch = order.epoch;
    this.#orderDigest = orderDigest(order);
    this.orders.push(bytes);
    return bytes;
  }

  /** Takes the next report of the chain. Throws a `Refusal`, and `OfficeRefused` for a gap or a total that went back. */
  takeReport(device: Enrolled, bytes: Uint8Array): void {
    const digest = reportDigest(bytes);
    // Where there is nothing new to report, a governor gives the newest once more.
    if (Buffer.compare(digest, device.head) === 0) return;
    const report = verifyUsageReport(bytes, device.key);
    const follows = report.sequence === device.reports + 1n && Buffer.compare(report.previous, device.head) === 0;
    if (!follows) throw new OfficeRefused(`report ${report.sequence} does not follow ${device.reports}`);
    device.reports = report.sequence;
    device.head = digest;
    device.totals = report.totals;
  }

  /** A license that answers evidence. Throws a `Refusal`, and `OfficeRefused` where reports are missing. */
  license(device: Enrolled, evidenceBytes: Uint8Array, nowSeconds: number): Uint8Array {
    const evidence = verifyEvidence(evidenceBytes, device.key);
    if (evidence.reportHead.sequence !== device.reports) throw new OfficeRefused("there are reports it has not seen");
    const { licenseSeconds, budget, drain } = this.#terms;
    return signLicense(
      {
        notBeforeSeconds: nowSeconds - BACKDATED_SECONDS,
        expirySeconds: nowSeconds + licenseSeconds,
        nonce: evidence.challenge,
        ueid: device.ueid,
        agreementDigest: this.digest,
        epoch: this.#epoch,
        sequence: evidence.licenseSequence + 1n,
        budget: budget as WorkByClass,
        ticksMax: this.agreement.licenseTicksMax,
        drain: drain as ReadonlyMap<EngineClass, bigint>,
        svnLeast: 0,
      },
      this.#parties.slice(0, this.agreement.quorums.license),
    );
  }

  #time(nowSeconds: number) {
    return {
      issuedAtSeconds: nowSeconds,
      agreementDigest: this.digest,
      epoch: this.#epoch,
      orderDigest: this.#orderDigest,
    };
  }
}
