/**
 * What an agent posts for a license or a recovery, `application/vnd.quiesce.license-request+cbor`: evidence, and what
 * must go beside it. Nobody signs it: all that is to be believed in it is signed by itself. CDDL: docs/protocol.md.
 */
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import type { CborValue } from "../protocol/cbor.ts";
import type { LicenseCall } from "../service/service.ts";
import type { LicenseRequest } from "../verifier/licensing.ts";
import { decodeBody } from "./body.ts";
import { type ClaimEntries, Claims, encodeClaims, worksValue } from "./claims.ts";
import { combinedNonce, NONCES_MAX } from "./nonces.ts";

/** Evidence and a draft are two messages; terms and nonces are a few hundred bytes. */
export const LICENSE_REQUEST_BOUNDS = { bytesMax: 16_384, itemsMax: 128 } as const;

const EVIDENCE = 1;
const TERMS = 2;
const DRAFT = 3;
const NONCES = 4;

const BUDGET = 1;
const TICKS_MAX = 2;
const WINDOW_SECONDS = 3;
const RATE = 4;
const DRAIN = 5;

export function encodeLicenseRequest({ evidence, terms, draft, nonces }: LicenseCall): Uint8Array {
  return encodeClaims(
    [
      [EVIDENCE, evidence],
      [TERMS, terms && termsValue(terms)],
      [DRAFT, draft],
      [NONCES, nonces],
    ],
    decodeLicenseRequest,
  );
}

/** Throws a `Refusal`: of the CBOR codes for its form. Evidence and draft are not looked into. */
export function decodeLicenseRequest(body: Uint8Array): LicenseCall {
  const what = "license request";
  const claims = new Claims(decodeBody(body, what, LICENSE_REQUEST_BOUNDS), ErrorCode.CBOR_TYPE, what);
  const call: LicenseCall = {
    evidence: claims.bytes(EVIDENCE, 1, Limit.MESSAGE_BYTES_MAX),
    terms: claims.optional(TERMS, (label) => readTerms(claims.map(label))),
    draft: claims.optional(DRAFT, (label) => claims.bytes(label, 1, Limit.MESSAGE_BYTES_MAX)),
    nonces: claims.optional(NONCES, (label) =>
      claims.list(label, 1, NONCES_MAX, (items, index) => items.bytes(index, Limit.NONCE_BYTES)),
    ),
  };
  claims.end();
  // What the list may not be is what it cannot be combined from.
  if (call.nonces) combinedNonce(call.nonces);
  return call;
}

function termsValue({ budget, ticksMax, windowSeconds, rate, drain }: LicenseRequest): CborValue {
  const entries: ClaimEntries = [
    [BUDGET, worksValue(budget)],
    [TICKS_MAX, ticksMax],
    [WINDOW_SECONDS, windowSeconds],
    [RATE, rate],
    [DRAIN, drain && worksValue(drain)],
  ];
  return new Map(entries.filter(([, value]) => value !== undefined) as [number, CborValue][]);
}

function readTerms(terms: Claims): LicenseRequest {
  const request: LicenseRequest = {
    budget: terms.works(BUDGET),
    ticksMax: terms.u64(TICKS_MAX),
    windowSeconds: terms.seconds(WINDOW_SECONDS),
    rate: terms.optional(RATE, (label) => terms.byClass(label, (rates, engineClass) => rates.u64(engineClass))),
    // An empty one says that nothing may drain; without one the agreement's holds.
    drain: terms.optional(DRAIN, (label) => terms.works(label)),
  };
  terms.end();
  if (request.budget.size === 0 || request.rate?.size === 0) terms.refuse("a budget or a rate names no class");
  return request;
}
