/** Orders: those in force, their drafts and approvals, and how far each has come. */
import { Limit } from "../../../firmware/protocol/limits.ts";
import { authorize } from "../../auth/access.ts";
import type { OrderRequest as ServiceOrderRequest } from "../../verifier/order-book.ts";
import { sendBytes } from "../answers.ts";
import type { App, RouteContext } from "../app-types.ts";
import { entityTag, isFresh } from "../etag.ts";
import { MediaType } from "../media.ts";
import { bytesAnswer, bytesBody, eitherBody, jsonAnswer, jsonBody, noAnswer, operation } from "../operation.ts";
import { HttpProblem } from "../problem-codes.ts";
import { Named } from "../schemas/basic.ts";
import {
  AfterEpoch,
  Approval,
  Delivery,
  Draft,
  DraftPath,
  Drafts,
  EpochPath,
  OrderRequest,
  Orders,
} from "../schemas/orders.ts";
import { actionOf, deliveryJson, draftJson, orderJson } from "../views.ts";
import { hexBytes, u64Of, worksOf } from "../wire.ts";

export function orderRoutes(app: App, { service }: RouteContext): void {
  app.get(
    "/v1/orders",
    operation({
      route: "orders.list",
      name: "listOrders",
      tag: "orders",
      summary: "The active orders of later epochs than `after`, oldest first: a device takes them in turn.",
      query: AfterEpoch,
      answers: { 200: jsonAnswer("orders", Orders), 304: noAnswer("as the asker has them") },
    }),
    async (request, reply) => {
      const orders = await service.ordersAfter(request.query.after ?? 0);
      const tag = entityTag(orders.map(({ bytes }) => bytes));
      if (isFresh(request, reply, tag, "public, max-age=1")) return reply;
      return { orders: orders.map(orderJson) };
    },
  );

  app.get(
    "/v1/orders/:epoch",
    operation({
      route: "orders.read",
      name: "readOrder",
      tag: "orders",
      summary: "The order of an epoch.",
      params: EpochPath,
      answers: { 200: bytesAnswer("as devices are given it", MediaType.COSE), 304: noAnswer("as the asker has it") },
      problems: ["unknown"],
    }),
    async (request, reply) => {
      const { epoch } = request.params;
      const [order] = epoch === 0 ? [] : await service.ordersAfter(epoch - 1);
      if (order?.epoch !== epoch) throw new HttpProblem("request/nothing-here", `no order of epoch ${epoch}`);
      // An epoch's order is never another.
      if (isFresh(request, reply, entityTag([order.bytes]), "public, max-age=31536000, immutable")) return reply;
      return sendBytes(reply, 200, MediaType.COSE, order.bytes);
    },
  );

  app.post(
    "/v1/orders",
    operation({
      route: "orders.propose",
      name: "proposeOrder",
      tag: "orders",
      summary: "Drafts an order, or takes a draft or a whole order of another verifier.",
      body: eitherBody(jsonBody(OrderRequest), bytesBody([MediaType.COSE], Limit.MESSAGE_BYTES_MAX)),
      answers: {
        200: jsonAnswer("taken from another verifier", Named(Draft)),
        201: jsonAnswer("drafted", Named(Draft)),
      },
      problems: ["invalid", "policy"],
      isAudited: true,
    }),
    async (request, reply) => {
      const { body } = request;
      const isImport = body instanceof Uint8Array;
      if (isImport) authorize(request.principal, "orders.import");
      const draft = isImport ? await service.importOrder(body) : await service.proposeOrder(requestOf(body));
      request.subject = `draft ${draft.id}`;
      if (!isImport) reply.code(201).header("location", `/v1/orders/drafts/${draft.id}`);
      return draftJson(draft);
    },
  );

  app.get(
    "/v1/orders/drafts",
    operation({
      route: "drafts.list",
      name: "listDrafts",
      tag: "orders",
      summary: "The drafts of orders.",
      answers: { 200: jsonAnswer("drafts", Drafts) },
    }),
    async () => ({ drafts: (await service.drafts()).map(draftJson) }),
  );

  app.get(
    "/v1/orders/drafts/:id",
    operation({
      route: "drafts.read",
      name: "readDraft",
      tag: "orders",
      summary: "One draft, with the signatures so far.",
      params: DraftPath,
      answers: { 200: jsonAnswer("the draft", Named(Draft)) },
      problems: ["unknown"],
    }),
    async (request) => draftJson(await service.draft(request.params.id)),
  );

  app.post(
    "/v1/orders/drafts/:id/approvals",
    operation({
      route: "drafts.approve",
      name: "approveDraft",
      tag: "orders",
      summary: "A party whose key is here signs a draft; with the quorum's last signature it is active.",
      description:
        "For a group (FROST) with a share here the approval is kept with the draft, and the other holders are asked: with " +
        "enough of them that approved it too, the group signs. Until then the answer names the group in `awaiting`; the " +
        "same request again asks the holders anew.",
      params: DraftPath,
      body: jsonBody(Approval),
      answers: { 200: jsonAnswer("the draft with its signature", Named(Draft)) },
      problems: ["policy", "unknown"],
      isAudited: true,
    }),
    async (request) => {
      const { id } = request.params;
      request.subject = `draft ${id}, party ${request.body.party}`;
      return draftJson(await service.approveOrder(id, request.body.party));
    },
  );

  app.get(
    "/v1/orders/:epoch/delivery",
    operation({
      route: "orders.delivery",
      name: "readDelivery",
      tag: "orders",
      summary: "How many devices have an order, by what their evidence said.",
      params: EpochPath,
      answers: { 200: jsonAnswer("delivered and missing", Delivery) },
      problems: ["unknown"],
    }),
    async (request) => deliveryJson(await service.delivery(request.params.epoch)),
  );
}

function requestOf({
  action,
  permille,
  scope,
  drain,
  drainTicks,
  notBeforeSeconds,
}: OrderRequest): ServiceOrderRequest {
  return {
    action: actionOf(action),
    ...(permille !== undefined && { permille }),
    ...(scope && { scope: scope.map(hexBytes) }),
    ...(drain && { drain: worksOf(drain, "drain") }),
    ...(drainTicks !== undefined && { drainTicks: u64Of(drainTicks, "drainTicks") }),
    ...(notBeforeSeconds !== undefined && { notBeforeSeconds }),
  };
}
