/**
 * What all devices share: the agreements, the orders, and the reference values of this verifier. Kept in memory and read
 * anew when the version in the store says that another process, or this one, changed it.
 */
import { type Kysely, sql, type Transaction } from "kysely";
import { type Agreement, decodeAgreement } from "../objects/agreement.ts";
import { decodeOrder } from "../objects/order.ts";
import { parseSign } from "../protocol/cose.ts";
import type { Store, Tables } from "../store/store.ts";
import { hexOf } from "../verifier/bytes.ts";
import type { Grounds } from "../verifier/judgement.ts";
import { OrderBook } from "../verifier/order-book.ts";
import type { ReferenceValues } from "../verifier/registry.ts";
import { TermsBook } from "./log/terms.ts";

export interface SharedState extends Grounds {
  readonly version: number;
  readonly agreementBytes: Uint8Array;
  /** Oldest first, as devices are given them. */
  readonly agreements: readonly { readonly version: number; readonly bytes: Uint8Array }[];
  /** The one of this digest, in force or not. */
  readonly agreementOf: (digest: Uint8Array) => Agreement | undefined;
  /** By which log terms a message is judged. */
  readonly logTerms: TermsBook;
}

/** The one row of `state`. */
const STATE_ID = 1;

export class Shared {
  readonly #store: Store;
  readonly #references: () => ReferenceValues;
  #state: SharedState | undefined;

  constructor(store: Store, references: () => ReferenceValues) {
    this.#store = store;
    this.#references = references;
  }

  /** As of now, for whoever only reads. */
  now(): Promise<SharedState> {
    return this.#at(this.#store.db);
  }

  /**
   * As of the transaction, and unchanged until it ends: an order that becomes active waits for the licenses that are
   * being issued, and they for it. `alone` keeps every other issuing transaction out too.
   */
  async locked(tx: Transaction<Tables>, alone = false): Promise<SharedState> {
    await this.#lock(tx, alone);
    const { version } = await tx
      .selectFrom("state")
      .select("version")
      .where("id", "=", STATE_ID)
      .executeTakeFirstOrThrow();
    return this.#at(tx, version);
  }

  /**
   * An advisory lock and not one of the row: who waits for it alone is next, where rows that many share would be shared by
   * ever more, and an order would wait for a quiet moment. Where the writer is alone there is nothing to lock.
   */
  async #lock(tx: Transaction<Tables>, alone: boolean): Promise<void> {
    if (this.#store.engine !== "postgres") return;
    const key = sql`hashtext(current_schema() || '/state')`;
    if (alone) await sql`select pg_advisory_xact_lock(${key})`.execute(tx);
    else await sql`select pg_advisory_xact_lock_shared(${key})`.execute(tx);
  }

  /** Within a transaction that holds the lock: everybody reads anew. */
  async changed(tx: Transaction<Tables>): Promise<void> {
    await tx
      .updateTable("state")
      .set((eb) => ({ version: eb("version", "+", 1) }))
      .where("id", "=", STATE_ID)
      .execute();
  }

  async #at(db: Kysely<Tables>, known?: number): Promise<SharedState> {
    const version = known ?? (await versionOf(db));
    const current = this.#state;
    if (current && current.version === version && current.references === this.#references()) return current;
    // Read before a transaction changes anything, so that what is kept is what is committed.
    const state = await readShared(db, version, this.#references());
    // Without the lock an order may have come between: a state is of its version, or what is public of it is not known.
    if (known === undefined && (await versionOf(db)) !== version) return this.#at(db);
    this.#state = state;
    return state;
  }
}

async function versionOf(db: Kysely<Tables>): Promise<number> {
  const row = await db.selectFrom("state").select("version").where("id", "=", STATE_ID).executeTakeFirstOrThrow();
  return row.version;
}

async function readShared(db: Kysely<Tables>, version: number, references: ReferenceValues): Promise<SharedState> {
  const rows = await db.selectFrom("agreements").selectAll().orderBy("version").execute();
  const newest = rows.at(-1);
  if (!newest) throw new Error("the store holds no agreement: a verifier is opened with one");
  const orders = await db.selectFrom("orders").select("bytes").orderBy("epoch").execute();
  const known = new Map(rows.map(({ digest, bytes }) => [hexOf(digest), bytes]));
  const decoded = rows.map(({ bytes }) => decodeAgreement(parseSign(bytes).payload));
  const agreement: Agreement = decoded.at(-1)!;
  return {
    version,
    agreement,
    agreementDigest: newest.digest,
    agreementBytes: newest.bytes,
    agreements: rows.map(({ version: number, bytes }) => ({ version: number, bytes })),
    agreementOf: (digest) => {
      const bytes = known.get(hexOf(digest));
      return bytes && decodeAgreement(parseSign(bytes).payload);
    },
    logTerms: new TermsBook(
      rows.map(({ version: number, digest }, i) => ({ version: number, digest, log: decoded[i]!.log })),
    ),
    isKnownAgreement: (digest) => known.has(hexOf(digest)),
    references,
    orders: new OrderBook(orders.map(({ bytes }) => ({ bytes, order: decodeOrder(parseSign(bytes).payload) }))),
  };
}
