/**
 * The reports of one board on their way to every verifier of a circle. Each verifier keeps a chain of its own, so each
 * has its own place in the shelf from which reports are taken, and one that lags is given what it lacks. An upload may be
 * repeated: a verifier that has a report already says so.
 */

import { decodeRecovery } from "../objects/recovery.ts";
import { REPORT_BATCH_MAX } from "../objects/report-batch.ts";
import { decodeUsageReport } from "../objects/usage-report.ts";
import { parseSign, parseSign1 } from "../protocol/cose.ts";
import type { ReportItem } from "../service/service.ts";
import { VerifierError, type VerifierErrorCode } from "../verifier/errors.ts";
import { type Circle, CircleError, type CircleMember, type MemberFailure } from "./circle.ts";
import { ClientError } from "./errors.ts";
import { isFailure } from "./settle.ts";

export interface ShelvedReport extends ReportItem {
  readonly sequence: bigint;
}

export interface ShelvedLicense {
  readonly sequence: bigint;
  readonly bytes: Uint8Array;
}

export interface ShelvedRecovery {
  /** Counts them. */
  readonly number: bigint;
  readonly bytes: Uint8Array;
}

export interface ReportShelf {
  /** Sequence of the newest report here; 0 where there is none. */
  readonly newest: bigint;
  /** Reports after this one, oldest first, `countMax` at most. */
  after(sequence: bigint, countMax: number): Promise<readonly ShelvedReport[]>;
  /** Licenses that the board was given, up to this sequence and after the other, oldest first, as far as they are kept. */
  licenses(after: bigint, upTo: bigint): Promise<readonly ShelvedLicense[]>;
  /** Recoveries that the board was given, oldest first, as far as they are kept. */
  recoveries(): Promise<readonly ShelvedRecovery[]>;
  /** Up to where this verifier has all reports; 0 where that is not known. */
  deliveredTo(name: string): bigint;
  setDelivered(name: string, sequence: bigint): Promise<void>;
}

/** Of one board; of each verifier that is shown them, those that it does not know yet matter. */
export const RECOVERIES_KEPT = 16;

export class Uploads {
  readonly #circle: Circle;
  readonly #shelf: ReportShelf;
  /** One upload at a time to a verifier. */
  readonly #lanes = new Map<string, Promise<void>>();
  /** The report before which a verifier lacked others, and was given all from the oldest. */
  readonly #startedOverAt = new Map<string, bigint>();
  /** Up to where a verifier was shown licenses that it did not sign. */
  readonly #shownTo = new Map<string, bigint>();
  /** The newest recovery that a verifier was shown. */
  readonly #recoveredTo = new Map<string, bigint>();
  /** The report that a verifier refused before it was shown all recoveries once more. */
  readonly #shownAgainAt = new Map<string, bigint>();

  constructor(circle: Circle, shelf: ReportShelf) {
    this.#circle = circle;
    this.#shelf = shelf;
  }

  /** Up to this report enough verifiers have all of them. */
  get enoughTo(): bigint {
    const places = this.#circle.members.map(({ name }) => ({ name, to: this.#shelf.deliveredTo(name) }));
    const isEnough = (to: bigint) =>
      this.#circle.isEnough(places.filter((one) => one.to >= to).map(({ name }) => name));
    return places.map(({ to }) => to).reduce((most, to) => (to > most && isEnough(to) ? to : most), 0n);
  }

  /**
   * Brings every verifier up to the newest report. Resolves when all have it, or a while after enough have, and goes on
   * with the others; rejects when all were tried and too few have it.
   */
  deliver(): Promise<void> {
    const target = this.#shelf.newest;
    const { members } = this.#circle;
    const over = new AbortController();
    const delivered = new Promise<void>((resolve, reject) => {
      const failures: MemberFailure[] = [];
      let left = members.length;
      const ended = () => {
        left -= 1;
        const isEnough = this.enoughTo >= target;
        if (left === 0 && !isEnough)
          reject(failures.length === 1 ? failures[0]!.error : new CircleError("reports", failures));
        else if (left === 0) resolve();
        else if (isEnough) this.#circle.grace(over.signal).then(resolve, () => {});
      };
      for (const member of members) {
        this.#bringUp(member, target).then(ended, (error) => {
          if (!isFailure(error)) reject(error);
          failures.push({ name: member.name, error });
          ended();
        });
      }
    });
    return delivered.finally(() => over.abort());
  }

  async #bringUp(member: CircleMember, target: bigint): Promise<void> {
    const { name } = member;
    await this.#showRecoveries(member);
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
    if (outcome?.status !== "refused") {
      this.#startedOverAt.delete(name);
      this.#shownAgainAt.delete(name);
      return;
    }
    const { error } = outcome;
    const refusedReport = batch[takenCount]!;
    if (await this.#startOver(name, refusedReport.sequence, error)) return;
    const { licenseSequence } = decodeUsageReport(parseSign1(refusedReport.report).payload);
    const isShown =
      isCode(error, "report/license-unknown") && (await this.showLicenses({ name, client }, licenseSequence));
    if (!isShown && !(await this.#showAgain({ name, client }, refusedReport.sequence))) throw error;
  }

  /**
   * A verifier that went back to an older state (a backup) lacks what it once had: it is given all from the oldest. Once:
   * what it lacks and is not here, it will lack again.
   */
  async #startOver(name: string, at: bigint, error: Error): Promise<boolean> {
    if (!isCode(error, "report/gap") || this.#shelf.deliveredTo(name) === 0n) return false;
    if (this.#startedOverAt.get(name) === at) return false;
    this.#startedOverAt.set(name, at);
    await this.#shelf.setDelivered(name, 0n);
    return true;
  }

  /**
   * A verifier that had no part in a recovery sees a board go back, or count more than it reported. It is shown every one
   * before it is brought anything else: to a report that goes on from one it would say worse. What it says of a recovery
   * is not for here: of the next report it says more.
   */
  async #showRecoveries({ name, client }: CircleMember): Promise<boolean> {
    const newestShown = this.#recoveredTo.get(name) ?? 0n;
    const recoveries = (await this.#shelf.recoveries()).filter(({ number }) => number > newestShown);
    for (const { number, bytes } of recoveries) {
      try {
        await this.#showRecovery({ name, client }, bytes);
      } catch (failure) {
        if (!isFailure(failure)) throw failure;
        if (failure instanceof ClientError && failure.class === "network") throw failure;
      }
      this.#recoveredTo.set(name, number);
    }
    return recoveries.length > 0;
  }

  async #showRecovery(member: CircleMember, bytes: Uint8Array): Promise<void> {
    try {
      await member.client.importRecovery(bytes);
    } catch (failure) {
      if (!isFailure(failure) || !isCode(failure, "recovery/license-ahead")) throw failure;
      // It was away for so long that it knows no license near.
      const { sequence } = decodeRecovery(parseSign(bytes).payload);
      if (!(await this.showLicenses(member, sequence))) throw failure;
      await member.client.importRecovery(bytes);
    }
  }

  /** Once for each report: a verifier that went back to an older state (a backup) has forgotten what it was shown. */
  async #showAgain(member: CircleMember, at: bigint): Promise<boolean> {
    const { name } = member;
    if (this.#shownAgainAt.get(name) === at) return false;
    this.#shownAgainAt.set(name, at);
    this.#recoveredTo.delete(name);
    return this.#showRecoveries(member);
  }

  /**
   * A verifier that was away when others signed licenses cannot know what reports and evidence under them speak of. False
   * if it was shown all of them before, or takes them not: then what it said of the report or evidence says more.
   */
  async showLicenses({ name, client }: CircleMember, upTo: bigint): Promise<boolean> {
    const licenses = await this.#shelf.licenses(this.#shownTo.get(name) ?? 0n, upTo);
    try {
      for (const { bytes } of licenses) await client.importLicense(bytes);
    } catch (failure) {
      if (isFailure(failure)) return false;
      throw failure;
    }
    if (licenses.length > 0) this.#shownTo.set(name, upTo);
    return licenses.length > 0;
  }
}

function isCode(error: Error, code: VerifierErrorCode): boolean {
  return error instanceof VerifierError && error.code === code;
}

/** For where the process ends with the boards. Keeps the newest reports only. */
export class MemoryShelf implements ReportShelf {
  readonly #countMax: number;
  #reports: ShelvedReport[] = [];
  #licenses: ShelvedLicense[] = [];
  #recoveries: ShelvedRecovery[] = [];
  readonly #delivered = new Map<string, bigint>();

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  get newest(): bigint {
    return this.#reports.at(-1)?.sequence ?? 0n;
  }

  /** A report again is the one that is here. */
  put(report: ShelvedReport): void {
    this.#reports = withNewest(this.#reports, report, this.#countMax);
  }

  putLicense(license: ShelvedLicense): void {
    this.#licenses = withNewest(this.#licenses, license, this.#countMax);
  }

  putRecovery(bytes: Uint8Array): void {
    const number = (this.#recoveries.at(-1)?.number ?? 0n) + 1n;
    this.#recoveries = [...this.#recoveries, { number, bytes }].slice(-RECOVERIES_KEPT);
  }

  async recoveries(): Promise<readonly ShelvedRecovery[]> {
    return this.#recoveries;
  }

  async licenses(after: bigint, upTo: bigint): Promise<readonly ShelvedLicense[]> {
    return this.#licenses.filter(({ sequence }) => sequence > after && sequence <= upTo);
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

function withNewest<T extends { readonly sequence: bigint }>(items: readonly T[], item: T, countMax: number): T[] {
  return [...items.filter(({ sequence }) => sequence !== item.sequence), item]
    .sort((a, b) => Number(a.sequence - b.sequence))
    .slice(-countMax);
}
