/**
 * What a verifier does, for whoever carries the requests to it: HTTP, files on a stick, the demo. Bytes in, bytes out;
 * every method refuses with a `VerifierError`, and what it answers is durable before it answers.
 */
import type { OrderAction } from "../../firmware/protocol/claims.ts";
import type { FrostCommitment } from "../keys/frost.ts";
import type { HeadSplit, KnownHead } from "../log/heads.ts";
import type { BoardLeak } from "../policy/leak.ts";
import type { BooksRow } from "../verifier/books.ts";
import type { VerifierErrorCode } from "../verifier/errors.ts";
import type { LicenseRequest } from "../verifier/licensing.ts";
import type { OrderRequest } from "../verifier/order-book.ts";
import type { WitnessView } from "./log/witness-seat.ts";

export const DEVICE_STATUSES = ["active", "suspended", "retired", "suspected-fork"] as const;
export type DeviceStatus = (typeof DEVICE_STATUSES)[number];

/** Where a device stands and whose it is: what caps of a policy count by. */
export interface Registration {
  readonly owner: string;
  readonly site: string;
  /** What it is registered for, where the policy has profiles. */
  readonly profile?: "training" | "inference";
}

export interface DeviceView extends Registration {
  readonly ueid: Uint8Array;
  /** Hardware model of the endorsement, as text. */
  readonly model: string;
  readonly status: DeviceStatus;
  readonly enrolledMs: number;
  /** Of the newest good evidence; 0 before the first. */
  readonly seenMs: number;
  readonly epoch: number;
  readonly reportSequence: bigint;
  readonly licenseSequence: bigint;
  /** Agreement time in seconds; 0: none was issued. */
  readonly licensedUntilSeconds: number;
}

export interface Enrolled extends DeviceView {
  /** Whether it was not known before. */
  readonly isNew: boolean;
}

export interface DeviceQuery {
  readonly owner?: string;
  readonly site?: string;
  readonly model?: string;
  readonly status?: DeviceStatus;
  /** Opaque, of the page before. */
  readonly cursor?: string;
  /** 1 to 1,000; default 100. */
  readonly limit?: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Absent on the last page. */
  readonly cursor?: string;
}

export interface NonceAnswer {
  readonly nonce: Uint8Array;
  readonly expiresMs: number;
}

export interface LicenseCall {
  readonly evidence: Uint8Array;
  /** Absent: what the policy gives by default. */
  readonly terms?: LicenseRequest;
  /** A license that other verifiers' parties signed already: this one adds its signatures, or refuses. */
  readonly draft?: Uint8Array;
  /** All nonces of evidence that several verifiers judge: its nonce is then `combinedNonce` of them. */
  readonly nonces?: readonly Uint8Array[];
}

/**
 * What a group is to sign, and all that a holder judges it by: an order, or a license without evidence, by what people
 * have approved there.
 */
export type FrostSubject = {
  /** Kid of the group. */
  readonly group: Uint8Array;
  /** The license, recovery or order that the signature is for, with the signatures so far. */
  readonly draft: Uint8Array;
} & (
  | {
      readonly purpose: "license" | "recovery";
      readonly evidence: Uint8Array;
      readonly nonces?: readonly Uint8Array[];
    }
  | { readonly purpose: "order" }
  | { readonly purpose: "offline" }
);

/** What a holder of a share of a group's key is asked to sign with it. */
export type FrostShareRequest = FrostSubject & {
  /** The Sig_structure (RFC 9052 section 4.4) that the share is for: that of the draft, or nothing is signed. */
  readonly message: Uint8Array;
  readonly commitments: readonly FrostCommitment[];
};

/** A license with the whole quorum, or a draft that wants more signatures of parties that are not here. */
export type SignedAnswer =
  | { readonly complete: true; readonly bytes: Uint8Array; readonly repeated: boolean }
  | { readonly complete: false; readonly draft: Uint8Array; readonly have: number; readonly need: number };

export interface OfflineLicenseCall {
  /** One device, or the 2 to 32 of a cohort. */
  readonly ueids: readonly Uint8Array[];
  readonly terms: LicenseRequest;
  readonly notBeforeSeconds?: number;
  readonly draft?: Uint8Array;
}

export interface ReportItem {
  readonly report: Uint8Array;
  readonly intervals?: Uint8Array;
}

export type ReportOutcome =
  | { readonly status: "taken" | "repeated"; readonly sequence: bigint }
  | { readonly status: "refused"; readonly code: VerifierErrorCode; readonly message: string };

/** An interval that a board must show, since its report came without intervals. */
export interface OpeningWanted {
  readonly ueid: Uint8Array;
  readonly reportSequence: bigint;
  readonly index: number;
}

export interface OrderView {
  readonly epoch: number;
  readonly action: OrderAction;
  readonly notBeforeSeconds: number;
  readonly scope?: readonly Uint8Array[];
  readonly digest: Uint8Array;
  readonly bytes: Uint8Array;
}

export interface DraftView {
  readonly id: number;
  readonly epoch: number;
  readonly action: OrderAction;
  readonly quorum: number;
  readonly approvals: readonly string[];
  /** Groups for which people approved it here, and whose signature takes the approval of more holders. */
  readonly awaiting: readonly string[];
  readonly active: boolean;
  /** With the signatures so far. */
  readonly bytes: Uint8Array;
}

/** How far an order has come, by what good evidence said. */
export interface Delivery {
  readonly epoch: number;
  readonly delivered: number;
  readonly missing: number;
  /** Some that lack it, by UEID. */
  readonly behind: readonly Uint8Array[];
}

export type UsageKey = "owner" | "site" | "model" | "fleet";

export interface UsageRow {
  readonly name: string;
  readonly devices: number;
  readonly rows: readonly BooksRow[];
}

/** The most work and the longest time that a pause ordered now could still see, for the devices as they stand. */
export interface LeakView {
  readonly policy: string;
  readonly devices: number;
  readonly groups: readonly { readonly model: string; readonly devices: number; readonly accelerator?: string }[];
  readonly bound?: BoardLeak;
}

export interface AuditEntry {
  readonly id: number;
  readonly atMs: number;
  /** Who asked: a token's name, an agent's key, a device. */
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  /** "ok" or the code of the refusal. */
  readonly outcome: string;
  readonly detail?: string;
}

/** What is pushed to agents as it happens. */
export type ServiceEvent =
  | { readonly type: "beacon"; readonly bytes: Uint8Array }
  | { readonly type: "order"; readonly order: OrderView }
  | { readonly type: "agreement"; readonly version: number };

/** Of C2SP tlog-tiles: the first so many hashes, 1 to 256. */
export interface LogTile {
  readonly level: number;
  readonly index: number;
  readonly width: number;
}

/** The transparency log, as it was published. */
export interface LogView {
  readonly origin: string;
  /** Of the key that signs its heads (C2SP signed-note). */
  readonly vkey: string;
  /** Of the newest head that is published; 0: none is. */
  readonly size: number;
  readonly root?: Uint8Array | undefined;
  readonly publishedMs?: number | undefined;
  /** Of the newest head that as many witnesses have cosigned as a proof takes; 0: none. */
  readonly cosignedSize: number;
  readonly witnesses: readonly WitnessView[];
}

/** A head of an agreement's log that was shown to this verifier, or that it has signed itself. */
export interface HeadView extends KnownHead {
  readonly origin: string;
}

/** What is known of the agreements' logs, and what of it no honest log can have signed. */
export interface HeadsView {
  /** Of each log the newest, then those that no path leads to yet. */
  readonly heads: readonly HeadView[];
  readonly splitViews: readonly (HeadSplit & { readonly origin: string; readonly foundMs: number })[];
}

export const HEAD_OUTCOMES = ["taken", "known", "older", "unlinked", "split-view"] as const;

/** What became of a head that was shown. */
export interface HeadAnswer {
  /** `older` and `unlinked` want a path between it and the newest; the head is kept meanwhile. */
  readonly outcome: (typeof HEAD_OUTCOMES)[number];
  readonly origin: string;
  /** Of the newest head that is known here. */
  readonly size: number;
}

export interface VerifierService {
  about(): Promise<{
    readonly agreementVersion: number;
    readonly agreementDigest: Uint8Array;
    readonly parties: readonly { readonly name: string; readonly kid: Uint8Array; readonly here: boolean }[];
    readonly epoch: number;
    readonly nowMs: number;
  }>;

  /** Of later versions than this, oldest first. */
  agreementsAfter(version: number): Promise<readonly Uint8Array[]>;
  amend(bytes: Uint8Array): Promise<{ readonly version: number }>;

  enrol(endorsement: Uint8Array, certificate: Uint8Array, registration?: Partial<Registration>): Promise<Enrolled>;
  device(ueid: Uint8Array): Promise<DeviceView>;
  devices(query: DeviceQuery): Promise<Page<DeviceView>>;
  changeDevice(ueid: Uint8Array, change: Partial<Registration> & { status?: DeviceStatus }): Promise<DeviceView>;

  nonce(ueid: Uint8Array): Promise<NonceAnswer>;
  license(call: LicenseCall): Promise<SignedAnswer>;
  offlineLicense(call: OfflineLicenseCall): Promise<SignedAnswer>;
  /** A license that others completed without this verifier: reports and evidence will speak of it. */
  importLicense(bytes: Uint8Array): Promise<void>;
  recovery(call: Omit<LicenseCall, "terms">): Promise<SignedAnswer>;
  /** A recovery that others completed without this verifier: the device goes on from what it says. */
  importRecovery(bytes: Uint8Array): Promise<void>;
  /** Round one of FROST (RFC 9591 section 5.1) by the share of this group's key that is here. */
  frostCommitment(group: Uint8Array): Promise<FrostCommitment>;
  /** Round two: a share of the signature on what is judged, or was approved, as if a party here were to sign it. */
  frostShare(request: FrostShareRequest): Promise<Uint8Array>;
  /** Judges and books evidence without a license: what closes the books. Gives the evidence's digest. */
  appraise(evidence: Uint8Array, nonces?: readonly Uint8Array[]): Promise<Uint8Array>;
  /** The attestation result (EAR) on evidence that was judged here, by the evidence's SHA-256. */
  verdict(evidenceDigest: Uint8Array): Promise<Uint8Array>;

  reports(items: readonly ReportItem[]): Promise<readonly ReportOutcome[]>;
  openingsWanted(ueid: Uint8Array): Promise<readonly OpeningWanted[]>;
  /** `opening` is `encodeOpening` of host/objects/opening.ts. */
  open(opening: Uint8Array): Promise<void>;

  ordersAfter(epoch: number): Promise<readonly OrderView[]>;
  proposeOrder(request: OrderRequest): Promise<DraftView>;
  /** A draft or a whole order from another verifier. */
  importOrder(bytes: Uint8Array): Promise<DraftView>;
  drafts(): Promise<readonly DraftView[]>;
  draft(id: number): Promise<DraftView>;
  /** By a party whose key is here, or for a group that has a share here. */
  approveOrder(id: number, party: string): Promise<DraftView>;
  delivery(epoch: number): Promise<Delivery>;

  beacon(): Promise<Uint8Array>;
  timeProof(nonce: Uint8Array): Promise<Uint8Array>;

  books(ueid: Uint8Array): Promise<readonly BooksRow[]>;
  usage(by: UsageKey): Promise<readonly UsageRow[]>;
  leak(): Promise<LeakView>;
  audit(query: { readonly cursor?: string; readonly limit?: number }): Promise<Page<AuditEntry>>;
  record(entry: Omit<AuditEntry, "id" | "atMs">): Promise<void>;

  /**
   * What shows a governor that holds the log's head of `from` entries (0: none) that the message of this SHA-256 is in the
   * log of its agreement: `encodeLogProof` of host/objects/log-proof.ts.
   */
  logProof(digest: Uint8Array, from: number): Promise<Uint8Array>;
  log(): Promise<LogView>;
  /** C2SP tlog-checkpoint, with the cosignatures that are there by now. */
  logCheckpoint(): Promise<string>;
  logTile(tile: LogTile): Promise<Uint8Array>;
  /** The entries of a bundle, in order. */
  logEntries(bundle: Omit<LogTile, "level">): Promise<readonly Uint8Array[]>;
  /** A head of an agreement's log, in the form of `add-checkpoint` (C2SP tlog-witness). */
  offerLogHead(text: string): Promise<HeadAnswer>;
  logHeads(): Promise<HeadsView>;

  /** Returns what ends the subscription. */
  subscribe(listener: (event: ServiceEvent) => void): () => void;
  /** Whether the store answers. */
  ready(): Promise<boolean>;
  close(): Promise<void>;
}
