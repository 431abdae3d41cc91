/**
 * The other end of the wire for one cell: the parties, their verifier and a time authority. They sign what the host's own
 * encoders make and judge evidence and reports by the host's own checks; keys come from the run's seed.
 */
import { createHash } from "node:crypto";
import { ObjectType, OrderAction } from "../../firmware/protocol/claims.ts";
import { type Agreement, agreementDigest, signAgreement } from "../../host/objects/agreement.ts";
import { verifyCertificate } from "../../host/objects/endorsement.ts";
import { type Evidence, verifyEvidence } from "../../host/objects/evidence.ts";
import { signLicense } from "../../host/objects/license.ts";
import { NO_ORDER, type Order, orderDigest, signOrder } from "../../host/objects/order.ts";
import { signTime } from "../../host/objects/time.ts";
import { reportDigest, type UsageReport, verifyUsageReport } from "../../host/objects/usage-report.ts";
import type { WorkByClass } from "../../host/objects/work.ts";
import { ed25519Signer, type Signer, type VerificationKey, verificationKey } from "../../host/protocol/cose.ts";
import { secondsAt } from "../engine/clock.ts";
import type { Ms } from "../engine/queue.ts";
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

/** A governor may be so unsure of the time and take a license all the same. */
export const BACKDATED_SECONDS = 60;
const ORDER_LEAD_SECONDS = 1;

/** An order, and from when on whatever is signed names it. */
export interface Ordered {
  readonly sinceMs: Ms;
  readonly action: OrderAction;
  readonly epoch: number;
  readonly digest: Uint8Array;
  readonly bytes: Uint8Array;
}

export class Office {
  readonly agreement: Agreement;
  readonly agreementBytes: Uint8Array;
  /** All so far, in their order: each names the one before. */
  readonly orders: Ordered[] = [];
  readonly #digest: Uint8Array;
  readonly #parties: readonly Signer[];
  readonly #clock: Signer;
  readonly #terms: Terms;
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
    this.#digest = agreementDigest(this.agreement);
  }

  /** Of the newest order at that time. */
  epochAt(ms: Ms): number {
    return this.#orderAt(ms)?.epoch ?? 0;
  }

  /** Judges the certificate of a board's attestation key by the device key that its maker endorsed. Throws a `Refusal`. */
  enroll(ueid: Uint8Array, devicePublicKey: Uint8Array, certificate: Uint8Array): Enrolled {
    const { attestationPublicKey } = verifyCertificate(certificate, verificationKey(devicePublicKey));
    const key = verificationKey(attestationPublicKey);
    return { ueid, key, reports: 0n, head: new Uint8Array(32), totals: undefined };
  }

  /** As it was signed then; one for all boards in a second. */
  beacon(signedMs: Ms): Uint8Array {
    const [seconds, epoch] = [secondsAt(signedMs), this.epochAt(signedMs)];
    if (this.#beacon?.seconds !== seconds || this.#beacon.epoch !== epoch) {
      const bytes = signTime(ObjectType.BEACON, this.#time(signedMs), [this.#clock]);
      this.#beacon = { seconds, epoch, bytes };
    }
    return this.#beacon.bytes;
  }

  timeProof(signedMs: Ms, nonce: Uint8Array): Uint8Array {
    return signTime(ObjectType.TIME_PROOF, { ...this.#time(signedMs), nonce }, [this.#clock]);
  }

  /** In force, and named by whatever is signed, from now on. */
  order(action: OrderAction, nowMs: Ms, permille?: number): Ordered {
    const { quorums } = this.agreement;
    const before = this.orders.at(-1);
    const order: Order = {
      notBeforeSeconds: secondsAt(nowMs) - ORDER_LEAD_SECONDS,
      agreementDigest: this.#digest,
      epoch: (before?.epoch ?? 0) + 1,
      previousDigest: before?.digest ?? NO_ORDER,
      action,
      ...(action === OrderAction.SLOW && { permille: permille! }),
    };
    const quorum = action === OrderAction.PAUSE ? quorums.pause : quorums.resume;
    const bytes = signOrder(order, this.#parties.slice(0, quorum));
    const ordered = { sinceMs: nowMs, action, epoch: order.epoch, digest: orderDigest(order), bytes };
    this.orders.push(ordered);
    return ordered;
  }

  /** Takes the next report of the chain. Throws a `Refusal`, and `OfficeRefused` for a gap or a total that went back. */
  takeReport(device: Enrolled, bytes: Uint8Array): void {
    const digest = reportDigest(bytes);
    // Where there is nothing new to report, a governor gives the newest once more.
    if (Buffer.compare(digest, device.head) === 0) return;
    const report = verifyUsageReport(bytes, device.key);
    const follows = report.sequence === device.reports + 1n && Buffer.compare(report.previous, device.head) === 0;
    if (!follows) throw new OfficeRefused(`report ${report.sequence} does not follow ${device.reports}`);
    const goesBack = device.totals?.some((total, c) => total > report.totals[c]!);
    if (goesBack) throw new OfficeRefused("a total went back");
    device.reports = report.sequence;
    device.head = digest;
    device.totals = report.totals;
  }

  /** What a license answers. Throws a `Refusal`, and `OfficeRefused` where reports are missing. */
  takeEvidence(device: Enrolled, bytes: Uint8Array): Evidence {
    const evidence = verifyEvidence(bytes, device.key);
    if (evidence.reportHead.sequence !== device.reports) throw new OfficeRefused("there are reports it has not seen");
    return evidence;
  }

  license({ ueid }: Enrolled, { challenge, licenseSequence }: Evidence, signedMs: Ms): Uint8Array {
    const { licenseSeconds, budget, drain } = this.#terms;
    const seconds = secondsAt(signedMs);
    return signLicense(
      {
        notBeforeSeconds: seconds - BACKDATED_SECONDS,
        expirySeconds: seconds + licenseSeconds,
        nonce: challenge,
        ueid,
        agreementDigest: this.#digest,
        epoch: this.epochAt(signedMs),
        sequence: licenseSequence + 1n,
        budget: budget as WorkByClass,
        ticksMax: this.agreement.licenseTicksMax,
        drain: drain as WorkByClass,
        svnLeast: 0,
      },
      this.#parties.slice(0, this.agreement.quorums.license),
    );
  }

  #orderAt(ms: Ms): Ordered | undefined {
    return this.orders.findLast(({ sinceMs }) => sinceMs <= ms);
  }

  #time(signedMs: Ms) {
    const order = this.#orderAt(signedMs);
    return {
      issuedAtSeconds: secondsAt(signedMs),
      agreementDigest: this.#digest,
      epoch: order?.epoch ?? 0,
      orderDigest: order?.digest ?? NO_ORDER,
    };
  }
}
