/**
 * What the log has for a device, or of a party: entries in their order, with what they say and whether their signatures
 * hold. A commitment says which devices it is for and nothing else, so it is found by device only.
 */
import { ObjectType, OrderAction } from "../../firmware/protocol/claims.ts";
import { type Agreement, agreementDigest, decodeAgreement, verifyAgreement } from "../objects/agreement.ts";
import { decodeLicense, type License, verifyLicense } from "../objects/license.ts";
import { decodeOrder, type Order, verifyOrder } from "../objects/order.ts";
import { decodeRecovery, type Recovery, verifyRecovery } from "../objects/recovery.ts";
import { parseSign } from "../protocol/cose.ts";
import { Refusal } from "../protocol/refusal.ts";
import { hexOf, sameBytes } from "../verifier/bytes.ts";
import { decodeEntry, entrySubjects, type LoggedType, type PlainEntry, subjectKey } from "./entry.ts";
import type { Leaf } from "./mirror.ts";

/** Exactly one of them. */
export interface Asked {
  /** A device. */
  readonly ueid?: Uint8Array;
  /** A party's key. */
  readonly kid?: Uint8Array;
}

export type Terms =
  | { readonly type: ObjectType.AGREEMENT; readonly agreement: Agreement }
  | { readonly type: ObjectType.LICENSE; readonly license: License }
  | { readonly type: ObjectType.ORDER; readonly order: Order }
  | { readonly type: ObjectType.RECOVERY; readonly recovery: Recovery };

export interface AuditRow {
  /** Of the leaf. */
  readonly index: number;
  readonly type: LoggedType;
  /** Whether it names devices; else it is for all of the agreement. */
  readonly named: boolean;
  /** Undefined for a commitment. */
  readonly terms?: Terms;
  /** Keys that the message says signed it; none for a commitment. */
  readonly kids: readonly Uint8Array[];
  /** Whether exactly the quorum of its agreement signed it; undefined where the agreement is not known. */
  readonly holds?: boolean;
}

export interface Audited {
  readonly rows: readonly AuditRow[];
  /** Commitments that were passed over, since nothing says who signed them. */
  readonly unread: number;
}

/**
 * Goes through leaves in their order. `agreements` are those that are known; plain ones of the log that amend them
 * are added on the way. Rejects with what `leaves` and `decodeEntry` throw.
 */
export async function audit(
  leaves: AsyncIterable<Leaf>,
  asked: Asked,
  agreements: readonly Agreement[] = [],
): Promise<Audited> {
  const known = new Known(agreements);
  const subject = asked.ueid && subjectKey(asked.ueid);
  const rows: AuditRow[] = [];
  let unread = 0;
  for await (const { index, bytes } of leaves) {
    const entry = decodeEntry(bytes);
    if (entry.kind === "index") continue;
    const subjects = entrySubjects(entry);
    const named = subjects.length > 0;
    const isFor = subject !== undefined && (!named || subjects.some((key) => sameBytes(key, subject)));
    if (entry.kind === "commitment") {
      if (isFor) rows.push({ index, type: entry.type, named, kids: [] });
      else if (asked.kid) unread += 1;
      continue;
    }
    const holds = known.judge(entry);
    const kids = parseSign(entry.message).signatures.flatMap(({ kid }) => (kid ? [kid] : []));
    if (isFor || (asked.kid && kids.some((kid) => sameBytes(kid, asked.kid!)))) {
      rows.push({ index, type: entry.type, named, terms: termsOf(entry), kids, ...(holds !== undefined && { holds }) });
    }
  }
  return { rows, unread };
}

/** What a plain entry says; its message was read before. */
export function termsOf({ type, message }: PlainEntry): Terms {
  const { payload } = parseSign(message);
  switch (type) {
    case ObjectType.AGREEMENT:
      return { type, agreement: decodeAgreement(payload) };
    case ObjectType.LICENSE:
      return { type, license: decodeLicense(payload) };
    case ObjectType.ORDER:
      return { type, order: decodeOrder(payload) };
    case ObjectType.RECOVERY:
      return { type, recovery: decodeRecovery(payload) };
  }
}

/** Agreements by their digest. */
class Known {
  readonly #byDigest = new Map<string, Agreement>();

  constructor(agreements: readonly Agreement[]) {
    for (const agreement of agreements) this.#add(agreement);
  }

  #add(agreement: Agreement): void {
    this.#byDigest.set(hexOf(agreementDigest(agreement)), agreement);
  }

  /** Whether the signatures of a message are those of its agreement; undefined where this is not known. */
  judge(entry: PlainEntry): boolean | undefined {
    const { message } = entry;
    const terms = termsOf(entry);
    switch (terms.type) {
      case ObjectType.AGREEMENT:
        return this.#judgeAgreement(message, terms.agreement);
      case ObjectType.LICENSE:
        return this.#under(terms.license, (agreement) => verifyLicense(message, agreement));
      case ObjectType.RECOVERY:
        return this.#under(terms.recovery, (agreement) => verifyRecovery(message, agreement));
      case ObjectType.ORDER:
        return this.#under(terms.order, (agreement) =>
          verifyOrder(message, agreement, quorumOf(message, terms.order, agreement)),
        );
    }
  }

  #under({ agreementDigest: digest }: { agreementDigest: Uint8Array }, verify: (agreement: Agreement) => unknown) {
    const agreement = this.#byDigest.get(hexOf(digest));
    return agreement && isTaken(() => verify(agreement));
  }

  /** One that amends a known one is known from then on; nobody else's own word makes one known. */
  #judgeAgreement(message: Uint8Array, agreement: Agreement): boolean | undefined {
    const before = [...this.#byDigest.values()].filter(({ version }) => version < agreement.version);
    const [inForce] = before.sort((a, b) => b.version - a.version);
    if (!inForce) return isTaken(() => verifyAgreement(message)) && this.#has(agreement) ? true : undefined;
    const holds = isTaken(() => verifyAgreement(message, inForce));
    if (holds) this.#add(agreement);
    return holds;
  }

  #has(agreement: Agreement): boolean {
    return this.#byDigest.has(hexOf(agreementDigest(agreement)));
  }
}

/** As many as the direction of the order takes; for a slow, which may lower or raise, as many as signed if either fits. */
function quorumOf(message: Uint8Array, { action }: Order, { quorums }: Agreement): number {
  if (action === OrderAction.RESUME) return quorums.resume;
  if (action === OrderAction.PAUSE) return quorums.pause;
  return parseSign(message).signatures.length === quorums.resume ? quorums.resume : quorums.pause;
}

function isTaken(verify: () => unknown): boolean {
  try {
    verify();
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}
