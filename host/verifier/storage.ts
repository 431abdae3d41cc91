/** What the verifier keeps, behind an interface that a table each can stand behind. Keys are hexadecimal. */

import type { ReportHead } from "../objects/eat.ts";
import type { AttestationCertificate, Endorsement } from "../objects/endorsement.ts";
import type { License } from "../objects/license.ts";
import type { Recovery } from "../objects/recovery.ts";
import type { UsageReport } from "../objects/usage-report.ts";
import type { AllWork } from "../objects/work.ts";
import type { DeviceBooks } from "./books.ts";
import type { StoredOrder } from "./order-book.ts";

/** Where a device's report chain stands here. */
export interface Chain {
  readonly head: ReportHead;
  readonly totals: AllWork;
  readonly bootCount: number;
  readonly toTick: bigint;
  readonly licenseSequence: bigint;
  /** Public key that signed the newest report; absent before the first. */
  readonly attester?: Uint8Array;
}

/** What the newest evidence that was accepted said. */
export interface LastSeen {
  readonly bootCount: number;
  readonly bootSeed: Uint8Array;
  readonly totals: AllWork;
  readonly licenseSequence: bigint;
}

export interface DeviceRecord {
  readonly ueid: Uint8Array;
  readonly endorsement: Endorsement;
  /** The newest is last; reports of earlier governor images stay verifiable. */
  readonly certificates: readonly AttestationCertificate[];
  readonly chain: Chain;
  readonly lastSeen?: LastSeen;
  /** Sequence of the newest license that was issued; none is ever issued twice. */
  readonly sequenceIssued: bigint;
  /** A recovery that was issued and not yet seen at work. */
  readonly recovery?: Recovery;
  /** Serial of the newest nonce that was used up. */
  readonly nonceUsed?: Uint8Array;
  readonly books: DeviceBooks;
}

export interface StoredLicense {
  readonly license: License;
  readonly bytes: Uint8Array;
}

export interface StoredReport {
  readonly report: UsageReport;
  readonly bytes: Uint8Array;
  readonly intervals?: Uint8Array;
}

export interface Storage {
  device(ueid: string): DeviceRecord | undefined;
  devices(): Iterable<DeviceRecord>;
  putDevice(record: DeviceRecord): void;

  license(ueid: string, sequence: bigint): StoredLicense | undefined;
  /** The license or recovery that answered this evidence. */
  answer(evidenceDigest: string): Uint8Array | undefined;
  putLicense(ueid: string, license: StoredLicense): void;
  putAnswer(evidenceDigest: string, bytes: Uint8Array): void;

  report(ueid: string, sequence: bigint): StoredReport | undefined;
  putReport(ueid: string, report: StoredReport): void;

  /** Active orders, by epoch. */
  orders(): readonly StoredOrder[];
  putOrder(order: StoredOrder): void;
}

export class MemoryStorage implements Storage {
  readonly #devices = new Map<string, DeviceRecord>();
  readonly #licenses = new Map<string, StoredLicense>();
  readonly #answers = new Map<string, Uint8Array>();
  readonly #reports = new Map<string, StoredReport>();
  readonly #orders: StoredOrder[] = [];

  device(ueid: string): DeviceRecord | undefined {
    return this.#devices.get(ueid);
  }

  devices(): Iterable<DeviceRecord> {
    return this.#devices.values();
  }

  putDevice(record: DeviceRecord): void {
    this.#devices.set(Buffer.from(record.ueid).toString("hex"), record);
  }

  license(ueid: string, sequence: bigint): StoredLicense | undefined {
    return this.#licenses.get(`${ueid}/${sequence}`);
  }

  answer(evidenceDigest: string): Uint8Array | undefined {
    return this.#answers.get(evidenceDigest);
  }

  putLicense(ueid: string, license: StoredLicense): void {
    this.#licenses.set(`${ueid}/${license.license.sequence}`, license);
  }

  putAnswer(evidenceDigest: string, bytes: Uint8Array): void {
    this.#answers.set(evidenceDigest, bytes);
  }

  report(ueid: string, sequence: bigint): StoredReport | undefined {
    return this.#reports.get(`${ueid}/${sequence}`);
  }

  putReport(ueid: string, report: StoredReport): void {
    this.#reports.set(`${ueid}/${report.report.sequence}`, report);
  }

  orders(): readonly StoredOrder[] {
    return this.#orders;
  }

  putOrder(order: StoredOrder): void {
    this.#orders.push(order);
  }
}
