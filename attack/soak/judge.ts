/**
 * What must hold of the whole, whatever fails: S1 to S9 on every board, and what no one place can see. No two licenses of one
 * sequence; no more work than the quorum licensed; each report taken once; a pause that everybody ordered holds after a lease.
 */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import type { Agreement } from "../../host/objects/agreement.ts";
import { decodeLicense } from "../../host/objects/license.ts";
import { decodeRecovery } from "../../host/objects/recovery.ts";
import { decodeUsageReport } from "../../host/objects/usage-report.ts";
import { parseSign, parseSign1 } from "../../host/protocol/cose.ts";
import { sha256 } from "../../host/protocol/sha256.ts";
import type { ReportItem, ReportOutcome, SignedAnswer } from "../../host/service/service.ts";
import { hexOf } from "../../host/verifier/bytes.ts";
import { AttackSucceeded } from "../campaign.ts";
import type { BoardHost } from "./board-host.ts";
import type { Simulation } from "./simulation.ts";

/** What a board may not know of the time, at worst: as long as a challenge, its proof and a beacon may be on their way. */
const UNCERTAIN_MS = 45_000;

export class Judge {
  readonly #sim: Simulation;
  readonly #agreement: Agreement;
  #boards: readonly BoardHost[] = [];
  #finding: string | undefined;
  /** Digests of complete licenses, by device and sequence. */
  readonly #licenses = new Map<string, string>();
  /** Tensor work that complete licenses allow, by device. */
  readonly #licensed = new Map<string, bigint>();
  /** Digest of the newest complete recovery, by device. */
  readonly #recoveries = new Map<string, string>();
  /** By verifier, device and sequence. */
  readonly #reports = new Set<string>();
  #pause: { readonly holdsFromMs: number; done: readonly bigint[] | undefined } | undefined;

  constructor(sim: Simulation, agreement: Agreement) {
    this.#sim = sim;
    this.#agreement = agreement;
  }

  watch(boards: readonly BoardHost[]): void {
    this.#boards = boards;
  }

  /** Something is not as it must be: the run ends after this event. */
  find(what: string): void {
    this.#finding ??= what;
  }

  /** After each event. @throws AttackSucceeded, InvariantBroken */
  check(): void {
    for (const { board, name } of this.#boards) {
      const [broken] = board.invariants!.broken;
      if (broken) throw broken;
      if (board.fault !== undefined) throw new AttackSucceeded(`${name}'s governor hangs: ${board.fault}`);
    }
    if (this.#finding !== undefined) throw new AttackSucceeded(this.#finding);
  }

  /** Now and then, with all boards advanced to now. */
  look(): void {
    for (const { name, ueid, board } of this.#boards) {
      const done = board.accelerator.lifetimeOf(EngineClass.TENSOR_BF16);
      const licensed = this.#licensed.get(hexOf(ueid)) ?? 0n;
      if (done > licensed) this.find(`${name} did ${done}, and the quorum licensed ${licensed}`);
    }
    this.#lookAtPause();
  }

  // --- what verifiers said -----------------------------------------------------------------------------------------

  /** A license with its whole quorum left a verifier, whether or not it arrives. */
  signed(answer: SignedAnswer): void {
    if (!answer.complete) return;
    const { payload } = parseSign(answer.bytes);
    const { ueid, sequence, budget } = decodeLicense(payload);
    const device = hexOf(ueid!);
    const name = `${device} ${sequence}`;
    const digest = hexOf(sha256(payload));
    const before = this.#licenses.get(name);
    if (before !== undefined && before !== digest) this.find(`two licenses of sequence ${sequence} for one device`);
    if (before !== undefined) return;
    this.#licenses.set(name, digest);
    this.#sim.count("licenses");
    const work = budget.get(EngineClass.TENSOR_BF16) ?? 0n;
    this.#licensed.set(device, (this.#licensed.get(device) ?? 0n) + work);
  }

  /** A recovery with its whole quorum left a verifier. */
  recovered(answer: SignedAnswer): void {
    if (!answer.complete) return;
    const { payload } = parseSign(answer.bytes);
    const digest = hexOf(sha256(payload));
    const device = hexOf(decodeRecovery(payload).ueid);
    if (this.#recoveries.get(device) !== digest) this.#sim.count("recoveries");
    this.#recoveries.set(device, digest);
  }

  /** A verifier said of reports that it took them. */
  took(verifier: string, items: readonly ReportItem[], outcomes: readonly ReportOutcome[]): void {
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.status !== "taken") continue;
      const { ueid, sequence } = decodeUsageReport(parseSign1(items[i]!.report).payload);
      const name = `${verifier} ${hexOf(ueid)} ${sequence}`;
      if (this.#reports.has(name)) this.find(`${verifier} took report ${sequence} twice`);
      this.#reports.add(name);
      this.#sim.count("reports taken");
    }
  }

  // --- pauses ------------------------------------------------------------------------------------------------------

  /** After this no board works under an older word of the parties. */
  get pauseBoundMs(): number {
    const { leaseSeconds, sliceTicks, drainTicksMax, tickHz } = this.#agreement;
    return leaseSeconds * 1000 + UNCERTAIN_MS + (Number(sliceTicks + drainTicksMax) * 1000) / tickHz;
  }

  /** Every verifier has a pause of all devices. */
  pauseIsEverywhere(): void {
    this.#pause = { holdsFromMs: this.#sim.nowMs + this.pauseBoundMs, done: undefined };
  }

  /** The parties begin to sign another order. */
  orderBegins(): void {
    if (this.#pause?.done) this.#sim.count("pauses that held");
    this.#pause = undefined;
  }

  #lookAtPause(): void {
    const pause = this.#pause;
    if (!pause || this.#sim.nowMs < pause.holdsFromMs) return;
    const done = this.#boards.map((board) => board.done(EngineClass.TENSOR_BF16));
    pause.done ??= done;
    const at = done.findIndex((work, i) => work !== pause.done![i]);
    if (at >= 0) this.find(`${this.#boards[at]!.name} works though every party has paused it`);
  }
}
