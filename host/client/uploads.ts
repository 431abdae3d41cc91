/**
 * The reports of one board on their way to every verifier of a circle. Each verifier keeps a chain of its own, so each
 * has its own place in the shelf from which reports are taken, and one that lags is given what it lacks. An upload may be
 * repeated: a verifier that has a report already says so.
 */
import { REPORT_BATCH_MAX } from "../objects/report-batch.ts";
import type { ReportItem } from "../service/service.ts";
import { VerifierError } from "../verifier/errors.ts";
import { type Circle, CircleError, type CircleMember, isFailure, type MemberFailure } from "./circle.ts";
import { ClientError } from "./errors.ts";

export interface ShelvedReport extends ReportItem {
  readonly sequence: bigint;
}

export interface ReportShelf {
  /** Sequence of the newest report here; 0 where there is none. */
  readonly newest: bigint;
  /** Reports after this one, oldest first, `countMax` at most. */
  after(sequence: bigint, countMax: number): Promise<readonly ShelvedReport[]>;
  /** Up to where this verifier has all reports; 0 where that is not known. */
  deliveredTo(name: string): bigint;
  setDelivered(name: string, sequence: bigint): Promise<void>;
}

export class Uploads {
  readonly #circle: Circle;
  readonly #shelf: ReportShelf;
  /** One upload at a time to a verifier. */
  readonly #lanes = new Map<string, Promise<void>>();

  constructor(circle: Circle, shelf: ReportShelf) {
    this.#circle = circle;
    this.#shelf = shelf;
  }

  /** Whether enough verifiers have the report with this sequence, and all before it. */
  hasEnough(sequence: bigint): boolean {
    const have = this.#circle.members.filter(({ name }) => this.#shelf.deliveredTo(name) >= sequence);
    return this.#circle.isEnough(have.map(({ name }) => name));
  }

  /**
   * Brings every verifier up to the newest report. Resolves once enough have it, and goes on with the others; rejects when
   * all were tried and too few have it.
   */
  deliver(): Promise<void> {
    const target = this.#shelf.newest;
    const { members } = this.#circle;
    return new Promise((resolve, reject) => {
      const failures: MemberFailure[] = [];
      let left = members.length;
      const ended = () => {
        left -= 1;
        if (this.hasEnough(target)) resolve();
        else if (left === 0) reject(failures.length === 1 ? failures[0]!.error : new CircleError("reports", failures));
      };
      for (const member of members) {
        this.#bringUp(member, target).then(ended, (error) => {
          if (!isFailure(error)) reject(error);
          failures.push({ name: member.name, error });
          ended();
        });
      }
    });
  }

  async #bringUp(member: CircleMember, target: bigint): Promise<void> {
    const { name } = member;
    while (this.#shelf.deliveredTo(name) < target) {
      let lane = this.#lanes.get(name);
      if (!lane) {
        lane = this.#upload(member).finally(() => this.#lanes.delete(name));
        this.#lanes.set(name, lane);
      }
      await lane;
    }
  }

  /** One batch. */
  async #upload({ name, client }: CircleMember): Promise<void> {
    const batch = await this.#shelf.after(this.#shelf.deliveredTo(name), REPORT_BATCH_MAX);
    if (batch.length === 0) throw new ClientError("client/refused", "the reports that it lacks are not kept any more");
    const outcomes = await client.reports(batch);
    const refused = outcomes.findIndex(({ status }) => status === "refused");
    const takenCount = refused < 0 ? batch.length : refused;
    if (takenCount > 0) await this.#shelf.setDelivered(name, batch[takenCount - 1]!.sequence);
    const outcome = outcomes[takenCount];
    if (outcome?.status === "refused") throw await this.#lagging(name, outcome.error);
  }

  /** A verifier that went back to an older state (a backup) lacks reports that it once had: from the oldest, then. */
  async #lagging(name: string, error: Error): Promise<Error> {
    const isGap = error instanceof VerifierError && error.code === "report/gap";
    if (isGap && this.#shelf.deliveredTo(name) > 0n) await this.#shelf.setDelivered(name, 0n);
    return error;
  }
}

/** For where the process ends with the boards. Keeps the newest reports only. */
export class MemoryShelf implements ReportShelf {
  readonly #countMax: number;
  #reports: ShelvedReport[] = [];
  readonly #delivered = new Map<string, bigint>();

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  get newest(): bigint {
    return this.#reports.at(-1)?.sequence ?? 0n;
  }

  /** A report again is the one that is here. */
  put(report: ShelvedReport): void {
    this.#reports = [...this.#reports.filter(({ sequence }) => sequence !== report.sequence), report]
      .sort((a, b) => Number(a.sequence - b.sequence))
      .slice(-this.#countMax);
  }

  async after(sequence: bigint, countMax: number): Promise<readonly ShelvedReport[]> {
    return this.#reports.filter((report) => report.sequence > sequence).slice(0, countMax);
  }

  deliveredTo(name: string): bigint {
    return this.#delivered.get(name) ?? 0n;
  }

  async setDelivered(name: string, sequence: bigint): Promise<void> {
    this.#delivered.set(name, sequence);
  }
}
