/** A CoRIM in pieces, as others might write it, so that a test can change one of them. */
import type { CborValue } from "../../../host/protocol/cbor.ts";
import { Tagged } from "../../../host/protocol/cbor.ts";
import { encodeForeign } from "../../../host/rats/corim-cbor.ts";

export const DIGEST = new Uint8Array(32).fill(0xd1);
export const map = (...entries: [CborValue, CborValue][]): CborValue => new Map(entries);
export const uri = (text: string) => new Tagged(32, text);
export const time = (seconds: CborValue) => new Tagged(1, seconds);

export const CLASS = map([1, "North Silicon"], [2, "N-1"]);
export const ENVIRONMENT = map([0, CLASS]);
export const VALUES = map([1, new Tagged(553, 3)], [2, [[1, DIGEST]]]);
export const MEASUREMENT = map([0, "governor"], [1, VALUES]);
export const RECORD: CborValue = [ENVIRONMENT, [MEASUREMENT]];

/** A CoMID of these reference triples, with further members. */
export function comidOf(records: CborValue, ...more: [CborValue, CborValue][]): CborValue {
  return map([1, map([0, "tag-1"])], [4, map([0, records])], ...more);
}

export const comidTag = (comid: CborValue) => new Tagged(506, encodeForeign(comid));

/** An unsigned CoRIM of these tags, with further members. */
export function corimOf(tags: CborValue, ...more: [CborValue, CborValue][]): Uint8Array {
  return encodeForeign(new Tagged(501, map([0, "rim-1"], [1, tags], ...more)));
}

/** An unsigned CoRIM around one reference triple. */
export const corimAround = (record: CborValue) => corimOf([comidTag(comidOf([record]))]);

/** A triple around one measurement, and one around the values of a measurement. */
export const measured = (measurement: CborValue): CborValue => [ENVIRONMENT, [measurement]];
export const valued = (...values: [CborValue, CborValue][]) => measured(map([0, "governor"], [1, map(...values)]));
