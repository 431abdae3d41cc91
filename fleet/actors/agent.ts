/**
 * The operator's agent of every board of a cell: brings a board up, keeps it licensed and reported, carries time and orders
 * to it, and cheats where its strategy says so.
 */

import type { Evidence } from "../../host/objects/evidence.ts";
import type { Cell, CellEvent } from "../engine/cell.ts";
import type { Ms } from "../engine/queue.ts";
import { BoardWire } from "./board-wire.ts";
import { OrderCarrier } from "./order-carrier.ts";
import type { Standing } from "./standing.ts";
import { TimeCarrier } from "./time-carrier.ts";

export type AgentEvent = Exclude<CellEvent, { kind: "action" }>;

/** A verifier's own nonce is for evidence that nobody asked for: here each answers a request. */
const NONCE = new Uint8Array(32);
/** Old licenses that are kept to be tried again. */
const REPLAYED_MOST = 4;

export class Agent {
  readonly #wire: BoardWire;
  readonly #time: TimeCarrier;
  readonly #orders: OrderCarrier;
  /** When the verifier's signer is free again. */
  #signerFreeMs: Ms = 0;
  #isReferred = false;

  constructor(cell: Cell) {
    this.#wire = new BoardWire(cell);
    this.#time = new TimeCarrier(this.#wire, (index) => this.#heardTime(index));
    this.#orders = new OrderCarrier(this.#wire, this.#time);
  }

  meet(event: AgentEvent): void {
    const { kind, board } = event;
    if (kind === "boot") this.#boot(board);
    else if (kind === "time") this.#time.ask(board);
    else if (kind === "proof") this.#time.prove(board, event.nonce);
    else if (kind === "beacon") this.#time.beacon(board);
    else if (kind === "fresh") this.#fresh(board);
    else if (kind === "renew") this.#renewInTurn(board);
    else if (kind === "license") this.#install(board, event.evidence);
    else if (kind === "order") this.#order(board, event.place);
    else if (kind === "report") this.#reportInTurn(board);
    else this.#cyclePower(board);
    this.#wire.cell.settle(board);
  }

  /** At the end of the run: the last report, held against what was really done. */
  finish(index: number): void {
    const { totals, watch } = this.#wire.cell;
    const standing = this.#wire.standingOf(index);
    const isReported = this.#wire.isDone(() => this.#report(standing));
    if (!isReported || watch.doneMoreThan(index, standing.enrolled!.totals)) totals.misreported += 1;
  }

  /** The job is saved: the drain may end. */
  drainDone(): void {
    this.#wire.isDone(() => this.#wire.mailbox.drainDone());
  }

  #boot(index: number): void {
    const { cell, mailbox, nowMs } = this.#wire;
    const { operator } = cell.parameters;
    const standing = this.#wire.standingOf(index);
    const { board, ueid, devicePublicKey } = cell.make(index);
    standing.leaseMs = nowMs;
    if (standing.strategy.has("slow-clock")) board.setClockSpeed(operator.clockPermille);
    mailbox.agreement(cell.office.agreementBytes);
    standing.enrolled = cell.office.enroll(ueid, devicePublicKey, mailbox.identity());
    standing.isRenewalDue = true;
    this.#time.ask(index);
    this.#time.putNext(index);
    this.#orders.askAll(index);
    if (operator.reportSeconds > 0)
      this.#wire.put(nowMs + operator.reportSeconds * 1000, { kind: "report", board: index });
    if (standing.strategy.has("cycle-power")) this.#putCycle(index);
  }

  #heardTime(index: number): void {
    const standing = this.#wire.standingOf(index);
    if (standing.pending.length > 0) this.#orders.deliver(index);
    if (standing.isRenewalDue) this.#renew(index);
  }

  /** A beacon that was asked for has come, or was kept back: what waited for it waits no longer. */
  #fresh(index: number): void {
    const standing = this.#wire.standingOf(index);
    this.#time.fresh(index);
    if (standing.isRenewalDue) this.#askLicense(index);
  }

  #order(index: number, place: number): void {
    const goesOn = this.#orders.receive(index, place);
    this.#replay(index);
    // A license of before a resume opens nothing.
    if (goesOn) this.#renew(index);
  }

  /** Of who does so: whatever opened the gate once is tried again. */
  #replay(index: number): void {
    const { licenseBytes } = this.#wire.standingOf(index);
    if (licenseBytes.length === 0) return;
    this.#wire.cell.take(index);
    for (const bytes of licenseBytes) this.#wire.isDone(() => this.#wire.mailbox.license(bytes));
  }

  // Licenses.

  /** At this time, whatever was planned before. */
  #putRenewal(index: number, atMs: Ms): void {
    this.#wire.standingOf(index).renewMs = atMs;
    this.#wire.put(atMs, { kind: "renew", board: index });
  }

  /** Unless it was put off, or done earlier, since. */
  #renewInTurn(index: number): void {
    if (this.#wire.standingOf(index).renewMs === this.#wire.nowMs) this.#renew(index);
  }

  #renew(index: number): void {
    const { cell, nowMs, latencyMs } = this.#wire;
    const standing = this.#wire.standingOf(index);
    standing.isRenewalDue = false;
    if (standing.isAsking) return;
    if (cell.world.isStopped("stop-licenses", nowMs)) {
      const resumeMs = cell.world.nextResumeMs(nowMs);
      if (resumeMs !== undefined) this.#putRenewal(index, resumeMs + latencyMs);
    } else if (!this.#wire.reaches("verifier", index)) this.#tryAgain(index);
    else if (!standing.knowsTime) {
      standing.isRenewalDue = true;
      this.#time.ask(index);
    } else if (this.#time.isUnsure(standing) && this.#time.askFresh(index)) standing.isRenewalDue = true;
    else this.#askLicense(index);
  }

  #tryAgain(index: number): void {
    this.#putRenewal(index, this.#wire.nowMs + this.#wire.cell.parameters.operator.retrySeconds * 1000);
  }

  #askLicense(index: number): void {
    const { cell, mailbox, nowMs, latencyMs } = this.#wire;
    const standing = this.#wire.standingOf(index);
    standing.isRenewalDue = false;
    if (standing.isAsking || standing.isPaused) return;
    cell.take(index);
    let evidence: Evidence | undefined;
    const isAsked = this.#wire.isDone(() => {
      this.#report(standing);
      evidence = cell.office.takeEvidence(standing.enrolled!, mailbox.evidence(NONCE));
    });
    if (!isAsked || !evidence) {
      this.#tryAgain(index);
      return;
    }
    standing.isAsking = true;
    standing.renewMs = undefined;
    this.#wire.put(this.#signedMs(nowMs + latencyMs) + latencyMs, { kind: "license", board: index, evidence });
  }

  /** When a license that is asked for now is signed: one after the other. */
  #signedMs(askedMs: Ms): Ms {
    const { licensesPerSecond } = this.#wire.cell.parameters.verifier;
    if (licensesPerSecond === 0) return askedMs;
    this.#signerFreeMs = Math.max(this.#signerFreeMs, askedMs) + 1000 / licensesPerSecond;
    return Math.ceil(this.#signerFreeMs);
  }

  #install(index: number, evidence: Evidence): void {
    const { cell, mailbox, nowMs, signedMs } = this.#wire;
    const { agreement, operator } = cell.parameters;
    const standing = this.#wire.standingOf(index);
    standing.isAsking = false;
    // It opens nothing now, and after the resume it is too old.
    if (standing.isPaused) return;
    if (cell.world.isStopped("stop-licenses", signedMs)) {
      this.#renew(index);
      return;
    }
    const bytes = cell.office.license(standing.enrolled!, evidence, signedMs);
    cell.take(index);
    if (!this.#wire.isDone(() => mailbox.license(bytes))) {
      this.#tryAgain(index);
      return;
    }
    cell.totals.licenses += 1;
    if (standing.strategy.has("replay-licenses")) {
      standing.licenseBytes = [...standing.licenseBytes, bytes].slice(-REPLAYED_MOST);
    }
    const afterMs = Math.max(1000, Math.floor(agreement.licenseSeconds * operator.renewAfterPermille));
    this.#putRenewal(index, nowMs + afterMs);
    if (this.#isReferred) return;
    this.#isReferred = true;
    cell.settle(index);
    cell.bank.referTo(index);
  }

  // Reports.

  #reportInTurn(index: number): void {
    const { cell, nowMs } = this.#wire;
    this.#wire.put(nowMs + cell.parameters.operator.reportSeconds * 1000, { kind: "report", board: index });
    if (!this.#wire.reaches("verifier", index)) return;
    cell.take(index);
    this.#wire.isDone(() => this.#report(this.#wire.standingOf(index)));
  }

  #report({ enrolled }: Standing): void {
    const { report } = this.#wire.mailbox.report();
    this.#wire.cell.office.takeReport(enrolled!, report);
    this.#wire.cell.totals.reports += 1;
  }

  // The plug.

  #putCycle(index: number): void {
    const { cell, nowMs } = this.#wire;
    this.#wire.put(nowMs + cell.parameters.agreement.leaseSeconds * 500, { kind: "cycle", board: index });
  }

  #cyclePower(index: number): void {
    const { cell } = this.#wire;
    const standing = this.#wire.standingOf(index);
    this.#putCycle(index);
    const board = cell.take(index);
    board.cutPower();
    cell.watch.lostPower(index);
    board.powerOn();
    standing.knowsTime = false;
    standing.proofDueMs = undefined;
    this.#replay(index);
    this.#time.ask(index);
  }
}
