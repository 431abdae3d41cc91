/**
 * What a site keeps of its boards between visits: reports, since a board has its newest one only and a stick can be lost;
 * the licenses and recoveries that boards took, for verifiers that were away when others signed them; the time challenge that is under
 * way; and the evidence of the last visit. One folder a board.
 *
 * Reports stay after they were delivered, until room is wanted: that they were is said by a document that nobody signed,
 * and a verifier may go back to a backup.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Limit } from "../../firmware/protocol/limits.ts";
import { RECOVERIES_KEPT, type ShelvedRecovery } from "../client/uploads.ts";
import type { ReportAnswer } from "../mailbox.ts";
import { makeFolder } from "../make-folder.ts";
import { INTERVAL_BYTES } from "../objects/intervals.ts";
import { decodeRecovery } from "../objects/recovery.ts";
import { decodeUsageReport } from "../objects/usage-report.ts";
import { parseSign, parseSign1 } from "../protocol/cose.ts";
import { sha256 } from "../protocol/sha256.ts";
import { hexOf, sameBytes } from "../verifier/bytes.ts";
import { CourierError } from "./errors.ts";
import { readBounded, remove, withIo, writeWhole } from "./files.ts";

/** Of one board; some 2 MB. */
const REPORTS_KEPT_MAX = 1_024;

/** Of one board: as many visits as a verifier may have been away. */
const LICENSES_KEPT_MAX = 16;

const NUMBERED = /^(0|[1-9][0-9]{0,19})\.cbor$/;
const STATE = "state.json";
const STATE_BYTES_MAX = 4_096;
const EVIDENCE = "evidence.cbor";

export interface KeptReport extends ReportAnswer {
  readonly sequence: bigint;
}

export interface KeptLicense {
  readonly sequence: bigint;
  readonly bytes: Uint8Array;
}

/** A time challenge whose proof has not come yet; the board forgets it when it loses its power. */
export interface PendingChallenge {
  readonly nonce: Uint8Array;
  readonly bootCount: number;
}

interface State {
  readonly deliveredTo: bigint;
  readonly challenge: PendingChallenge | undefined;
}

const NOTHING: State = { deliveredTo: 0n, challenge: undefined };

export class KeptBoard {
  readonly #folder: string;
  #state: State;

  /** `folder` is that of all boards. Throws `CourierError` (`kept/io`), as all that follows. */
  constructor(folder: string, ueid: string) {
    this.#folder = join(folder, ueid);
    this.#state = this.#io(() => {
      for (const within of ["reports", "licenses", "recoveries"]) {
        makeFolder(join(this.#folder, within), 0o700);
      }
      return readState(readBounded(join(this.#folder, STATE), STATE_BYTES_MAX), this.#folder);
    });
  }

  /** Up to where every verifier has the reports, as far as the last stick said. */
  get deliveredTo(): bigint {
    return this.#state.deliveredTo;
  }

  setDelivered(sequence: bigint): void {
    this.#setState({ ...this.#state, deliveredTo: sequence });
  }

  get challenge(): PendingChallenge | undefined {
    return this.#state.challenge;
  }

  setChallenge(challenge: PendingChallenge | undefined): void {
    this.#setState({ ...this.#state, challenge });
  }

  /** The last that was packed. */
  get evidence(): Uint8Array | undefined {
    return this.#io(() => readBounded(join(this.#folder, EVIDENCE), Limit.MESSAGE_BYTES_MAX));
  }

  setEvidence(evidence: Uint8Array): void {
    this.#io(() => writeWhole(join(this.#folder, EVIDENCE), evidence));
  }

  hasReport(sequence: bigint, digest: Uint8Array): boolean {
    const report = this.#io(() => readBounded(this.#path(sequence, "cbor"), Limit.MESSAGE_BYTES_MAX));
    return report !== undefined && sameBytes(sha256(report), digest);
  }

  /** Whether another report may be made. */
  get hasRoom(): boolean {
    const sequences = this.#sequences();
    return sequences.length < REPORTS_KEPT_MAX || sequences[0]! <= this.#state.deliveredTo;
  }

  /** On the disk when it returns. Throws `CourierError` (`kept/full`) rather than lose one that no verifier has. */
  putReport({ report, intervals }: ReportAnswer): void {
    const { sequence } = decodeUsageReport(parseSign1(report).payload);
    const others = this.#sequences().filter((kept) => kept !== sequence);
    const spare = others.slice(0, Math.max(0, others.length + 1 - REPORTS_KEPT_MAX));
    if (spare.some((kept) => kept > this.#state.deliveredTo)) throw new CourierError("kept/full", this.#folder);
    this.#io(() => {
      writeWhole(this.#path(sequence, "intervals"), intervals);
      // The report last: one that is there has its intervals.
      writeWhole(this.#path(sequence, "cbor"), report);
      for (const kept of spare) this.#drop(kept);
    });
  }

  /** Those after a sequence, oldest first. */
  reportsAfter(sequence: bigint): KeptReport[] {
    const after = this.#sequences().filter((kept) => kept > sequence);
    return this.#io(() =>
      after.map((kept) => ({
        sequence: kept,
        report: readBounded(this.#path(kept, "cbor"), Limit.MESSAGE_BYTES_MAX)!,
        intervals: this.#intervals(kept)!,
      })),
    );
  }

  /** Of one report, whether it was delivered or not; undefined where it is not kept any more. */
  intervalsOf(sequence: bigint): Uint8Array | undefined {
    return this.#io(() => this.#intervals(sequence));
  }

  hasLicense(sequence: bigint): boolean {
    return existsSync(this.#licensePath(sequence));
  }

  /** One that the board took. */
  putLicense(sequence: bigint, license: Uint8Array): void {
    const spare = [...this.#licenses().filter((kept) => kept !== sequence), sequence].slice(0, -LICENSES_KEPT_MAX);
    this.#io(() => {
      writeWhole(this.#licensePath(sequence), license);
      for (const kept of spare) remove(this.#licensePath(kept));
    });
  }

  /**
   * Those that some verifier may not know yet, oldest first: who took a report knows all that it speaks of. Where no report
   * waits, evidence alone speaks of one, the last.
   */
  licensesToShow(): KeptLicense[] {
    const known = this.#io(() => readBounded(this.#path(this.deliveredTo, "cbor"), Limit.MESSAGE_BYTES_MAX));
    const knownTo = known ? decodeUsageReport(parseSign1(known).payload).licenseSequence : 0n;
    const isReporting = this.#sequences().some((sequence) => sequence > this.deliveredTo);
    const waiting = this.#licenses()
      .filter((sequence) => sequence > knownTo)
      .slice(isReporting ? 0 : -1);
    return this.#io(() =>
      waiting.map((sequence) => ({
        sequence,
        bytes: readBounded(this.#licensePath(sequence), Limit.MESSAGE_BYTES_MAX)!,
      })),
    );
  }

  /** One that the board is about to be given. Gives its number. */
  putRecovery(recovery: Uint8Array): bigint {
    const numbers = this.#numbers("recoveries");
    const number = (numbers.at(-1) ?? 0n) + 1n;
    this.#io(() => {
      writeWhole(this.#recoveryPath(number), recovery);
      for (const kept of [...numbers, number].slice(0, -RECOVERIES_KEPT)) remove(this.#recoveryPath(kept));
    });
    return number;
  }

  /** One that the board did not take. */
  dropRecovery(number: bigint): void {
    this.#io(() => remove(this.#recoveryPath(number)));
  }

  /** The newest, and those that some verifier may not know yet, oldest first. */
  recoveriesToShow(): ShelvedRecovery[] {
    const kept = this.#io(() =>
      this.#numbers("recoveries").map((number) => {
        return { number, bytes: readBounded(this.#recoveryPath(number), Limit.MESSAGE_BYTES_MAX)! };
      }),
    );
    // Who took a report after the one that it goes on from knows it.
    const isNew = ({ bytes }: ShelvedRecovery) =>
      decodeRecovery(parseSign(bytes).payload).reportHead.sequence >= this.deliveredTo;
    return kept.filter((one, i) => i === kept.length - 1 || isNew(one));
  }

  /** Those after the one that a recovery goes on from do not fit the chain any more. */
  dropReports(after: bigint): void {
    this.#io(() => {
      for (const kept of this.#sequences()) if (kept > after) this.#drop(kept);
    });
    if (this.deliveredTo > after) this.setDelivered(after);
  }

  #intervals(sequence: bigint): Uint8Array | undefined {
    return readBounded(this.#path(sequence, "intervals"), Limit.INTERVALS_MAX * INTERVAL_BYTES);
  }

  #drop(sequence: bigint): void {
    remove(this.#path(sequence, "cbor"));
    remove(this.#path(sequence, "intervals"));
  }

  #sequences(): bigint[] {
    return this.#numbers("reports").filter((sequence) => existsSync(this.#path(sequence, "intervals")));
  }

  #licenses(): bigint[] {
    return this.#numbers("licenses");
  }

  /** Least first. */
  #numbers(folder: string): bigint[] {
    const names = this.#io(() => readdirSync(join(this.#folder, folder)));
    const numbers = names.flatMap((name) => NUMBERED.exec(name)?.[1] ?? []).map(BigInt);
    return numbers.sort((a, b) => (a < b ? -1 : 1));
  }

  #licensePath(sequence: bigint): string {
    return join(this.#folder, "licenses", `${sequence}.cbor`);
  }

  #recoveryPath(number: bigint): string {
    return join(this.#folder, "recoveries", `${number}.cbor`);
  }

  #path(sequence: bigint, ending: string): string {
    return join(this.#folder, "reports", `${sequence}.${ending}`);
  }

  #setState(state: State): void {
    this.#state = state;
    const { deliveredTo, challenge } = state;
    const document = {
      deliveredTo: deliveredTo.toString(),
      ...(challenge && { challenge: { nonce: hexOf(challenge.nonce), bootCount: challenge.bootCount } }),
    };
    this.#io(() => writeWhole(join(this.#folder, STATE), Buffer.from(`${JSON.stringify(document)}\n`)));
  }

  #io<T>(act: () => T): T {
    return withIo("kept/io", this.#folder, act);
  }
}

function readState(bytes: Uint8Array | undefined, folder: string): State {
  if (bytes === undefined) return NOTHING;
  try {
    const { deliveredTo, challenge } = JSON.parse(Buffer.from(bytes).toString("utf8"));
    const pending = challenge && {
      nonce: new Uint8Array(Buffer.from(String(challenge.nonce), "hex")),
      bootCount: Number(challenge.bootCount),
    };
    return { deliveredTo: BigInt(deliveredTo), challenge: pending };
  } catch (cause) {
    throw new CourierError("kept/io", join(folder, STATE), { cause });
  }
}
