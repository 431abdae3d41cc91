/**
 * CBOR that only hosts exchange, over HTTP or on a stick: the profile of docs/protocol.md, but longer than what a mailbox
 * takes. So every body has its own bounds, and both are held before anything is built from it.
 */
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { type CborValue, decode } from "../protocol/cbor.ts";
import { Refusal } from "../protocol/refusal.ts";

export interface BodyBounds {
  readonly bytesMax: number;
  /** CBOR items in all, nested ones included. */
  readonly itemsMax: number;
}

/** Throws a `Refusal`; its code is `CBOR_LENGTH` where a bound is passed. */
export function decodeBody(body: Uint8Array, what: string, { bytesMax, itemsMax }: BodyBounds): CborValue {
  if (body.length > bytesMax) {
    throw new Refusal(ErrorCode.CBOR_LENGTH, `the ${what} has ${body.length} bytes: ${bytesMax} at most`);
  }
  return decode(body, { itemsMax });
}
