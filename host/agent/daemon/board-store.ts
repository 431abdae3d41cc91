/**
 * What the agent keeps of one board on disk: every report until it is with enough verifiers, and the newest ones after
 * that; the licenses and recoveries that it brought; and how far each verifier is. A report is on the disk before the board is asked
 * for the next one. All else can be lost: then something is sent or asked for twice.
 */
import { join } from "node:path";
import type { Circle } from "../../client/circle.ts";
import {
  RECOVERIES_KEPT,
  type ReportShelf,
  type ShelvedLicense,
  type ShelvedRecovery,
  type ShelvedReport,
  Uploads,
} from "../../client/uploads.ts";
import type { ReportAnswer } from "../../mailbox.ts";
import { decodeReportBatch, encodeReportBatch } from "../../objects/report-batch.ts";
import { decodeUsageReport, reportDigest } from "../../objects/usage-report.ts";
import { parseSign1 } from "../../protocol/cose.ts";
import { Refusal } from "../../protocol/refusal.ts";
import { AgentError } from "../errors.ts";
import type { AgentStore, InstalledLicense } from "../store.ts";
import { type BoardRecord, emptyRecord, readRecord, recordBytes } from "./board-record.ts";
import { type Files, MACHINE_FILES } from "./files.ts";
import { SequenceFolder } from "./sequence-folder.ts";

export interface BoardStoreOptions {
  /** With so many that too few verifiers have, there is no room for another. */
  readonly waitingMax: number;
  /** Reports and licenses that are kept when they are delivered. */
  readonly keep: number;
}

const REPORT_BYTES_MAX = 16_384;
const RECORD_BYTES_MAX = 65_536;

interface BoardFiles {
  readonly files: Files;
  readonly reports: SequenceFolder;
  readonly licenses: SequenceFolder;
  readonly recoveries: SequenceFolder;
}

export class BoardStore implements AgentStore<"async">, ReportShelf {
  readonly uploads: Uploads;
  readonly #options: BoardStoreOptions;
  readonly #files: Files;
  readonly #reports: SequenceFolder;
  readonly #licenses: SequenceFolder;
  readonly #recoveries: SequenceFolder;
  readonly #recordPath: string;
  #record: BoardRecord;
  #newestReport: Uint8Array | undefined;
  /** The record as it is to be written, one write after the other. */
  #writing: Promise<void> = Promise.resolve();
  #isDirty = false;

  private constructor(
    circle: Circle,
    options: BoardStoreOptions,
    recordPath: string,
    record: BoardRecord,
    { files, reports, licenses, recoveries }: BoardFiles,
  ) {
    this.#options = options;
    this.#recordPath = recordPath;
    this.#record = record;
    this.#files = files;
    this.#reports = reports;
    this.#licenses = licenses;
    this.#recoveries = recoveries;
    this.uploads = new Uploads(circle, this);
  }

  /** Makes the board's folder if it is not there. Throws an `AgentError`. */
  static async open(
    folder: string,
    circle: Circle,
    options: BoardStoreOptions,
    files: Files = MACHINE_FILES,
  ): Promise<BoardStore> {
    try {
      const reports = await SequenceFolder.open(files, join(folder, "reports"), "report", REPORT_BYTES_MAX);
      const licenses = await SequenceFolder.open(files, join(folder, "licenses"), "license", REPORT_BYTES_MAX);
      const recoveries = await SequenceFolder.open(files, join(folder, "recoveries"), "recovery", REPORT_BYTES_MAX);
      const recordPath = join(folder, "board.json");
      const bytes = await files.readIfThere(recordPath, RECORD_BYTES_MAX);
      const record = (bytes && readRecord(bytes)) ?? emptyRecord();
      const store = new BoardStore(circle, options, recordPath, record, { files, reports, licenses, recoveries });
      if (reports.newest > 0n) store.#newestReport = reportDigest((await store.#read(reports.newest)).report);
      return store;
    } catch (cause) {
      throw asAgentError(folder, cause);
    }
  }

  // --- what the agent's steps need ---------------------------------------------------------------------------------

  get newestReport(): Uint8Array | undefined {
    return this.#newestReport;
  }

  get hasRoom(): boolean {
    return this.waitingCount < this.#options.waitingMax;
  }

  get license(): InstalledLicense | undefined {
    return this.#record.license;
  }

  async putReport({ report, intervals }: ReportAnswer): Promise<void> {
    const { sequence } = decodeUsageReport(parseSign1(report).payload);
    await this.#guarded(async () => {
      await this.#reports.put(sequence, encodeReportBatch([{ report, intervals }]));
      // A chain that a recovery has set back: nobody has this report yet.
      for (const [name, to] of this.#record.delivered)
        if (to >= sequence) this.#record.delivered.set(name, sequence - 1n);
      this.#newestReport = reportDigest(report);
      await this.#reports.keep(Math.max(this.#options.keep, this.waitingCount));
    });
  }

  waiting(): Promise<readonly ReportAnswer[]> {
    return Promise.all(this.#waitingSequences().map((sequence) => this.#read(sequence)));
  }

  /** How far each verifier is says it already. */
  async delivered(): Promise<void> {}

  async dropReports(): Promise<void> {
    const waiting = this.#waitingSequences();
    this.#newestReport = undefined;
    if (waiting.length > 0) await this.#guarded(() => this.#reports.removeAfter(waiting[0]! - 1n));
  }

  async putLicense(license: InstalledLicense): Promise<void> {
    this.#change({ license });
  }

  // --- what uploads need -------------------------------------------------------------------------------------------

  get newest(): bigint {
    return this.#reports.newest;
  }

  after(sequence: bigint, countMax: number): Promise<readonly ShelvedReport[]> {
    const sequences = this.#reports.sequences.filter((other) => other > sequence).slice(0, countMax);
    return Promise.all(sequences.map(async (one) => ({ ...(await this.#read(one)), sequence: one })));
  }

  async licenses(after: bigint, upTo: bigint): Promise<readonly ShelvedLicense[]> {
    const sequences = this.#licenses.sequences.filter((sequence) => sequence > after && sequence <= upTo);
    return readAll(this.#licenses, sequences);
  }

  async recoveries(): Promise<readonly ShelvedRecovery[]> {
    const found = await readAll(this.#recoveries, this.#recoveries.sequences);
    return found.map(({ sequence, bytes }) => ({ number: sequence, bytes }));
  }

  deliveredTo(name: string): bigint {
    return this.#record.delivered.get(name) ?? 0n;
  }

  async setDelivered(name: string, sequence: bigint): Promise<void> {
    this.#record.delivered.set(name, sequence);
    this.#change({});
  }

  // --- what the daemon needs beside --------------------------------------------------------------------------------

  /** Reports that too few verifiers have. */
  get waitingCount(): number {
    return this.#waitingSequences().length;
  }

  /** The license itself: a verifier that did not sign it may have to be shown it. */
  async keepLicense(sequence: bigint, bytes: Uint8Array): Promise<void> {
    await this.#guarded(async () => {
      await this.#licenses.put(sequence, bytes);
      await this.#licenses.keep(this.#options.keep);
    });
  }

  /** On the disk before the board is given it: a verifier that had no part in it has to be shown it. */
  async keepRecovery(bytes: Uint8Array): Promise<void> {
    await this.#guarded(async () => {
      await this.#recoveries.put(this.#recoveries.newest + 1n, bytes);
      await this.#recoveries.keep(RECOVERIES_KEPT);
    });
  }

  /** Undefined where it is not kept any more. */
  async report(sequence: bigint): Promise<ReportAnswer | undefined> {
    return this.#reports.sequences.includes(sequence) ? this.#read(sequence) : undefined;
  }

  /** Of which certificate a verifier knows the board, in hex. */
  enrolledBy(name: string): string | undefined {
    return this.#record.enrolled.get(name);
  }

  setEnrolled(name: string, certificate: string | undefined): void {
    if (certificate === undefined) this.#record.enrolled.delete(name);
    else this.#record.enrolled.set(name, certificate);
    this.#change({});
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.#writing;
  }

  #waitingSequences(): bigint[] {
    const { enoughTo } = this.uploads;
    return this.#reports.sequences.filter((sequence) => sequence > enoughTo);
  }

  async #read(sequence: bigint): Promise<ReportAnswer> {
    const bytes = await this.#guarded(() => this.#reports.read(sequence));
    try {
      const [item] = decodeReportBatch(bytes ?? new Uint8Array(0));
      return { report: item!.report, intervals: item!.intervals ?? new Uint8Array(0) };
    } catch (cause) {
      if (cause instanceof Refusal) throw new AgentError("agent/state", `report ${sequence} is damaged`, { cause });
      throw cause;
    }
  }

  #change(change: Partial<BoardRecord>): void {
    this.#record = { ...this.#record, ...change };
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.#writing = this.#writing.then(async () => {
      this.#isDirty = false;
      await this.#files.writeWhole(this.#recordPath, recordBytes(this.#record));
    });
    // Whoever waits for it next is told; what it says can be lost.
    this.#writing = this.#writing.catch(() => {});
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw asAgentError("", cause);
    }
  }
}

async function readAll(folder: SequenceFolder, sequences: readonly bigint[]): Promise<ShelvedLicense[]> {
  const found = await Promise.all(
    sequences.map(async (sequence) => ({ sequence, bytes: await folder.read(sequence) })),
  );
  return found.flatMap(({ sequence, bytes }) => (bytes ? [{ sequence, bytes }] : []));
}

function asAgentError(where: string, cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException;
  const isSystem = cause instanceof Error && typeof code === "string" && "syscall" in cause;
  return isSystem ? new AgentError("agent/state", `${where} ${code}`.trim(), { cause }) : cause;
}
