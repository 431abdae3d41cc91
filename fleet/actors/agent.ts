/**
 * The operator's agent of every board of a cell: brings a board up, keeps it licensed, carries beacons, orders and reports,
 * and cheats where its strategy says so.
 */

import { Mailbox } from "../../host/mailbox.ts";
import { Refusal } from "../../host/protocol/refusal.ts";
import type { Cell, CellEvent } from "../engine/cell.ts";
import { type Enrolled, OfficeRefused } from "./office.ts";
import type { Standing } from "./standing.ts";

type BoardEvent = Exclude<CellEvent, { kind: "action" }>;
type License = Extract<CellEvent, { kind: "license" }>;
type Order = Extract<CellEvent, { kind: "order" }>;

const NONCE = new Uint8Array(32);
/** Half of what a license is backdated by (office.ts). */
const UNSURE_MS_MAX = 30_000;

export class Agent {
  readonly #cell: Cell;
  readonly #mailbox: Mailbox;
  /** When the verifier's signer is free again. */
  #signerFreeMs = 0;
  #referred = false;

  constructor(cell: Cell) {
    this.#cell = cell;
    this.#mailbox = new Mailbox((request) => cell.bank.board.request(request));
  }

  meet(event: BoardEvent): void {
    const { kind, board } = event;
    if (kind === "boot") this.#boot(board);
    else if (kind === "beacon") this.#beacon(board);
    else if (kind === "renew") this.#renewInTurn(board);
    else if (kind === "report") this.#reportInTurn(board);
    else if (kind === "cycle") this.#cyclePower(board);
    else if (kind === "license") this.#install(event as License);
    else if (kind === "order") this.#order(event as Order);
    this.#cell.settle(board);
  }

  /** At the end of the run: the last report, held against what was really done. */
  finish(index: number): void {
    const { standings, totals, bank } = this.#cell;
    const standing = standings[index]!;
    const isMetered = !standing.strategy.has("bypass-gate");
    if (!this.#try(() => this.#report(standing))) return;
    const reported = standing.enrolled!.totals;
    const isTrue = reported?.every((total, c) => total >= bank.board.accelerator.lifetimeOf(c));
    if (!isTrue || !isMetered) totals.misreported += 1;
  }

  /** The job is saved: the drain may end. */
  drainDone(_index: number): void {
    this.#try(() => this.#mailbox.drainDone());
  }

  #boot(index: number): void {
    const { cell, standing } = this.#at(index);
    const { operator } = cell.parameters;
    const { board, ueid, devicePublicKey } = cell.make(index);
    standing.madeMs = cell.nowMs;
    standing.leaseMs = cell.nowMs;
    standing.beaconMs = cell.nowMs;
    if (standing.strategy.has("slow-clock")) board.setClockSpeed(operator.clockPermille);
    this.#mailbox.agreement(cell.office.agreementBytes);
    standing.enrolled = cell.office.enroll(ueid, devicePublicKey, this.#mailbox.identity());
    this.#syncTime(index);
    if (!standing.strategy.has("withhold-orders")) standing.pending.push(...cell.office.orders);
    else standing.withheld.push(...cell.office.orders);
    if (standing.pending.length > 0) this.#deliverOrders(index);
    this.#putBeacon(index);
    this.#putRenewal(index, cell.nowMs);
    if (operator.reportSeconds > 0) this.#put("report", index, cell.nowMs + operator.reportSeconds * 1000);
    const { pauseMs } = cell.world;
    if (standing.strategy.has("cycle-power") && pauseMs !== undefined) {
      this.#put("cycle", index, Math.max(cell.nowMs, pauseMs));
    }
  }

  #syncTime(index: number): void {
    const { cell, standing } = this.#at(index);
    if (!this.#reaches("time", index) || cell.world.isStopped("stop-beacons", cell.nowMs)) return;
    if (this.#withholds(standing)) return;
    const nonce = this.#mailbox.timeChallenge();
    standing.knowsTime = this.#try(() =>
      this.#mailbox.timeProof(cell.office.timeProof(cell.secondsAt(cell.nowMs), nonce)),
    );
  }

  // Beacons.

  /** The next is as old as the wire makes it when it arrives. */
  #putBeacon(index: number): void {
    const { cell } = this.#at(index);
    const { beaconSeconds, latencyMs } = cell.parameters.operator;
    const periodMs = beaconSeconds * 1000;
    const issuedMs = (Math.floor((cell.nowMs - latencyMs) / periodMs) + 1) * periodMs;
    this.#put("beacon", index, issuedMs + latencyMs);
  }

  #beacon(index: number): void {
    const { cell, standing } = this.#at(index);
    this.#putBeacon(index);
    if (!this.#reaches("time", index) || cell.world.isStopped("stop-beacons", cell.nowMs)) return;
    cell.take(index);
    if (!this.#withholds(standing)) {
      const issuedMs = cell.nowMs - cell.parameters.operator.latencyMs;
      const bytes = cell.office.beacon(cell.secondsAt(issuedMs));
      if (standing.strategy.has("hoard-beacons")) standing.hoard.push({ issuedMs, bytes });
      else this.#deliverBeacon(bytes);
    }
    if (standing.strategy.has("hoard-beacons")) this.#useHoard(standing);
    if (standing.pending.length > 0) this.#deliverOrders(index);
  }

  #deliverBeacon(bytes: Uint8Array): boolean {
    // Without the time the governor takes none: whoever was cut off at power-up asks for a proof first.
    const index = this.#cell.watch.taken;
    const standing = this.#cell.standings[index]!;
    if (!standing.knowsTime) this.#syncTime(index);
    const isTaken = this.#try(() => this.#mailbox.beacon(bytes));
    if (isTaken) {
      this.#cell.totals.beacons += 1;
      standing.beaconMs = this.#cell.nowMs;
    }
    return isTaken;
  }

  /** Whether its governor's clock may be off by more than licenses are backdated. */
  #isUnsure({ beaconMs }: Standing): boolean {
    const unsureMs = ((this.#cell.nowMs - beaconMs) * 2 * this.#cell.parameters.agreement.driftPpm) / 1e6;
    return unsureMs > UNSURE_MS_MAX;
  }

  /** One that is asked for, rather than broadcast; not for who lives by old ones. */
  #freshBeacon(index: number): boolean {
    const { cell, standing } = this.#at(index);
    if (!this.#reaches("time", index) || cell.world.isStopped("stop-beacons", cell.nowMs)) return false;
    if (this.#withholds(standing) || standing.strategy.has("hoard-beacons")) return false;
    return this.#deliverBeacon(cell.office.beacon(cell.secondsAt(cell.nowMs)));
  }

  /** As late as the beacons' pace allows: the oldest that still says that the lease goes on. */
  #useHoard(standing: Standing): void {
    const { nowMs, parameters } = this.#cell;
    const leaseMs = parameters.agreement.leaseSeconds * 1000;
    const paceMs = 2 * parameters.operator.beaconSeconds * 1000;
    if (nowMs < standing.leaseMs + leaseMs - paceMs) return;
    const place = standing.hoard.findIndex(({ issuedMs }) => issuedMs + leaseMs > nowMs + paceMs);
    const [chosen] = standing.hoard.splice(place < 0 ? standing.hoard.length - 1 : place, 1);
    if (!chosen) return;
    standing.leaseMs = Math.max(standing.leaseMs, chosen.issuedMs);
    this.#deliverBeacon(chosen.bytes);
  }

  // Licenses.

  #putRenewal(index: number, atMs: number): void {
    this.#cell.standings[index]!.renewMs = atMs;
    this.#put("renew", index, atMs);
  }

  /** Unless it was put off, or done earlier, since. */
  #renewInTurn(index: number): void {
    const { cell, standing } = this.#at(index);
    if (standing.renewMs === cell.nowMs) this.#renew(index);
  }

  #renew(index: number): void {
    const { cell, standing } = this.#at(index);
    const { latencyMs, retrySeconds } = cell.parameters.operator;
    if (standing.renewing) return;
    if (cell.world.isStopped("stop-licenses", cell.nowMs)) {
      const { resumeMs } = cell.world;
      if (resumeMs !== undefined && resumeMs > cell.nowMs) this.#putRenewal(index, resumeMs + latencyMs);
      return;
    }
    if (!this.#reaches("verifier", index)) {
      this.#putRenewal(index, cell.nowMs + retrySeconds * 1000);
      return;
    }
    cell.take(index);
    let evidence: Uint8Array | undefined;
    const isReady = this.#try(() => {
      if (!standing.knowsTime) this.#syncTime(index);
      else if (this.#isUnsure(standing)) this.#freshBeacon(index);
      this.#report(standing);
      evidence = this.#mailbox.evidence(NONCE);
    });
    if (!isReady || !evidence) {
      this.#putRenewal(index, cell.nowMs + retrySeconds * 1000);
      return;
    }
    standing.renewing = true;
    standing.renewMs = undefined;
    cell.queue.put(this.#signedMs(cell.nowMs + latencyMs) + latencyMs, { kind: "license", board: index, evidence });
  }

  /** When a license that is asked for now is signed: one after the other. */
  #signedMs(askedMs: number): number {
    const { licensesPerSecond } = this.#cell.parameters.verifier;
    if (licensesPerSecond === 0) return askedMs;
    this.#signerFreeMs = Math.max(this.#signerFreeMs, askedMs) + 1000 / licensesPerSecond;
    return Math.ceil(this.#signerFreeMs);
  }

  #install({ board: index, evidence }: License): void {
    const { cell, standing } = this.#at(index);
    const { agreement, operator } = cell.parameters;
    standing.renewing = false;
    const signedMs = cell.nowMs - operator.latencyMs;
    const isInstalled =
      !cell.world.isStopped("stop-licenses", signedMs) &&
      this.#try(() => {
        const bytes = cell.office.license(standing.enrolled!, evidence, cell.secondsAt(signedMs));
        cell.take(index);
        this.#mailbox.license(bytes);
        if (standing.strategy.has("replay-licenses")) standing.licenseBytes.push(bytes);
      });
    if (!isInstalled) {
      this.#putRenewal(index, cell.nowMs + operator.retrySeconds * 1000);
      return;
    }
    cell.totals.licenses += 1;
    const afterMs = Math.max(1000, Math.floor(agreement.licenseSeconds * operator.renewAfterPermille));
    this.#putRenewal(index, cell.nowMs + afterMs);
    if (!this.#referred) {
      this.#referred = true;
      cell.settle(index);
      cell.bank.referTo(index);
    }
  }

  // Orders.

  #order({ board: index, order, action }: Order): void {
    const { cell, standing } = this.#at(index);
    if (!standing.enrolled) return;
    cell.take(index);
    if (standing.strategy.has("withhold-orders") && action.do !== "resume") {
      standing.withheld.push(order);
      if (standing.strategy.has("replay-licenses")) this.#replay(standing);
      return;
    }
    standing.pending.push(...standing.withheld.splice(0), order);
    standing.epoch = cell.office.epoch;
    this.#deliverOrders(index);
    if (standing.strategy.has("replay-licenses")) this.#replay(standing);
    // A license of before a resume opens nothing.
    if (action.do !== "pause") this.#renew(index);
  }

  /** In their order; one whose time has not certainly come, by the governor's clock, comes again with the next beacon. */
  #deliverOrders(index: number): void {
    const { pending } = this.#cell.standings[index]!;
    const isTaken = () => this.#try(() => this.#mailbox.order(pending[0]!));
    while (pending.length > 0) {
      if (!isTaken() && !(this.#freshBeacon(index) && isTaken())) return;
      pending.shift();
    }
  }

  #replay(standing: Standing): void {
    for (const bytes of standing.licenseBytes) this.#try(() => this.#mailbox.license(bytes));
  }

  /** Whether what names the newest order is kept from the board. */
  #withholds({ strategy, epoch }: Standing): boolean {
    return strategy.has("withhold-orders") && this.#cell.office.epoch > epoch;
  }

  #cyclePower(index: number): void {
    const { cell, standing } = this.#at(index);
    const { resumeMs } = cell.world;
    if (resumeMs !== undefined && cell.nowMs >= resumeMs) return;
    const board = cell.take(index);
    board.cutPower();
    cell.watch.lostPower(index);
    standing.knowsTime = false;
    board.powerOn();
    this.#syncTime(index);
    this.#put("cycle", index, cell.nowMs + cell.parameters.agreement.leaseSeconds * 500);
  }

  // Reports.

  #reportInTurn(index: number): void {
    const { cell, standing } = this.#at(index);
    this.#put("report", index, cell.nowMs + cell.parameters.operator.reportSeconds * 1000);
    if (!this.#reaches("verifier", index)) return;
    cell.take(index);
    this.#try(() => this.#report(standing));
  }

  #report(standing: Standing): void {
    const { report } = this.#mailbox.report();
    this.#cell.office.takeReport(standing.enrolled as Enrolled, report);
    this.#cell.totals.reports += 1;
  }

  #at(index: number): { cell: Cell; standing: Standing } {
    return { cell: this.#cell, standing: this.#cell.standings[index]! };
  }

  #put(kind: "beacon" | "renew" | "report" | "cycle", board: number, atMs: number): void {
    this.#cell.queue.put(atMs, { kind, board });
  }

  #reaches(side: "verifier" | "time", index: number): boolean {
    const { world, draws, nowMs } = this.#cell;
    return world.reachableMs(side, draws[index]!, nowMs) === nowMs;
  }

  /** Whether nobody refused; a refusal is counted. */
  #try(act: () => void): boolean {
    try {
      act();
      return true;
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof OfficeRefused)) throw error;
      this.#cell.totals.refusals += 1;
      return false;
    }
  }
}
