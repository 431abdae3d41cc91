/**
 * A group and a holder's share as files. The group is public: deterministic CBOR,
 *
 *   ["quiesce-frost-group", 1, threshold, [+ commitment], [+ verifying share]]
 *
 * each of 32 bytes; the first commitment is the group's key. A share is a key file (host/keys/key-file.ts) under the group's
 * public key, with the share in place of the seed.
 */
import { Limit } from "../../firmware/protocol/limits.ts";
import { type CborValue, decode, encode } from "../protocol/cbor.ts";
import { KeyError } from "./errors.ts";
import { FrostHolder } from "./frost.ts";
import { type FrostGroup, type FrostShare, groupOf, HOLDERS_MAX, HOLDERS_MIN, identifierOf } from "./frost-group.ts";
import { newLock, openSealed, type ScryptCost, sealKey } from "./key-file.ts";

const MAGIC = "quiesce-frost-group";
const VERSION = 1;
export const GROUP_FILE_BYTES_MAX = 1024;

export function encodeGroup({ threshold, holders, public: made }: FrostGroup): Uint8Array {
  const verifying = Array.from({ length: holders }, (_, i) => made.verifyingShares[identifierOf(i + 1)]!);
  return encode([MAGIC, VERSION, threshold, [...made.commitments], verifying]);
}

/** Throws `KeyError` (`keys/frost-group`). */
export function decodeGroup(bytes: Uint8Array): FrostGroup {
  const fields = decodeOr(bytes);
  if (!Array.isArray(fields) || fields.length !== 5 || fields[0] !== MAGIC || fields[1] !== VERSION) refuse();
  const [min, commitments, verifying] = (fields as readonly CborValue[]).slice(2);
  const points = pointsOf(commitments);
  const shares = pointsOf(verifying);
  const isSize = min === points.length && points.length >= HOLDERS_MIN && points.length <= shares.length;
  if (!isSize || shares.length > HOLDERS_MAX) refuse();
  return groupOf({
    signers: { min: points.length, max: shares.length },
    commitments: points,
    verifyingShares: Object.fromEntries(shares.map((share, i) => [identifierOf(i + 1), share])),
  });
}

export function sealShare(
  { kid, publicKey }: FrostGroup,
  { holder, secret }: FrostShare,
  passphrase: Uint8Array,
  cost?: ScryptCost,
): Promise<Uint8Array> {
  const createdSeconds = Math.floor(Date.now() / 1000);
  const label = `share of holder ${holder}`;
  return sealKey({ kid, publicKey, createdSeconds, label, status: "active" }, secret, passphrase, newLock(cost));
}

/** The holder whose share it is: the one whose verifying share it makes. Throws `KeyError`. */
export async function openShare(group: FrostGroup, bytes: Uint8Array, passphrase: Uint8Array): Promise<FrostHolder> {
  const { header, seed: secret } = await openSealed(bytes, passphrase);
  if (Buffer.compare(header.publicKey, group.publicKey) !== 0) throw new KeyError("keys/frost-share", "another group");
  for (let holder = 1; secret && holder <= group.holders; holder++) {
    try {
      return new FrostHolder(group, { holder, secret: Uint8Array.from(secret) });
    } catch (error) {
      if (!(error instanceof KeyError)) throw error;
    }
  }
  throw new KeyError("keys/frost-share", "of no holder of the group");
}

function pointsOf(value: CborValue | undefined): Uint8Array<ArrayBuffer>[] {
  if (!Array.isArray(value)) return refuse();
  const isPoint = (item: CborValue) => item instanceof Uint8Array && item.length === Limit.PUBLIC_KEY_BYTES;
  return value.every(isPoint) ? (value as Uint8Array[]).map((point) => Uint8Array.from(point)) : refuse();
}

function decodeOr(bytes: Uint8Array): CborValue {
  if (bytes.length > GROUP_FILE_BYTES_MAX) refuse();
  try {
    return decode(bytes);
  } catch (cause) {
    throw new KeyError("keys/frost-group", "not deterministic CBOR", { cause });
  }
}

function refuse(): never {
  throw new KeyError("keys/frost-group", "no file of a group");
}
