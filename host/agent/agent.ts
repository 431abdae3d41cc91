/**
 * The operator's agent: carries messages between one board and a verifier. Nobody trusts it; whatever it drops, repeats
 * or delays is caught at one end or the other. Every step says how it ended as a value, so that a caller can go on.
 *
 * No report is made before the verifier has the one before: the board gives its newest report again, byte for byte, so a
 * report that was lost on the way, or in a crash of the agent, is never lost for good.
 */
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import type { Mailbox, ReportAnswer } from "../mailbox.ts";
import { decodeAgreement } from "../objects/agreement.ts";
import type { Info } from "../objects/evidence.ts";
import { reportDigest } from "../objects/usage-report.ts";
import { parseSign } from "../protocol/cose.ts";
import { errorPhrase } from "../protocol/error-phrases.ts";
import { Refusal } from "../protocol/refusal.ts";
import { sameBytes } from "../verifier/bytes.ts";
import { VerifierError, type VerifierErrorCode } from "../verifier/errors.ts";
import type { LicenseRequest } from "../verifier/licensing.ts";
import type { ReportReceipt } from "../verifier/verifier.ts";

/** What the agent needs of a verifier; an in-process one is one, a client of a remote one can be. */
export interface VerifierLink {
  readonly agreementBytes: Uint8Array;
  agreementsAfter(version: number): readonly Uint8Array[];
  enrol(endorsement: Uint8Array, certificate: Uint8Array): Uint8Array;
  challenge(ueid: Uint8Array): Uint8Array;
  issueLicense(evidence: Uint8Array, request: LicenseRequest): Uint8Array;
  issueRecovery(evidence: Uint8Array): Uint8Array;
  acceptReport(report: Uint8Array, intervals?: Uint8Array): Pick<ReportReceipt, "sequence" | "repeated">;
  ordersAfter(epoch: number): readonly { readonly bytes: Uint8Array }[];
  beacon(): Uint8Array;
  timeProof(nonce: Uint8Array): Uint8Array;
}

/** How a step ended: done, refused by the board or by the verifier (each with its code), or not reached. */
export type Outcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly by: "board"; readonly code: ErrorCode; readonly message: string }
  | { readonly ok: false; readonly by: "verifier"; readonly code: VerifierErrorCode; readonly message: string };

interface InstalledLicense {
  readonly request: LicenseRequest;
  readonly bootCount: number;
  readonly uptimeSeconds: number;
}

const DONE: Outcome = { ok: true };

/** A license is renewed when less than this part of it is left. */
const RENEWAL_MARGIN_PERMILLE = 250;

export class Agent {
  readonly #board: Mailbox;
  readonly #verifier: VerifierLink;
  #outbox: ReportAnswer | undefined;
  /** Digest of the newest report that the verifier took. */
  #delivered: Uint8Array | undefined;
  #license: InstalledLicense | undefined;

  constructor(board: Mailbox, verifier: VerifierLink) {
    this.#board = board;
    this.#verifier = verifier;
  }

  /** Whether a report waits that the verifier does not have yet. */
  get hasReportToUpload(): boolean {
    return this.#outbox !== undefined;
  }

  /** Gives the board every agreement that it lacks, oldest first. */
  provision(): Outcome {
    return attempt(() => {
      const { agreementVersion } = this.#board.info();
      for (const bytes of this.#verifier.agreementsAfter(agreementVersion)) this.#board.agreement(bytes);
    });
  }

  /** Makes the board known to the verifier. */
  enrol(endorsement: Uint8Array): Outcome {
    return attempt(() => this.#verifier.enrol(endorsement, this.#board.identity()));
  }

  /** Sets the board's clock: needed after every power-up. */
  syncTime(): Outcome {
    return attempt(() => this.#setClock());
  }

  /** Keeps the lease alive. */
  deliverBeacon(): Outcome {
    return attempt(() => this.#board.beacon(this.#verifier.beacon()));
  }

  /**
   * Gives the board every order that it lacks, oldest first, then the beacon that confirms the newest. In this order: a
   * beacon that names an order which is not there yet makes the gate drain.
   */
  deliverOrders(): Outcome {
    return attempt(() => {
      const { epoch } = this.#board.info();
      const orders = this.#verifier.ordersAfter(epoch);
      // A board that does not know the time takes no order but a pause.
      if (orders.length > 0 && this.#board.info().timeBounds === null) this.#setClock();
      const { timeBounds } = this.#board.info();
      for (const { bytes } of orders) this.#deliverOrder(bytes, timeBounds !== null);
      if (orders.length > 0 && timeBounds !== null) this.#board.beacon(this.#verifier.beacon());
    });
  }

  /** Uploads what waits, has the board make a report, and uploads that. */
  report(): Outcome {
    return attempt(() => {
      this.#upload();
      this.#outbox = this.#board.report();
      this.#upload();
    });
  }

  /** Uploads a report that waits, or that the board made and the agent lost. */
  uploadReports(): Outcome {
    return attempt(() => this.#upload());
  }

  /** Report, evidence, license: the closed loop once around. */
  renew(request: LicenseRequest): Outcome {
    const reported = this.report();
    if (!reported.ok) return reported;
    return attempt(() => {
      const license = this.#verifier.issueLicense(this.#evidence(), request);
      this.#board.license(license);
      const { bootCount, uptimeSeconds } = this.#board.info();
      this.#license = { request, bootCount, uptimeSeconds };
    });
  }

  /**
   * Whether less than a quarter is left of the license that this agent brought: of the budget of a class, of its ticks, or
   * of its window. Also true where there is none, or the board was powered up since.
   */
  needsRenewal(): boolean {
    const { budgetLeft, bootCount, uptimeSeconds } = this.#board.info();
    const license = this.#license;
    if (license === undefined || license.bootCount !== bootCount) return true;
    const { budget, ticksMax, windowSeconds } = license.request;
    const { tickHz } = decodeAgreement(parseSign(this.#verifier.agreementBytes).payload);
    const seconds = Math.min(windowSeconds, Number(ticksMax / BigInt(tickHz)));
    const secondsLeft = license.uptimeSeconds + seconds - uptimeSeconds;
    if (secondsLeft < (seconds * RENEWAL_MARGIN_PERMILLE) / 1000) return true;
    const margin = (work: bigint) => (work * BigInt(RENEWAL_MARGIN_PERMILLE)) / 1000n;
    return [...budget].some(([engineClass, work]) => budgetLeft[engineClass]! < margin(work));
  }

  /** After a rollback or a loss of the journal: has the license quorum say from where to go on. */
  recover(): Outcome {
    return attempt(() => {
      this.#board.recover(this.#verifier.issueRecovery(this.#evidence()));
      this.#outbox = undefined;
    });
  }

  /** The host's checkpoint is saved. */
  drainDone(): Outcome {
    return attempt(() => this.#board.drainDone());
  }

  info(): Info {
    return this.#board.info();
  }

  #setClock(): void {
    this.#board.timeProof(this.#verifier.timeProof(this.#board.timeChallenge()));
  }

  #evidence(): Uint8Array {
    return this.#board.evidence(this.#verifier.challenge(this.#board.info().ueid));
  }

  #deliverOrder(bytes: Uint8Array, timeIsKnown: boolean): void {
    try {
      this.#board.order(bytes);
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== ErrorCode.ORDER_NOT_YET || !timeIsKnown) throw error;
      // The board's lower bound lags behind; a beacon lifts it.
      this.#board.beacon(this.#verifier.beacon());
      this.#board.order(bytes);
    }
  }

  #upload(): void {
    this.#outbox ??= this.#lostReport();
    if (this.#outbox === undefined) return;
    this.#verifier.acceptReport(this.#outbox.report, this.#outbox.intervals);
    this.#delivered = reportDigest(this.#outbox.report);
    this.#outbox = undefined;
  }

  /** The board's newest report, unless this agent delivered it. */
  #lostReport(): ReportAnswer | undefined {
    const { sequence, digest } = this.#board.info().reportHead;
    if (sequence === 0n || (this.#delivered && sameBytes(this.#delivered, digest))) return undefined;
    try {
      return this.#board.reportAgain();
    } catch (error) {
      // After a recovery the head is the verifier's, and what lies in flash may be another report.
      if (error instanceof Refusal && error.code === ErrorCode.REPORT_STORE) return undefined;
      throw error;
    }
  }
}

/** Runs a step; a refusal of either end becomes its outcome, anything else is a fault and is thrown. */
function attempt(step: () => unknown): Outcome {
  try {
    step();
    return DONE;
  } catch (error) {
    if (error instanceof Refusal) {
      return { ok: false, by: "board", code: error.code, message: errorPhrase(error.code).phrase };
    }
    if (error instanceof VerifierError) return { ok: false, by: "verifier", code: error.code, message: error.message };
    throw error;
  }
}
