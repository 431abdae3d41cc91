/** Documents of orders: active ones, drafts, approvals, delivery. */
import { type Static, Type } from "@sinclair/typebox";
import { Limit } from "../../../firmware/protocol/limits.ts";
import { Choice, Closed, Count, Digest, Named, ObjectBytes, Seconds, U32, U64, Ueid, Works } from "./basic.ts";

export const ORDER_ACTIONS = ["pause", "slow", "resume"] as const;
const Action = Choice(ORDER_ACTIONS);
const Scope = Type.Array(Ueid, {
  minItems: 1,
  maxItems: Limit.COHORT_MAX,
  uniqueItems: true,
  description: "the devices; absent: all",
});

export const OrderRequest = Closed(
  {
    action: Action,
    permille: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 999, description: "with slow: thousandths of the agreement's rates" }),
    ),
    scope: Type.Optional(Scope),
    drain: Type.Optional(Named(Works)),
    drainTicks: Type.Optional(U64),
    notBeforeSeconds: Type.Optional(Seconds),
  },
  { examples: [{ action: "pause" }] },
);
export type OrderRequest = Static<typeof OrderRequest>;

export const Order = Closed(
  {
    epoch: U32,
    action: Action,
    notBeforeSeconds: Seconds,
    scope: Type.Optional(Scope),
    digest: Digest,
    bytes: ObjectBytes("the order as devices are given it"),
  },
  { $id: "Order" },
);
export const Orders = Closed({ orders: Type.Array(Named(Order)) });

export const Draft = Closed(
  {
    id: Count,
    epoch: U32,
    action: Action,
    quorum: Type.Integer({ minimum: 1, maximum: Limit.PARTIES_MAX, description: "signatures that it takes" }),
    approvals: Type.Array(Type.String(), { description: "parties that have signed" }),
    awaiting: Type.Array(Type.String(), {
      description: "groups for which it was approved here, whose signature takes the approval of more holders",
    }),
    active: Type.Boolean(),
    bytes: ObjectBytes("the order with the signatures so far"),
  },
  { $id: "Draft" },
);
export const Drafts = Closed({ drafts: Type.Array(Named(Draft)) });

export const Approval = Closed(
  {
    party: Type.String({
      minLength: 1,
      maxLength: 64,
      description: "the party that approves: its key is here, or a share of it",
    }),
  },
  { examples: [{ party: "North" }] },
);

export const Delivery = Closed({
  epoch: U32,
  delivered: Count,
  missing: Count,
  behind: Type.Array(Ueid, { description: "some that lack the order" }),
});

export const EpochPath = Closed({ epoch: U32 });
export const DraftPath = Closed({ id: Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 }) });
export const AfterEpoch = Closed({ after: Type.Optional(U32) });
