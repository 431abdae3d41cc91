/** Active orders: one chain, each by the quorum that its direction took; and the count of what all devices share. */
import { type Kysely, sql } from "kysely";
import type { Agreement } from "../../objects/agreement.ts";
import { decodeOrder, verifyOrder } from "../../objects/order.ts";
import { parseSign } from "../../protocol/cose.ts";
import { sha256 } from "../../protocol/sha256.ts";
import type { Check } from "../../store/fsck.ts";
import type { Tables } from "../../store/store.ts";
import { hexOf, sameBytes } from "../../verifier/bytes.ts";
import { OrderBook, type StoredOrder } from "../../verifier/order-book.ts";
import { readAgreements } from "./agreements.ts";
import { readOf } from "./read.ts";
import { type Found, found, type RowOf, rowsOf } from "./rows.ts";

export const orders: Check = {
  name: "orders",
  async *run({ db }) {
    const known = await readAgreements(db);
    let book = new OrderBook();
    for await (const row of rowsOf(db, "orders")) {
      yield* judgeOrder(row, book, known);
      const read = readOrder(row.bytes);
      if ("value" in read) book = book.with(read.value);
    }
    yield* judgeVersion(db);
  },
};

/** Those that can be read, by rising epoch. As many as the service keeps in memory. */
export async function readOrders(db: Kysely<Tables>): Promise<readonly StoredOrder[]> {
  const known: StoredOrder[] = [];
  for await (const { bytes } of rowsOf(db, "orders")) {
    const read = readOrder(bytes);
    if ("value" in read) known.push(read.value);
  }
  return known;
}

function readOrder(bytes: Uint8Array) {
  return readOf((): StoredOrder => ({ bytes, order: decodeOrder(parseSign(bytes).payload) }));
}

function* judgeOrder(row: RowOf<"orders">, book: OrderBook, known: ReadonlyMap<string, Agreement>): Generator<Found> {
  const read = readOf(() => {
    const { payload } = parseSign(row.bytes);
    return { order: decodeOrder(payload), digest: sha256(payload) };
  });
  if ("fault" in read) {
    yield found("orders", row, read.fault);
    return;
  }
  const { order, digest } = read.value;
  if (!sameBytes(digest, row.digest)) yield found("orders", row, "its digest is another");
  if (order.epoch !== row.epoch) yield found("orders", row, `it is of epoch ${order.epoch}`);
  const agreement = known.get(hexOf(order.agreementDigest));
  if (!agreement) {
    yield found("orders", row, "its agreement is not here");
    return;
  }
  // It stood under the agreement that was in force when it became active: which one, the chain does not say.
  const follows = readOf(() => book.checkNext(order, order.agreementDigest));
  if ("fault" in follows) yield found("orders", row, "it does not follow the order before");
  const verified = readOf(() => verifyOrder(row.bytes, agreement, book.quorumFor(order, agreement)));
  if ("fault" in verified) yield found("orders", row, verified.fault);
}

/** Every amendment and every order counts the version of what all devices share on by one. */
async function* judgeVersion(db: Kysely<Tables>): AsyncGenerator<Found> {
  const { rows } = await sql<{ version: number | null; agreements: number; orders: number }>`select
    (select version from state where id = 1) as version,
    (select count(*) from agreements) as agreements, (select count(*) from orders) as orders`.execute(db);
  const { version, agreements, orders: active } = rows[0]!;
  const expected = Math.max(0, agreements - 1) + active;
  if (version !== expected) {
    yield found("state", { id: 1 }, `version ${version}, with ${agreements} agreements and ${active} orders`);
  }
}
