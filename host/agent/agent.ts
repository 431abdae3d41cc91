/**
 * The operator's agent: carries messages between one board and a verifier. Nobody trusts it; whatever it drops, repeats
 * or delays is caught at one end or the other. Every step says how it ended as a value, so that a caller can go on.
 *
 * A report is kept before the next is made: the board gives its newest report again, byte for byte, so a report that was
 * lost on the way, or in a crash of the agent, is never lost for good.
 */

import { ErrorCode } from "../../firmware/protocol/errors.ts";
import type { Mailbox, ReportAnswer } from "../mailbox.ts";
import type { Answer, Mode } from "../mode.ts";
import { type Agreement, agreementDigest, decodeAgreement } from "../objects/agreement.ts";
import type { Info, LogHead } from "../objects/evidence.ts";
import { decodeLicense } from "../objects/license.ts";
import { decodeOrder, isPauseOf } from "../objects/order.ts";
import { reportDigest } from "../objects/usage-report.ts";
import { parseSign } from "../protocol/cose.ts";
import { Refusal } from "../protocol/refusal.ts";
import { sha256 } from "../protocol/sha256.ts";
import { sameBytes } from "../verifier/bytes.ts";
import type { LicenseRequest } from "../verifier/licensing.ts";
import { attempt, failureOf, type Outcome } from "./outcome.ts";
import { ask, type Run, runSync, type Step } from "./step.ts";
import { type AgentStore, MemoryStore, partLeft } from "./store.ts";

export type { Outcome } from "./outcome.ts";

/** What the agent needs of a verifier; an in-process one is one, a client of a remote one can be. */
export interface VerifierLink<M extends Mode = "sync"> {
  agreementsAfter(version: number): Answer<M, readonly Uint8Array[]>;
  enrol(endorsement: Uint8Array, certificate: Uint8Array): Answer<M, unknown>;
  challenge(ueid: Uint8Array): Answer<M, Uint8Array>;
  /** Without a request: whatever the verifier gives by default. */
  issueLicense(evidence: Uint8Array, request: LicenseRequest | undefined): Answer<M, Uint8Array>;
  issueRecovery(evidence: Uint8Array): Answer<M, Uint8Array>;
  /** Judges and books evidence that asks for nothing. */
  appraise(evidence: Uint8Array): Answer<M, unknown>;
  acceptReport(report: Uint8Array, intervals: Uint8Array): Answer<M, unknown>;
  ordersAfter(epoch: number): Answer<M, readonly { readonly bytes: Uint8Array }[]>;
  beacon(): Answer<M, Uint8Array>;
  timeProof(nonce: Uint8Array): Answer<M, Uint8Array>;
  /** That the message with this SHA-256 is public, for a board that has seen the log's tree of `from` entries; 0: none. */
  logProof(digest: Uint8Array, from: number): Answer<M, Uint8Array>;
}

/** What an agent needs beside board and verifier, to talk to both without waiting. */
interface AsyncParts {
  readonly run: Run<"async">;
  readonly store: AgentStore<"async">;
}

/** A license is renewed when less than this part of it is left, unless the caller says otherwise. */
const RENEWAL_PART = 0.25;

/** What a board says to a proof that starts from an older tree than it has seen by now. */
const OVERTAKEN: readonly number[] = [ErrorCode.LOG_ROLLED_BACK, ErrorCode.LOG_FORKED];

export class Agent<M extends Mode = "sync"> {
  readonly #board: Mailbox<M>;
  readonly #verifier: VerifierLink<M>;
  readonly #run: Run<M>;
  readonly #store: AgentStore<M>;
  /** The agreement with this digest. */
  #known: { readonly digest: Uint8Array; readonly agreement: Agreement } | undefined;

  constructor(board: Mailbox<M>, verifier: VerifierLink<M>, ...parts: M extends "sync" ? [] : [AsyncParts]) {
    const [{ run, store }] = parts.length > 0 ? (parts as [AsyncParts]) : [{ run: runSync, store: new MemoryStore() }];
    this.#board = board;
    this.#verifier = verifier;
    this.#run = run as Run<M>;
    this.#store = store as AgentStore<M>;
  }

  /** Gives the board every agreement that it lacks, oldest first. */
  provision(): Answer<M, Outcome> {
    return this.#attempt(this.#provision());
  }

  /** Makes the board known to the verifier. */
  enrol(endorsement: Uint8Array): Answer<M, Outcome> {
    return this.#attempt(this.#enrol(endorsement));
  }

  /** Sets the board's clock: needed after every power-up. */
  syncTime(): Answer<M, Outcome> {
    return this.#attempt(this.#setClock());
  }

  /** Keeps the lease alive. */
  deliverBeacon(): Answer<M, Outcome> {
    return this.#attempt(this.#deliverBeacon());
  }

  /**
   * Gives the board every order that it lacks, oldest first, then the beacon that confirms the newest. In this order: a
   * beacon that names an order which is not there yet makes the gate drain.
   */
  deliverOrders(): Answer<M, Outcome> {
    return this.#attempt(this.#deliverOrders());
  }

  /** Has the board make a report, if there is room for one, and uploads all that wait. */
  report(): Answer<M, Outcome> {
    return this.#attempt(this.#report());
  }

  /** Uploads the reports that wait, and one that the board made and the agent lost. */
  uploadReports(): Answer<M, Outcome> {
    return this.#attempt(this.#upload());
  }

  /** Report, evidence, license: the closed loop once around. */
  renew(request?: LicenseRequest): Answer<M, Outcome> {
    return this.#attempt(this.#renew(request));
  }

  /** The same without a new report, for another try. */
  license(request?: LicenseRequest): Answer<M, Outcome> {
    return this.#attempt(this.#license(request));
  }

  /** Whether less than this part is left of the license that this agent brought (see `partLeft`). */
  needsRenewal(part = RENEWAL_PART): Answer<M, boolean> {
    return this.#run(this.#needsRenewal(part));
  }

  /** After a rollback or a loss of the journal: has the license quorum say from where to go on. */
  recover(): Answer<M, Outcome> {
    return this.#attempt(this.#recover());
  }

  /**
   * Reports and evidence without a license: that a pause has arrived, and what was done until then, would else be known
   * only when the board asks for its next license.
   */
  confirm(): Answer<M, Outcome> {
    return this.#attempt(this.#confirm());
  }

  /** The host's checkpoint is saved. */
  drainDone(): Answer<M, Outcome> {
    return this.#attempt(ask(() => this.#board.drainDone()));
  }

  info(): Answer<M, Info> {
    return this.#board.info();
  }

  #attempt(step: Step<unknown>): Answer<M, Outcome> {
    return this.#run(attempt(step));
  }

  *#provision(): Step<void> {
    const { agreementVersion } = yield* this.#info();
    for (const bytes of yield* ask(() => this.#verifier.agreementsAfter(agreementVersion))) {
      yield* this.#give(bytes, (proof) => this.#board.agreement(bytes, proof));
    }
  }

  /** Gives the board a message, with its log proof where the board's agreement has a log. */
  *#give(bytes: Uint8Array, tell: (proof?: Uint8Array) => Answer<M, void>): Step<void> {
    const { logHead } = yield* this.#info();
    if (!logHead) return yield* ask(() => tell());
    try {
      yield* this.#giveWithProof(bytes, logHead, tell);
    } catch (error) {
      // Something else was given between, and the board has seen a later tree: so once more.
      if (!(error instanceof Refusal) || !OVERTAKEN.includes(error.code)) throw error;
      const { logHead: head } = yield* this.#info();
      yield* this.#giveWithProof(bytes, head ?? logHead, tell);
    }
  }

  *#giveWithProof(bytes: Uint8Array, { size }: LogHead, tell: (proof?: Uint8Array) => Answer<M, void>): Step<void> {
    const proof = yield* ask(() => this.#verifier.logProof(sha256(bytes), Number(size)));
    yield* ask(() => tell(proof));
  }

  *#enrol(endorsement: Uint8Array): Step<void> {
    const certificate = yield* ask(() => this.#board.identity());
    yield* ask(() => this.#verifier.enrol(endorsement, certificate));
  }

  *#setClock(): Step<void> {
    const nonce = yield* ask(() => this.#board.timeChallenge());
    const proof = yield* ask(() => this.#verifier.timeProof(nonce));
    yield* ask(() => this.#board.timeProof(proof));
  }

  *#deliverBeacon(): Step<void> {
    const beacon = yield* ask(() => this.#verifier.beacon());
    yield* ask(() => this.#board.beacon(beacon));
  }

  *#deliverOrders(): Step<void> {
    const { epoch, timeBounds } = yield* this.#info();
    const orders = yield* ask(() => this.#verifier.ordersAfter(epoch));
    if (orders.length === 0) return;
    // A board that does not know the time takes no order but a pause: that one at least, if the clock can't be set.
    let clockError: unknown;
    if (timeBounds === null) {
      try {
        yield* this.#setClock();
      } catch (error) {
        if (!failureOf(error)) throw error;
        clockError = error;
      }
    }
    try {
      for (const { bytes } of orders) yield* this.#deliverOrder(bytes, clockError === undefined);
    } catch (error) {
      throw clockError ?? error;
    }
    if (clockError !== undefined) throw clockError;
    yield* this.#deliverBeacon();
  }

  *#deliverOrder(bytes: Uint8Array, timeIsKnown: boolean): Step<void> {
    try {
      yield* this.#giveOrder(bytes);
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== ErrorCode.ORDER_NOT_YET || !timeIsKnown) throw error;
      // The board's lower bound lags behind; a beacon lifts it.
      yield* this.#deliverBeacon();
      yield* this.#giveOrder(bytes);
    }
  }

  /** A pause waits for no witness, where the agreement says that it need not. */
  *#giveOrder(bytes: Uint8Array): Step<void> {
    const { agreementDigest: inForce, ueid } = yield* this.#info();
    const isOwn = isPauseOf(decodeOrder(parseSign(bytes).payload), ueid);
    if (isOwn && (yield* this.#mayBeBare(inForce))) yield* ask(() => this.#board.order(bytes));
    else yield* this.#give(bytes, (proof) => this.#board.order(bytes, proof));
  }

  /** By the board's own agreement and no other. */
  *#mayBeBare(digest: Uint8Array): Step<boolean> {
    const agreement = yield* this.#agreement(digest);
    return agreement.log?.pauseBeforeProof === true && sameBytes(agreementDigest(agreement), digest);
  }

  *#report(): Step<void> {
    yield* this.#collect();
    if (!this.#store.hasRoom) yield* this.#upload();
    yield* this.#makeReport();
    yield* this.#upload();
  }

  *#makeReport(): Step<void> {
    const report = yield* ask(() => this.#board.report());
    // Where nothing happened since the newest, the board gives that again.
    if (!this.#isHere(reportDigest(report.report))) yield* ask(() => this.#store.putReport(report));
  }

  *#upload(): Step<void> {
    yield* this.#collect();
    for (const report of yield* ask(() => this.#store.waiting())) {
      yield* ask(() => this.#verifier.acceptReport(report.report, report.intervals));
      yield* ask(() => this.#store.delivered(report));
    }
  }

  /** Keeps the board's newest report, unless it is here. */
  *#collect(): Step<void> {
    const { sequence, digest } = (yield* this.#info()).reportHead;
    if (sequence === 0n || this.#isHere(digest)) return;
    let lost: ReportAnswer;
    try {
      lost = yield* ask(() => this.#board.reportAgain());
    } catch (error) {
      // After a recovery the head is the verifier's, and what lies in flash may be another report.
      if (error instanceof Refusal && error.code === ErrorCode.REPORT_STORE) return;
      throw error;
    }
    yield* ask(() => this.#store.putReport(lost));
  }

  #isHere(digest: Uint8Array): boolean {
    const { newestReport } = this.#store;
    return newestReport !== undefined && sameBytes(newestReport, digest);
  }

  *#renew(request?: LicenseRequest): Step<void> {
    yield* this.#upload();
    yield* this.#makeReport();
    yield* this.#license(request);
  }

  *#license(request?: LicenseRequest): Step<void> {
    yield* this.#upload();
    const evidence = yield* this.#evidence();
    const bytes = yield* ask(() => this.#verifier.issueLicense(evidence, request));
    yield* this.#give(bytes, (proof) => this.#board.license(bytes, proof));
    const { budget, ticksMax, expirySeconds, sequence, epoch } = decodeLicense(parseSign(bytes).payload);
    const info = yield* this.#info();
    const windowSeconds = expirySeconds - (info.timeBounds?.upperMs ?? 0) / 1000;
    const seconds = Math.min(windowSeconds, Number(ticksMax) / (yield* this.#agreement(info.agreementDigest)).tickHz);
    const { bootCount, uptimeSeconds } = info;
    yield* ask(() => this.#store.putLicense({ sequence, budget, seconds, epoch, bootCount, uptimeSeconds }));
  }

  *#needsRenewal(part: number): Step<boolean> {
    return partLeft(this.#store.license, yield* this.#info()) < part;
  }

  *#recover(): Step<void> {
    const evidence = yield* this.#evidence();
    const recovery = yield* ask(() => this.#verifier.issueRecovery(evidence));
    yield* this.#give(recovery, (proof) => this.#board.recover(recovery, proof));
    yield* ask(() => this.#store.dropReports());
  }

  *#confirm(): Step<void> {
    yield* this.#report();
    const evidence = yield* this.#evidence();
    yield* ask(() => this.#verifier.appraise(evidence));
  }

  *#info(): Step<Info> {
    return yield* ask(() => this.#board.info());
  }

  *#evidence(): Step<Uint8Array> {
    const { ueid } = yield* this.#info();
    const nonce = yield* ask(() => this.#verifier.challenge(ueid));
    return yield* ask(() => this.#board.evidence(nonce));
  }

  /** The one with this digest, or the newest. */
  *#agreement(digest: Uint8Array): Step<Agreement> {
    if (this.#known && sameBytes(this.#known.digest, digest)) return this.#known.agreement;
    const all = yield* ask(() => this.#verifier.agreementsAfter(0));
    const payloads = all.map((bytes) => parseSign(bytes).payload);
    const found = payloads.find((payload) => sameBytes(sha256(payload), digest)) ?? payloads.at(-1);
    const agreement = decodeAgreement(found!);
    this.#known = { digest, agreement };
    return agreement;
  }
}
