/**
 * The operator's agent: carries messages between one board and a verifier. Nobody trusts it; whatever it drops, repeats
 * or delays is caught at one end or the other. Every step says how it ended as a value, so that a caller can go on.
 *
 * Reports lie in an outbox until the verifier has them: a report that the board made and the agent lost (a crash between
 * the two) is fetched again before anything else, since no license is given over a gap.
 */
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import type { Mailbox, ReportAnswer } from "../mailbox.ts";
import type { Info } from "../objects/evidence.ts";
import { errorPhrase } from "../protocol/error-phrases.ts";
import { Refusal } from "../protocol/refusal.ts";
import { VerifierError, type VerifierErrorCode } from "../verifier/errors.ts";
import type { LicenseRequest } from "../verifier/licensing.ts";
import type { ReportReceipt } from "../verifier/verifier.ts";

/** What the agent needs of a verifier; an in-process one is one, a client of a remote one can be. */
export interface VerifierLink {
  readonly agreementBytes: Uint8Array;
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

const DONE: Outcome = { ok: true };

/** A license is renewed when less than this part of its budget or its ticks is left. */
export const RENEWAL_MARGIN_PERMILLE = 250;

export class Agent {
  readonly #board: Mailbox;
  readonly #verifier: VerifierLink;
  readonly #outbox: ReportAnswer[] = [];

  constructor(board: Mailbox, verifier: VerifierLink) {
    this.#board = board;
    this.#verifier = verifier;
  }

  /** Reports that the verifier does not have yet. */
  get outboxLength(): number {
    return this.#outbox.length;
  }

  /** Gives the board the agreement in force. */
  provision(): Outcome {
    return attempt(() => this.#board.agreement(this.#verifier.agreementBytes));
  }

  /** Makes the board known to the verifier. */
  enrol(endorsement: Uint8Array): Outcome {
    return attempt(() => this.#verifier.enrol(endorsement, this.#board.identity()));
  }

  /** Sets the board's clock: needed after every power-up. */
  syncTime(): Outcome {
    return attempt(() => this.#board.timeProof(this.#verifier.timeProof(this.#board.timeChallenge())));
  }

  /** Keeps the lease alive. */
  deliverBeacon(): Outcome {
    return attempt(() => this.#board.beacon(this.#verifier.beacon()));
  }

  /** Gives the board every order that it lacks, oldest first; then the beacon that confirms the newest. */
  deliverOrders(): Outcome {
    return attempt(() => {
      const { epoch, timeBounds } = this.#board.info();
      const orders = this.#verifier.ordersAfter(epoch);
      for (const { bytes } of orders) {
        // What raises the rate waits until its time has certainly come; a beacon lifts the board's lower bound.
        if (timeBounds !== null) tolerate([ErrorCode.TIME_STALE], () => this.#board.beacon(this.#verifier.beacon()));
        tolerate([ErrorCode.ORDER_EPOCH_OLD], () => this.#board.order(bytes));
      }
      if (orders.length > 0 && timeBounds !== null) this.#board.beacon(this.#verifier.beacon());
    });
  }

  /** Has the board make a report, and uploads whatever lies in the outbox. */
  report(): Outcome {
    return attempt(() => {
      this.#fetchLost();
      this.#outbox.push(this.#board.report());
      this.#upload();
    });
  }

  /** Uploads whatever lies in the outbox, and a report that the board made and the agent lost. */
  uploadReports(): Outcome {
    return attempt(() => {
      this.#fetchLost();
      this.#upload();
    });
  }

  /** Report, evidence, license: the closed loop once around. */
  renew(request: LicenseRequest): Outcome {
    const reported = this.report();
    if (!reported.ok) return reported;
    return attempt(() => this.#board.license(this.#verifier.issueLicense(this.#evidence(), request)));
  }

  /** Whether it is time to renew, by what the board says of the license that was asked for. */
  needsRenewal(request: LicenseRequest, ticksSinceLicense: bigint): boolean {
    const { budgetLeft } = this.#board.info();
    const margin = (amount: bigint) => (amount * BigInt(RENEWAL_MARGIN_PERMILLE)) / 1000n;
    if (request.ticksMax - ticksSinceLicense < margin(request.ticksMax)) return true;
    return [...request.budget].some(([engineClass, budget]) => budgetLeft[engineClass]! < margin(budget));
  }

  /** After a rollback or a loss of the journal: has the license quorum say from where to go on. */
  recover(): Outcome {
    return attempt(() => {
      this.#board.recover(this.#verifier.issueRecovery(this.#evidence()));
      this.#outbox.length = 0;
    });
  }

  /** The host's checkpoint is saved. */
  drainDone(): Outcome {
    return attempt(() => this.#board.drainDone());
  }

  info(): Info {
    return this.#board.info();
  }

  #evidence(): Uint8Array {
    return this.#board.evidence(this.#verifier.challenge(this.#board.info().ueid));
  }

  /** The board's newest report, if it is not in the outbox: the verifier says whether it has it. */
  #fetchLost(): void {
    if (this.#outbox.length > 0) return;
    tolerate([ErrorCode.REPORT_NONE, ErrorCode.REPORT_STORE], () => this.#outbox.push(this.#board.reportAgain()));
  }

  #upload(): void {
    for (let next = this.#outbox[0]; next !== undefined; next = this.#outbox[0]) {
      this.#verifier.acceptReport(next.report, next.intervals);
      this.#outbox.shift();
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

/** Runs a step whose refusal with one of these codes changes nothing. */
function tolerate(codes: readonly ErrorCode[], step: () => unknown): void {
  try {
    step();
  } catch (error) {
    if (!(error instanceof Refusal) || !codes.includes(error.code)) throw error;
  }
}
