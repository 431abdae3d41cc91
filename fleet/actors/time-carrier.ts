/** Carries the time to boards: proofs after a power-up, beacons as they are broadcast, and those that are asked for. */
import type { Ms } from "../engine/queue.ts";
import type { BoardWire } from "./board-wire.ts";
import { BACKDATED_SECONDS } from "./office.ts";
import type { Standing } from "./standing.ts";

/** Half of what a license is backdated by. */
const UNSURE_MS_MAX = BACKDATED_SECONDS * 500;

export class TimeCarrier {
  readonly #wire: BoardWire;
  /** Told when a board has heard the time anew. */
  readonly #heard: (index: number) => void;

  constructor(wire: BoardWire, heard: (index: number) => void) {
    this.#wire = wire;
    this.#heard = heard;
  }

  // After a power-up.

  /** Asks for a proof on the governor's own nonce, as soon as there is somebody to ask. */
  ask(index: number): void {
    const { nowMs, latencyMs, cell } = this.#wire;
    const standing = this.#wire.standingOf(index);
    // A second challenge would make the proof that is under way worthless.
    if (standing.proofDueMs !== undefined && standing.proofDueMs > nowMs) return;
    const reachableMs = this.#wire.reachableMs("time", index);
    const signedMs = reachableMs + latencyMs;
    const stoppedMs = cell.world.isStopped("stop-beacons", signedMs) ? cell.world.nextResumeMs(signedMs) : signedMs;
    if (stoppedMs === undefined) return;
    const askedMs = Math.max(reachableMs, stoppedMs - latencyMs);
    if (askedMs > nowMs) {
      this.#wire.put(askedMs, { kind: "time", board: index });
      return;
    }
    cell.take(index);
    const nonce = this.#wire.mailbox.timeChallenge();
    standing.proofDueMs = nowMs + 2 * latencyMs;
    this.#wire.put(standing.proofDueMs, { kind: "proof", board: index, nonce });
  }

  prove(index: number, nonce: Uint8Array): void {
    const { cell, signedMs, nowMs } = this.#wire;
    const standing = this.#wire.standingOf(index);
    if (standing.proofDueMs !== nowMs) return;
    standing.proofDueMs = undefined;
    if (this.#withholds(standing, signedMs)) return;
    cell.take(index);
    const { mailbox } = this.#wire;
    standing.knowsTime = this.#wire.isDone(() => mailbox.timeProof(cell.office.timeProof(signedMs, nonce)));
    if (!standing.knowsTime) {
      this.#wire.put(nowMs + cell.parameters.operator.retrySeconds * 1000, { kind: "time", board: index });
      return;
    }
    standing.beaconMs = nowMs;
    this.#heard(index);
  }

  // Beacons as they are broadcast.

  /** The next is as old as the wire makes it when it arrives. */
  putNext(index: number): void {
    const { nowMs, latencyMs, cell } = this.#wire;
    const periodMs = cell.parameters.operator.beaconSeconds * 1000;
    const issuedMs = (Math.floor((nowMs - latencyMs) / periodMs) + 1) * periodMs;
    this.#wire.put(issuedMs + latencyMs, { kind: "beacon", board: index });
  }

  beacon(index: number): void {
    this.putNext(index);
    const { cell, signedMs } = this.#wire;
    const standing = this.#wire.standingOf(index);
    const hoards = standing.strategy.has("hoard-beacons");
    const isSigned = !cell.world.isStopped("stop-beacons", signedMs);
    if (isSigned && this.#wire.reaches("time", index) && !this.#withholds(standing, signedMs)) {
      const bytes = cell.office.beacon(signedMs);
      if (hoards) standing.hoard.push({ issuedMs: signedMs, bytes });
      else this.#deliver(index, bytes);
    }
    if (hoards) this.#useHoard(index, standing);
  }

  /** As late as the beacons' pace allows: the oldest that still says that the lease goes on. */
  #useHoard(index: number, standing: Standing): void {
    const { nowMs, cell } = this.#wire;
    const leaseMs = cell.parameters.agreement.leaseSeconds * 1000;
    const paceMs = 2 * cell.parameters.operator.beaconSeconds * 1000;
    if (nowMs < standing.leaseMs + leaseMs - paceMs) return;
    const place = standing.hoard.findIndex(({ issuedMs }) => issuedMs + leaseMs > nowMs + paceMs);
    const [chosen] = standing.hoard.splice(place < 0 ? standing.hoard.length - 1 : place, 1);
    if (!chosen) return;
    standing.leaseMs = Math.max(standing.leaseMs, chosen.issuedMs);
    this.#deliver(index, chosen.bytes);
  }

  // Beacons that are asked for.

  /** Whether its governor's clock may be off by more than licenses are backdated. */
  isUnsure({ beaconMs }: Standing): boolean {
    const { driftPpm } = this.#wire.cell.parameters.agreement;
    return ((this.#wire.nowMs - beaconMs) * 2 * driftPpm) / 1e6 > UNSURE_MS_MAX;
  }

  /** Whether one is on its way, then. Not for who lives by old ones. */
  askFresh(index: number): boolean {
    const { nowMs, latencyMs, cell } = this.#wire;
    const standing = this.#wire.standingOf(index);
    if (standing.freshAsked) return true;
    if (!this.#wire.reaches("time", index) || cell.world.isStopped("stop-beacons", nowMs + latencyMs)) return false;
    if (standing.strategy.has("hoard-beacons") || this.#withholds(standing, nowMs)) return false;
    standing.freshAsked = true;
    this.#wire.put(nowMs + 2 * latencyMs, { kind: "fresh", board: index });
    return true;
  }

  fresh(index: number): void {
    const { cell, signedMs } = this.#wire;
    const standing = this.#wire.standingOf(index);
    standing.freshAsked = false;
    if (!this.#withholds(standing, signedMs)) this.#deliver(index, cell.office.beacon(signedMs));
  }

  #deliver(index: number, bytes: Uint8Array): void {
    const { cell, mailbox, nowMs } = this.#wire;
    const standing = this.#wire.standingOf(index);
    // Without the time the governor takes none.
    if (!standing.knowsTime) return;
    cell.take(index);
    if (!this.#wire.isDone(() => mailbox.beacon(bytes))) return;
    cell.totals.beacons += 1;
    standing.beaconMs = nowMs;
    this.#heard(index);
  }

  /** Whether what names the newest order is kept from the board. */
  #withholds({ strategy, epoch }: Standing, signedMs: Ms): boolean {
    return strategy.has("withhold-orders") && this.#wire.cell.office.epochAt(signedMs) > epoch;
  }
}
