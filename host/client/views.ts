/** What a verifier's documents say, as the types of `VerifierService`: docs/verifier.md describes each. */
import { OrderAction } from "../../firmware/protocol/claims.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import type { FrostCommitment } from "../keys/frost.ts";
import { CLASS_KEYS } from "../policy/classes.ts";
import {
  type AuditEntry,
  DEVICE_STATUSES,
  type Delivery,
  type DeviceView,
  type DraftView,
  HEAD_OUTCOMES,
  type HeadAnswer,
  type HeadsView,
  type LeakView,
  type LogView,
  type OpeningWanted,
  type OrderView,
  type ServiceEvent,
  type UsageRow,
} from "../service/service.ts";
import type { BooksRow } from "../verifier/books.ts";
import type { VerifierError } from "../verifier/errors.ts";
import type { Doc } from "./document.ts";
import { ClientError } from "./errors.ts";
import { verifierError } from "./problem.ts";

const ACTIONS = { pause: OrderAction.PAUSE, slow: OrderAction.SLOW, resume: OrderAction.RESUME } as const;
const ACTION_NAMES = ["pause", "slow", "resume"] as const;

export function actionName(action: OrderAction): (typeof ACTION_NAMES)[number] {
  return ACTION_NAMES.find((name) => ACTIONS[name] === action)!;
}

export interface About {
  readonly agreementVersion: number;
  readonly agreementDigest: Uint8Array;
  /** `here`: whether this verifier signs for it. */
  readonly parties: readonly { readonly name: string; readonly kid: Uint8Array; readonly here: boolean }[];
  readonly epoch: number;
  readonly nowMs: number;
}

export function readFrostCommitment(doc: Doc): FrostCommitment {
  const point = (name: string) => doc.hex(name, Limit.PUBLIC_KEY_BYTES);
  return { holder: doc.uint("holder"), hiding: point("hiding"), binding: point("binding") };
}

export function readAbout(doc: Doc): About {
  return {
    agreementVersion: doc.uint("agreementVersion"),
    agreementDigest: doc.hex("agreementDigest", Limit.DIGEST_BYTES),
    parties: doc.docs("parties").map((party) => ({
      name: party.text("name"),
      kid: party.hex("kid", Limit.KID_BYTES),
      here: party.bool("here"),
    })),
    epoch: doc.uint("epoch"),
    nowMs: doc.uint("nowMs"),
  };
}

export function readDevice(doc: Doc): DeviceView {
  return {
    ueid: doc.hex("ueid", Limit.UEID_BYTES),
    owner: doc.text("owner"),
    site: doc.text("site"),
    profile: doc.optional("profile", (name) => doc.choice(name, ["training", "inference"])),
    model: doc.text("model"),
    status: doc.choice("status", DEVICE_STATUSES),
    enrolledMs: doc.uint("enrolledMs"),
    seenMs: doc.uint("seenMs"),
    epoch: doc.uint("epoch"),
    reportSequence: doc.amount("reportSequence"),
    licenseSequence: doc.amount("licenseSequence"),
    licensedUntilSeconds: doc.uint("licensedUntilSeconds"),
  };
}

export function readOrder(doc: Doc): OrderView {
  return {
    epoch: doc.uint("epoch"),
    action: ACTIONS[doc.choice("action", ACTION_NAMES)],
    notBeforeSeconds: doc.uint("notBeforeSeconds"),
    scope: doc.optional("scope", (name) => doc.hexes(name, Limit.UEID_BYTES)),
    digest: doc.hex("digest", Limit.DIGEST_BYTES),
    bytes: doc.bytes("bytes"),
  };
}

export function readDraft(doc: Doc): DraftView {
  return {
    id: doc.uint("id"),
    epoch: doc.uint("epoch"),
    action: ACTIONS[doc.choice("action", ACTION_NAMES)],
    quorum: doc.uint("quorum"),
    approvals: doc.texts("approvals"),
    awaiting: doc.texts("awaiting"),
    active: doc.bool("active"),
    bytes: doc.bytes("bytes"),
  };
}

export function readDelivery(doc: Doc): Delivery {
  return {
    epoch: doc.uint("epoch"),
    delivered: doc.uint("delivered"),
    missing: doc.uint("missing"),
    behind: doc.hexes("behind", Limit.UEID_BYTES),
  };
}

export function readBooksRow(doc: Doc): BooksRow {
  const engineClass =
    CLASS_KEYS.get(doc.text("engineClass")) ?? doc.refuse("names an engine class that is not known here");
  return { engineClass, licensed: doc.amount("licensed"), reported: doc.amount("reported") };
}

export function readUsageRow(doc: Doc): UsageRow {
  return { name: doc.text("name"), devices: doc.uint("devices"), rows: doc.docs("rows").map(readBooksRow) };
}

export function readLeak(doc: Doc): LeakView {
  return {
    policy: doc.text("policy"),
    devices: doc.uint("devices"),
    groups: doc.docs("groups").map((group) => ({
      model: group.text("model"),
      devices: group.uint("devices"),
      accelerator: group.optional("accelerator", (name) => group.text(name)),
    })),
    bound: doc.optional("bound", (name) => {
      const bound = doc.doc(name);
      return {
        workByClass: bound.works("workByClass"),
        operations: bound.amount("operations"),
        seconds: bound.optional("seconds", (field) => bound.number(field)),
      };
    }),
  };
}

export function readLog(doc: Doc): LogView {
  return {
    origin: doc.text("origin"),
    vkey: doc.text("vkey"),
    size: doc.uint("size"),
    root: doc.optional("root", (name) => doc.hex(name, Limit.DIGEST_BYTES)),
    publishedMs: doc.optional("publishedMs", (name) => doc.uint(name)),
    cosignedSize: doc.uint("cosignedSize"),
    witnesses: doc.docs("witnesses").map((witness) => ({
      name: witness.text("name"),
      url: witness.text("url"),
      vkey: witness.text("vkey"),
      size: witness.uint("size"),
      seconds: witness.optional("seconds", (name) => witness.uint(name)),
      problem: witness.optional("problem", (name) => witness.text(name)),
    })),
  };
}

export function readAuditEntry(doc: Doc): AuditEntry {
  return {
    id: doc.uint("id"),
    atMs: doc.uint("atMs"),
    actor: doc.text("actor"),
    action: doc.text("action"),
    subject: doc.text("subject"),
    outcome: doc.text("outcome"),
    detail: doc.optional("detail", (name) => doc.text(name)),
  };
}

/** What became of a report that was uploaded. */
export type UploadOutcome =
  | { readonly status: "taken" | "repeated"; readonly sequence: bigint }
  | { readonly status: "refused"; readonly error: VerifierError | ClientError };

export function readUploadOutcome(doc: Doc): UploadOutcome {
  const status = doc.choice("status", ["taken", "repeated", "refused"]);
  if (status !== "refused") return { status, sequence: doc.amount("sequence") };
  const code = doc.text("code");
  const message = doc.optional("message", (name) => doc.text(name)) ?? "";
  const error = verifierError(code, message) ?? new ClientError("client/refused", `${code}: ${message}`);
  return { status, error };
}

export function readOpeningWanted(doc: Doc): OpeningWanted {
  return {
    ueid: doc.hex("ueid", Limit.UEID_BYTES),
    reportSequence: doc.amount("reportSequence"),
    index: doc.uint("index"),
  };
}

/** Of a server-sent event; undefined for a type that is not known here. */
export function readEvent(type: string, doc: Doc): ServiceEvent | undefined {
  if (type === "beacon") return { type, bytes: doc.bytes("bytes") };
  if (type === "order") return { type, order: readOrder(doc) };
  if (type === "agreement") return { type, version: doc.uint("version") };
  return undefined;
}

export function readLogHeads(doc: Doc): HeadsView {
  const headOf = (one: Doc) => ({
    origin: one.text("origin"),
    log: one.text("vkey"),
    size: one.uint("size"),
    root: one.hex("root", Limit.DIGEST_BYTES),
    note: one.text("note"),
  });
  return {
    heads: doc.docs("heads").map((one) => ({ ...headOf(one), isLinked: one.bool("linked") })),
    splitViews: doc.docs("splitViews").map((one) => ({
      ...headOf(one),
      otherSize: one.uint("otherSize"),
      otherRoot: one.hex("otherRoot", Limit.DIGEST_BYTES),
      otherNote: one.text("otherNote"),
      proof: one.optional("proof", (name) => one.hexes(name, Limit.DIGEST_BYTES)),
      foundMs: one.uint("foundMs"),
    })),
  };
}

export function readHeadAnswer(doc: Doc): HeadAnswer {
  return { outcome: doc.choice("outcome", HEAD_OUTCOMES), origin: doc.text("origin"), size: doc.uint("size") };
}
