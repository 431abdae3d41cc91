/** Until when a manifest is kept by who made it (draft-ietf-rats-corim, "Validity"). */
import type { Claims } from "../objects/claims.ts";
import { type CborValue, Tagged } from "../protocol/cbor.ts";
import { untagged } from "./corim-cbor.ts";

export interface Validity {
  readonly notBeforeSeconds?: number;
  readonly notAfterSeconds?: number;
}

/** RFC 8949 section 3.4.2. */
const EPOCH_TIME = 1;

const NOT_BEFORE = 0;
const NOT_AFTER = 1;

export function readValidity(claims: Claims, label: number): Validity {
  const validity: Claims = claims.map(label);
  const time = (key: number): number => {
    const seconds = untagged(validity.value(key), EPOCH_TIME);
    if (typeof seconds !== "number" || seconds < 0) validity.refuse(`member ${key} is no time in whole seconds`);
    return seconds;
  };
  const notBeforeSeconds = validity.optional(NOT_BEFORE, time);
  const notAfterSeconds = time(NOT_AFTER);
  validity.end();
  return { notBeforeSeconds, notAfterSeconds };
}

export function validityValue(notAfterSeconds: number, notBeforeSeconds?: number): CborValue {
  const members: [number, CborValue][] = [[NOT_AFTER, new Tagged(EPOCH_TIME, notAfterSeconds)]];
  if (notBeforeSeconds !== undefined) members.push([NOT_BEFORE, new Tagged(EPOCH_TIME, notBeforeSeconds)]);
  return new Map(members);
}

/** The time that lies in both. */
export function bothValid(a: Validity = {}, b: Validity = {}): Validity {
  return {
    notBeforeSeconds: outer(Math.max, a.notBeforeSeconds, b.notBeforeSeconds),
    notAfterSeconds: outer(Math.min, a.notAfterSeconds, b.notAfterSeconds),
  };
}

/** Whether a manifest may be used at a time: without a bound it may. */
export function isValidAt({ notBeforeSeconds, notAfterSeconds }: Validity, nowSeconds: number): boolean {
  return nowSeconds >= (notBeforeSeconds ?? nowSeconds) && nowSeconds <= (notAfterSeconds ?? nowSeconds);
}

function outer(pick: (a: number, b: number) => number, a: number | undefined, b: number | undefined) {
  return a === undefined || b === undefined ? (a ?? b) : pick(a, b);
}
