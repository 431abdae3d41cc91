/**
 * A concise reference integrity manifest (CoRIM, draft-ietf-rats-corim), unsigned or a CoMID alone: from whom it comes,
 * whoever reads it must know ("Signer authority of securely conveyed unsigned CoRIM"). `signed-corim.ts` reads the signed
 * ones. docs/rats.md says what is read of a manifest and what is not.
 */
import { CoseTag } from "../../firmware/protocol/cose-labels.ts";
import type { Claims } from "../objects/claims.ts";
import { type CborValue, Tagged } from "../protocol/cbor.ts";
import { type Comid, type GovernorReference, readComid, readId } from "./comid.ts";
import { coded, decodeForeign, membersOf, untagged } from "./corim-cbor.ts";
import { CorimError } from "./errors.ts";
import { readValidity, type Validity } from "./validity.ts";

/** What a manifest says of governors. */
export interface Manifest {
  readonly kind: "CoMID" | "CoRIM";
  readonly id: string;
  /** Maybe none: then nothing in it is of governors. */
  readonly measurements: readonly GovernorReference[];
  /** When it may be used, as far as it says. */
  readonly validity: Validity;
  /** What else it holds, and why that says nothing of governors. */
  readonly passedOver: readonly string[];
}

/** Tags of draft-ietf-rats-corim, "New CBOR Tags"; 500 and 502 of its older versions. */
export const CORIM_TAG = { OLD: 500, UNSIGNED: 501, OLD_SIGNED: 502, COMID: 506 } as const;

export const CORIM = { ID: 0, TAGS: 1, DEPENDENT_RIMS: 2, PROFILE: 3, VALIDITY: 4, ENTITIES: 5 } as const;

const TAGS_MAX = 256;
const LIST_MAX = 4096;
const NOTES_MAX = 64;

/**
 * Reads an unsigned CoRIM (tag 501), or a CoMID (tag 506, or bare). Throws a `CorimError`; `corim/signed` for a manifest
 * that has a signature to be verified.
 */
export function readCorim(bytes: Uint8Array): Manifest {
  const value = withoutOldTags(decodeForeign(bytes));
  if (untagged(value, CoseTag.SIGN1) !== undefined) throw new CorimError("corim/signed");
  const corim = untagged(value, CORIM_TAG.UNSIGNED);
  if (corim !== undefined) return readCorimMap(corim);
  const comid = untagged(value, CORIM_TAG.COMID);
  if (comid !== undefined) return { kind: "CoMID", validity: {}, ...readTaggedComid(comid) };
  if (value instanceof Map) return { kind: "CoMID", validity: {}, ...coded("corim/form", () => readComid(value)) };
  throw new CorimError("corim/kind", value instanceof Tagged ? `tag ${value.tag}` : undefined);
}

/** What a signature of a CoRIM is over: tag 501, and what it holds. Throws a `CorimError`. */
export function readTaggedCorim(bytes: Uint8Array): Manifest {
  const corim = untagged(withoutOldTags(decodeForeign(bytes)), CORIM_TAG.UNSIGNED);
  if (corim === undefined) throw new CorimError("corim/kind", "what is signed is no CoRIM");
  return readCorimMap(corim);
}

/** Older versions of the draft put one or two tags more before a CoRIM. */
export function withoutOldTags(value: CborValue): CborValue {
  const inner = untagged(value, CORIM_TAG.OLD);
  if (inner === undefined) return value;
  return untagged(inner, CORIM_TAG.OLD_SIGNED) ?? inner;
}

function readCorimMap(value: CborValue): Manifest {
  return coded("corim/form", () => {
    const corim = membersOf(value, "CoRIM");
    if (corim.has(CORIM.PROFILE)) throw new CorimError("corim/profile");
    const id = readId(corim, CORIM.ID);
    const validity = corim.optional(CORIM.VALIDITY, (label) => readValidity(corim, label)) ?? {};
    corim.optional(CORIM.DEPENDENT_RIMS, (label) => corim.array(label, 1, LIST_MAX));
    corim.optional(CORIM.ENTITIES, (label) => corim.array(label, 1, LIST_MAX));
    const tags = corim.list(CORIM.TAGS, 1, TAGS_MAX, readTag);
    const comids = tags.filter((tag) => typeof tag !== "string");
    return {
      kind: "CoRIM",
      id,
      measurements: comids.flatMap(({ measurements }) => measurements),
      validity,
      passedOver: tags.flatMap((tag) => (typeof tag === "string" ? [tag] : tag.passedOver)).slice(0, NOTES_MAX),
    };
  });
}

/** A CoMID, or the name of another kind of tag: the draft lets later ones define more. */
function readTag(tags: Claims, index: number): Comid | string {
  const tag = tags.value(index);
  if (!(tag instanceof Tagged)) return tags.refuse(`tag ${index} is none`);
  const comid = untagged(tag, CORIM_TAG.COMID);
  return comid === undefined ? `tag ${tag.tag}` : readTaggedComid(comid);
}

function readTaggedComid(value: CborValue): Comid {
  if (!(value instanceof Uint8Array)) throw new CorimError("corim/form", "a tagged CoMID is not in a byte string");
  const comid = decodeForeign(value);
  return coded("corim/form", () => readComid(comid));
}
