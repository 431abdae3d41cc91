/**
 * The reports of one board on a stick, and the licenses and recoveries that it was given, as uploads take them; what each verifier has is
 * learnt from its answers alone.
 */
import type { ReportShelf, ShelvedLicense, ShelvedRecovery, ShelvedReport } from "../client/uploads.ts";
import { numbered, reportFile, type Stick } from "./stick.ts";

export class StickShelf implements ReportShelf {
  readonly newest: bigint;
  readonly #reports: readonly ShelvedReport[];
  readonly #licenses: readonly ShelvedLicense[];
  readonly #recoveries: readonly ShelvedRecovery[];
  readonly #delivered = new Map<string, bigint>();

  constructor(stick: Stick, ueid: string) {
    this.#reports = numbered(stick, `boards/${ueid}/reports`).map(([sequence, report]) => {
      return { sequence, report, intervals: stick.files.get(reportFile(ueid, sequence, "intervals")) };
    });
    this.#licenses = numbered(stick, `boards/${ueid}/licenses`).map(([sequence, bytes]) => ({ sequence, bytes }));
    this.#recoveries = numbered(stick, `boards/${ueid}/recoveries`).map(([number, bytes]) => ({ number, bytes }));
    this.newest = this.#reports.at(-1)?.sequence ?? 0n;
  }

  async after(sequence: bigint, countMax: number): Promise<readonly ShelvedReport[]> {
    return this.#reports.filter((report) => report.sequence > sequence).slice(0, countMax);
  }

  async licenses(after: bigint, upTo: bigint): Promise<readonly ShelvedLicense[]> {
    return this.#licenses.filter(({ sequence }) => sequence > after && sequence <= upTo);
  }

  async recoveries(): Promise<readonly ShelvedRecovery[]> {
    return this.#recoveries;
  }

  deliveredTo(name: string): bigint {
    return this.#delivered.get(name) ?? 0n;
  }

  async setDelivered(name: string, sequence: bigint): Promise<void> {
    this.#delivered.set(name, sequence);
  }
}
