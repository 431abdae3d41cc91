/**
 * What the parties allowed, as it went through the mailbox. The invariants believe the governor's "accepted" here, and
 * hold it to the consequences.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { AgreementKey, Claim, OrderAction } from "../../firmware/protocol/claims.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { type Item, read } from "../cbor.ts";
import { noWork, type Works } from "./works.ts";

export type AgreementFacts = {
  version: number;
  tickHz: number;
  driftPpm: number;
  leaseMs: bigint;
  /** The most that one slice of each class can hold: its rate times the slice period. */
  slice: Works;
  baseline: Works;
};
export type LicenseFacts = { payloadDigest: string; epoch: number; budget: Works; drain: Works };
export type OrderFacts = { epoch: number; action: number; scoped: boolean; drain: Works | undefined };

/** One mailbox exchange that had an effect, or may have had one: `torn` if no answer came. */
export type Exchange =
  | { kind: "agreement"; torn: boolean; facts: AgreementFacts }
  | { kind: "license"; torn: boolean; facts: LicenseFacts }
  | { kind: "order"; torn: boolean; facts: OrderFacts }
  | { kind: "time"; torn: boolean; issuedAtMs: bigint }
  | { kind: "diagnose"; torn: boolean }
  | { kind: "recovery"; torn: boolean; epoch: number }
  /** Totals that an answer names. */
  | { kind: "totals"; torn: false; totals: Works };

/** Reads an exchange; undefined if it was refused or says nothing that an invariant asks for. */
export function readExchange(request: Uint8Array, answer: Uint8Array | undefined): Exchange | undefined {
  const asked = read(request);
  if (!Array.isArray(asked)) return undefined;
  const torn = answer === undefined;
  const answered = torn ? undefined : read(answer);
  if (!torn && (!Array.isArray(answered) || answered[0] !== 0)) return undefined;
  const result = Array.isArray(answered) ? answered[1] : undefined;
  switch (asked[0]) {
    case Command.AGREEMENT:
      return withPayload(asked[1], (claims) => ({ kind: "agreement", torn, facts: agreementFacts(claims) }));
    case Command.LICENSE:
      return withPayload(asked[1], (claims, payload) => ({
        kind: "license",
        torn,
        facts: licenseFacts(claims, payload),
      }));
    case Command.ORDER:
      return withPayload(asked[1], (claims) => ({ kind: "order", torn, facts: orderFacts(claims) }));
    case Command.TIME_PROOF:
    case Command.BEACON:
      return withPayload(asked[1], (claims) => ({
        kind: "time",
        torn,
        issuedAtMs: whole(claims.get(Claim.ISSUED_AT)) * 1000n,
      }));
    case Command.DIAGNOSE:
      return { kind: "diagnose", torn };
    case Command.RECOVER:
      return withPayload(asked[1], (claims) => ({ kind: "recovery", torn, epoch: number(claims.get(Claim.EPOCH)) }));
    case Command.INFO:
      return result instanceof Map ? totalsIn(result) : undefined;
    case Command.EVIDENCE:
    case Command.REPORT:
      return torn ? undefined : withPayload(result, totalsIn);
    default:
      return undefined;
  }
}

/** The payload of a COSE_Sign1 or COSE_Sign (RFC 9052): the third item of either. */
function withPayload(
  object: Item | undefined,
  make: (claims: Map<Item, Item>, payload: Uint8Array) => Exchange,
): Exchange | undefined {
  const message = object instanceof Uint8Array ? read(object) : undefined;
  const parts =
    message && typeof message === "object" && "tag" in (message ?? {}) ? (message as { item: Item }).item : undefined;
  const payload = Array.isArray(parts) ? parts[2] : undefined;
  const claims = payload instanceof Uint8Array ? read(payload) : undefined;
  // What the governor refused may be anything; what it accepted is of the right form.
  return claims instanceof Map && payload instanceof Uint8Array ? make(claims, payload) : undefined;
}

function agreementFacts(claims: Map<Item, Item>): AgreementFacts {
  const sliceTicks = whole(claims.get(AgreementKey.SLICE_TICKS));
  const slice = noWork();
  const caps = claims.get(AgreementKey.CAPS);
  if (caps instanceof Map) {
    for (const [engineClass, cap] of caps) {
      if (Array.isArray(cap)) slice[number(engineClass)] = whole(cap[1]) * sliceTicks;
    }
  }
  return {
    version: number(claims.get(AgreementKey.VERSION)),
    tickHz: number(claims.get(AgreementKey.TICK_HZ)),
    driftPpm: number(claims.get(AgreementKey.DRIFT_PPM)),
    leaseMs: whole(claims.get(AgreementKey.LEASE_SECONDS)) * 1000n,
    slice,
    baseline: worksOf(claims.get(AgreementKey.BASELINE)),
  };
}

function licenseFacts(claims: Map<Item, Item>, payload: Uint8Array): LicenseFacts {
  return {
    // Eight bytes tell licenses apart: a board keeps those of all that it ever took.
    payloadDigest: bytesToHex(sha256(payload).subarray(0, 8)),
    epoch: number(claims.get(Claim.EPOCH)),
    budget: worksOf(claims.get(Claim.BUDGET)),
    drain: worksOf(claims.get(Claim.DRAIN)),
  };
}

function orderFacts(claims: Map<Item, Item>): OrderFacts {
  return {
    epoch: number(claims.get(Claim.EPOCH)),
    action: number(claims.get(Claim.ACTION) ?? OrderAction.PAUSE),
    scoped: claims.has(Claim.SCOPE),
    drain: claims.has(Claim.DRAIN) ? worksOf(claims.get(Claim.DRAIN)) : undefined,
  };
}

function totalsIn(claims: Map<Item, Item>): Exchange {
  return { kind: "totals", torn: false, totals: worksOf(claims.get(Claim.TOTALS)) };
}

/** `works` of docs/protocol.md: 16 bytes a class, big-endian. */
function worksOf(item: Item | undefined): Works {
  const works = noWork();
  if (!(item instanceof Map)) return works;
  for (const [engineClass, work] of item) {
    if (work instanceof Uint8Array) works[number(engineClass)] = BigInt(`0x0${bytesToHex(work)}`);
  }
  return works;
}

function whole(item: Item | undefined): bigint {
  return typeof item === "number" || typeof item === "bigint" ? BigInt(item) : 0n;
}

function number(item: Item | undefined): number {
  return Number(whole(item));
}
