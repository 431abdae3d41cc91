/** What an item of the CBOR profile (docs/protocol.md, "Encoding") is in memory. */

/** A tag and what it stands before. */
export class Tagged {
  /** A bigint over 2^53 - 1. */
  readonly tag: number | bigint;
  readonly value: CborValue;

  constructor(tag: number | bigint, value: CborValue) {
    this.tag = tag;
    this.value = value;
  }
}

/** Any item of the profile. Integers: numbers where they are safe integers, bigints beyond, up to 64 bits. */
export type CborValue =
  | number
  | bigint
  | string
  | boolean
  | null
  | Uint8Array
  | readonly CborValue[]
  | CborMap
  | Tagged;

export type CborMap = ReadonlyMap<CborValue, CborValue>;

/** The upper three bits of a head, RFC 8949 section 3.1. */
export const Major = { UNSIGNED: 0, NEGATIVE: 1, BYTES: 2, TEXT: 3, ARRAY: 4, MAP: 5, TAG: 6, SIMPLE: 7 } as const;

/** RFC 8949 section 3.3: the simple values of the profile, as the lower five bits of their heads. */
export const Simple = { FALSE: 20, TRUE: 21, NULL: 22 } as const;
