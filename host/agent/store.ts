/** What the agent keeps of one board: reports until the verifier has them, and the license that it brought last. */
import type { ReportAnswer } from "../mailbox.ts";
import type { Answer, Mode } from "../mode.ts";
import type { Info } from "../objects/evidence.ts";
import { reportDigest } from "../objects/usage-report.ts";
import type { WorkByClass } from "../objects/work.ts";

/** A license as it was when the board took it. */
export interface InstalledLicense {
  readonly sequence: bigint;
  readonly budget: WorkByClass;
  /** How long it lasts from then on: the shorter of its ticks and its window. */
  readonly seconds: number;
  /** After a pause no license of an earlier epoch opens the gate again. */
  readonly epoch: number;
  readonly bootCount: number;
  readonly uptimeSeconds: number;
}

export interface AgentStore<M extends Mode = "sync"> {
  /** SHA-256 of the newest report that was put here. */
  readonly newestReport: Uint8Array | undefined;
  /** Whether another report may be made before one that waits is delivered. */
  readonly hasRoom: boolean;
  readonly license: InstalledLicense | undefined;
  /** When it returns, nothing short of a broken disk loses the report. */
  putReport(report: ReportAnswer): Answer<M, void>;
  /** The reports that the verifier does not have yet, oldest first. */
  waiting(): Answer<M, readonly ReportAnswer[]>;
  delivered(report: ReportAnswer): Answer<M, void>;
  /** After a recovery no report that waits fits the chain any more. */
  dropReports(): Answer<M, void>;
  putLicense(license: InstalledLicense): Answer<M, void>;
}

/** For where a crash ends the board too: one report at most waits, the board itself keeps a copy of it. */
export class MemoryStore implements AgentStore {
  newestReport: Uint8Array | undefined;
  license: InstalledLicense | undefined;
  #waiting: ReportAnswer[] = [];

  get hasRoom(): boolean {
    return this.#waiting.length === 0;
  }

  putReport(report: ReportAnswer): void {
    this.#waiting.push(report);
    this.newestReport = reportDigest(report.report);
  }

  waiting(): readonly ReportAnswer[] {
    return this.#waiting;
  }

  delivered(report: ReportAnswer): void {
    this.#waiting = this.#waiting.filter((other) => other !== report);
  }

  dropReports(): void {
    this.#waiting = [];
    this.newestReport = undefined;
  }

  putLicense(license: InstalledLicense): void {
    this.license = license;
  }
}

/**
 * What is left of a license, as a part of what it was: of the budget of a class, of its ticks, or of its window, whichever
 * is least. Nothing where there is none, or the board was powered up since: what was reserved then is lost.
 */
export function partLeft(license: InstalledLicense | undefined, info: Info): number {
  const { bootCount, uptimeSeconds, budgetLeft, licenseSequence } = info;
  if (license?.bootCount !== bootCount || license.sequence !== licenseSequence) return 0;
  const secondsLeft = license.uptimeSeconds + license.seconds - uptimeSeconds;
  const parts = [...license.budget].map(([engineClass, work]) => ratio(budgetLeft[engineClass]!, work));
  return Math.max(0, Math.min(secondsLeft / license.seconds, ...parts));
}

/** To a millionth; a class without budget has nothing that could run out. */
function ratio(left: bigint, whole: bigint): number {
  return whole === 0n ? 1 : Number((left * 1_000_000n) / whole) / 1_000_000;
}
