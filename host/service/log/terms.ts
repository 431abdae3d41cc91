/**
 * By which log terms a governor judges a message: those of the agreement that the message stands under. An amendment is
 * judged by the agreement before it, which is the one that the governor holds.
 */
import { ObjectType } from "../../../firmware/protocol/claims.ts";
import type { LoggedType } from "../../log/entry.ts";
import { formatVkey, type NoteKey, NoteType, noteKey } from "../../log/note.ts";
import { decodeAgreement, type LogTerms } from "../../objects/agreement.ts";
import { decodeLicense } from "../../objects/license.ts";
import { decodeOrder } from "../../objects/order.ts";
import { decodeRecovery } from "../../objects/recovery.ts";
import { parseSign } from "../../protocol/cose.ts";
import { hexOf } from "../../verifier/bytes.ts";

/** A message that goes into the log: signed by everyone who must. */
export interface Loggable {
  readonly type: LoggedType;
  /** The COSE_Sign. */
  readonly bytes: Uint8Array;
}

/** Of one agreement. */
export interface TermsRow {
  readonly version: number;
  readonly digest: Uint8Array;
  readonly log: LogTerms | undefined;
}

export class TermsBook {
  readonly #rows: readonly TermsRow[];
  readonly #byDigest: ReadonlyMap<string, LogTerms | undefined>;

  /** Of all agreements, oldest first. */
  constructor(rows: readonly TermsRow[]) {
    this.#rows = rows;
    this.#byDigest = new Map(rows.map(({ digest, log }) => [hexOf(digest), log]));
  }

  /** Keys of all logs that an agreement names or has named: their heads are worth knowing. */
  get logs(): readonly NoteKey[] {
    const keys = this.#rows.flatMap(({ log }) => log && noteKey(log.log.name, NoteType.ED25519, log.log.publicKey));
    return [...new Map(keys.flatMap((key) => (key ? [[formatVkey(key), key] as const] : []))).values()];
  }

  /** Undefined where the agreement has none. */
  of({ type, bytes }: Loggable): LogTerms | undefined {
    if (this.#rows.every(({ log }) => log === undefined)) return undefined;
    const { payload } = parseSign(bytes);
    if (type === ObjectType.AGREEMENT) return this.#before(decodeAgreement(payload).version);
    return this.#byDigest.get(hexOf(agreementOf(type, payload)));
  }

  /** Of the agreement that was in force before this version; of the first, its own. */
  #before(version: number): LogTerms | undefined {
    return (this.#rows.findLast((row) => row.version < version) ?? this.#rows[0])?.log;
  }
}

function agreementOf(type: LoggedType, payload: Uint8Array): Uint8Array {
  if (type === ObjectType.LICENSE) return decodeLicense(payload).agreementDigest;
  return (type === ObjectType.ORDER ? decodeOrder(payload) : decodeRecovery(payload)).agreementDigest;
}
