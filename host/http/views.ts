/** What the service answers, as the documents of the API: see schemas/. */
import { OrderAction } from "../../firmware/protocol/claims.ts";
import { classKeyOf } from "../policy/classes.ts";
import type {
  Delivery,
  DeviceView,
  DraftView,
  HeadsView,
  LeakView,
  OpeningWanted,
  OrderView,
  ReportOutcome,
  UsageRow,
} from "../service/service.ts";
import type { BooksRow } from "../verifier/books.ts";
import { ORDER_ACTIONS } from "./schemas/orders.ts";
import { base64urlText, hexText, worksJson } from "./wire.ts";

export type OrderActionName = (typeof ORDER_ACTIONS)[number];

const ACTIONS: Readonly<Record<OrderActionName, OrderAction>> = {
  pause: OrderAction.PAUSE,
  slow: OrderAction.SLOW,
  resume: OrderAction.RESUME,
};

export function actionOf(name: OrderActionName): OrderAction {
  return ACTIONS[name];
}

function actionName(action: OrderAction): OrderActionName {
  return ORDER_ACTIONS.find((name) => ACTIONS[name] === action)!;
}

export function deviceJson(device: DeviceView) {
  return {
    ...device,
    ueid: hexText(device.ueid),
    reportSequence: device.reportSequence.toString(),
    licenseSequence: device.licenseSequence.toString(),
  };
}

export function orderJson({ epoch, action, notBeforeSeconds, scope, digest, bytes }: OrderView) {
  return {
    epoch,
    action: actionName(action),
    notBeforeSeconds,
    scope: scope?.map(hexText),
    digest: hexText(digest),
    bytes: base64urlText(bytes),
  };
}

export function draftJson(draft: DraftView) {
  return { ...draft, action: actionName(draft.action), bytes: base64urlText(draft.bytes) };
}

export function deliveryJson(delivery: Delivery) {
  return { ...delivery, behind: delivery.behind.map(hexText) };
}

export function outcomeJson(outcome: ReportOutcome) {
  return outcome.status === "refused" ? outcome : { status: outcome.status, sequence: outcome.sequence.toString() };
}

export function openingJson({ ueid, reportSequence, index }: OpeningWanted) {
  return { ueid: hexText(ueid), reportSequence: reportSequence.toString(), index };
}

export function booksRowJson({ engineClass, licensed, reported }: BooksRow) {
  return { engineClass: classKeyOf(engineClass), licensed: licensed.toString(), reported: reported.toString() };
}

export function usageJson({ name, devices, rows }: UsageRow) {
  return { name, devices, rows: rows.map(booksRowJson) };
}

export function leakJson({ policy, devices, groups, bound }: LeakView) {
  return {
    policy,
    devices,
    groups,
    bound: bound && {
      workByClass: worksJson(bound.workByClass),
      operations: bound.operations.toString(),
      seconds: bound.seconds,
    },
  };
}

/** A vkey says origin, key and kind: it is the log's name wherever there are several. */
export function logHeadsJson({ heads, splitViews }: HeadsView) {
  return {
    heads: heads.map(({ origin, log, size, root, note, isLinked }) => ({
      origin,
      vkey: log,
      size,
      root: hexText(root),
      note,
      linked: isLinked,
    })),
    splitViews: splitViews.map(({ log, root, otherRoot, proof, ...view }) => ({
      ...view,
      vkey: log,
      root: hexText(root),
      otherRoot: hexText(otherRoot),
      proof: proof?.map(hexText),
    })),
  };
}
