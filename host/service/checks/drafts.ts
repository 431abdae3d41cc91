/** Drafts of orders: who signed each, how many must, and that every active order came from one. */
import { ObjectType, OrderAction } from "../../../firmware/protocol/claims.ts";
import type { Agreement } from "../../objects/agreement.ts";
import { decodeOrder } from "../../objects/order.ts";
import { parseSign } from "../../protocol/cose.ts";
import type { Check } from "../../store/fsck.ts";
import { hexOf, sameBytes } from "../../verifier/bytes.ts";
import { OrderBook, type StoredOrder } from "../../verifier/order-book.ts";
import { unsealed } from "../bytes-io.ts";
import { checkSignatures } from "../drawn-up.ts";
import { readAgreements } from "./agreements.ts";
import { readOrders } from "./orders.ts";
import { readOf } from "./read.ts";
import { type Found, found, type RowOf, rowsOf } from "./rows.ts";

export const drafts: Check = {
  name: "drafts",
  async *run({ db }) {
    const known = await readAgreements(db);
    const active = await readOrders(db);
    const drafted = new Set<number>();
    const shared = new Map<string, string>();
    for await (const row of rowsOf(db, "drafts")) {
      const bytes = readOf(() => unsealed(row.bytes));
      if ("fault" in bytes) {
        yield found("drafts", row, bytes.fault);
        continue;
      }
      yield* judgeDraft(row, bytes.value, active, known);
      yield* judgeGroups(row, bytes.value, known, shared);
      if (row.active_ms === null) continue;
      if (drafted.has(row.epoch)) yield found("drafts", row, `epoch ${row.epoch} has another active one`);
      drafted.add(row.epoch);
      const order = active.find((one) => one.order.epoch === row.epoch);
      if (!order || !sameBytes(order.bytes, bytes.value)) yield found("drafts", row, "no such order is active");
    }
    for (const { order } of active) {
      if (!drafted.has(order.epoch)) yield found("orders", { epoch: order.epoch }, "no draft became this order");
    }
  },
};

function* judgeDraft(
  row: RowOf<"drafts">,
  bytes: Uint8Array,
  active: readonly StoredOrder[],
  known: ReadonlyMap<string, Agreement>,
): Generator<Found> {
  const read = readOf(() => {
    const { payload, signatures } = parseSign(bytes);
    return { order: decodeOrder(payload), signatures };
  });
  if ("fault" in read) {
    yield found("drafts", row, read.fault);
    return;
  }
  const { order, signatures } = read.value;
  if (order.epoch !== row.epoch) yield found("drafts", row, `it is of epoch ${order.epoch}`);
  const agreement = known.get(hexOf(order.agreementDigest));
  if (!agreement) {
    yield found("drafts", row, "its agreement is not here");
    return;
  }
  const before = new OrderBook(active.filter((one) => one.order.epoch < order.epoch));
  const follows = readOf(() => before.checkNext(order, order.agreementDigest));
  if ("fault" in follows) yield found("drafts", row, "it does not follow the order before");
  const quorum = readOf(() => before.quorumFor(order, agreement));
  if ("value" in quorum && quorum.value !== row.quorum) {
    yield found("drafts", row, `it takes ${quorum.value} signatures, not ${row.quorum}`);
  }
  const signed = readOf(() => checkSignatures(bytes, agreement, row.quorum, ObjectType.ORDER));
  if ("fault" in signed) yield found("drafts", row, signed.fault);
  const names = signatures.map(({ kid }) => agreement.parties.find((one) => kid && sameBytes(one.kid, kid))?.name);
  if (row.approvals !== JSON.stringify(names)) yield found("drafts", row, "its approvals are not its signers");
  if ((row.active_ms !== null) !== (signatures.length === row.quorum)) {
    yield found("drafts", row, `active or not, it has ${signatures.length} signatures of ${row.quorum}`);
  }
}

/**
 * `shared` has, by epoch, agreement and group, the payload of the order that its share was given for: of one pause, and of
 * one other order.
 */
function* judgeGroups(
  row: RowOf<"drafts">,
  bytes: Uint8Array,
  known: ReadonlyMap<string, Agreement>,
  shared: Map<string, string>,
): Generator<Found> {
  const read = readOf(() => {
    const { payload } = parseSign(bytes);
    const [approvals, shares] = [listOf(row.group_approvals), listOf(row.group_shares)];
    const { agreementDigest, action } = decodeOrder(payload);
    return { payload, agreementDigest, isPause: action === OrderAction.PAUSE, approvals, shares };
  });
  if ("fault" in read) {
    yield found("drafts", row, read.fault);
    return;
  }
  const { payload, isPause, approvals, shares } = read.value;
  const agreement = hexOf(read.value.agreementDigest);
  const isParty = (name: string) => known.get(agreement)?.parties.some((one) => one.name === name) ?? true;
  const isListed = new Set(approvals).size === approvals.length && new Set(shares).size === shares.length;
  if (!isListed || !approvals.every(isParty)) {
    yield found("drafts", row, "its groups' approvals are not those of parties, each once");
  }
  for (const name of shares) {
    if (!approvals.includes(name)) yield found("drafts", row, `a share for ${name} without an approval`);
    const key = JSON.stringify([row.epoch, agreement, name, isPause]);
    const first = shared.get(key);
    if (first === undefined) shared.set(key, hexOf(payload));
    else if (first !== hexOf(payload))
      yield found("drafts", row, `a share for ${name} for a second order of the epoch`);
  }
}

function listOf(text: string): readonly string[] {
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list)) throw new RangeError("its groups are no list");
  return list;
}
