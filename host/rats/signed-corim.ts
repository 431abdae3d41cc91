/**
 * A signed CoRIM (draft-ietf-rats-corim, "Signed CoRIM"): a COSE_Sign1 by a manufacturer that is trusted here. It is not
 * read by `host/protocol/cose.ts`, whose profile is that of our own messages: a manifest is longer, has header parameters
 * of its own, and names its key in its maker's way. The rule by which a signature holds is the same one.
 *
 * Parameters that are not known are refused rather than ignored: a manifest is brought in by a person, rarely, and is
 * trusted for long, and what its signer wanted to be heeded should not be half understood.
 */
import { CoseAlgorithm, CoseHeader, CoseTag } from "../../firmware/protocol/cose-labels.ts";
import type { Claims } from "../objects/claims.ts";
import { type CborValue, Tagged } from "../protocol/cbor.ts";
import { ed25519Verify, type Signer, sign1Structure, type VerificationKey } from "../protocol/cose.ts";
import { TEXT_BYTES_MAX } from "./comid.ts";
import { type Manifest, readTaggedCorim, withoutOldTags } from "./corim.ts";
import { coded, decodeForeign, encodeForeign, membersOf, untagged } from "./corim-cbor.ts";
import { CorimError } from "./errors.ts";
import { bothValid, readValidity, type Validity, validityValue } from "./validity.ts";

export interface SignedManifest extends Manifest {
  /** How the signer calls itself, and the trusted key that it signed with. */
  readonly signer: { readonly name: string; readonly key: VerificationKey };
}

/** Header parameters: RFC 9052 section 3.1, RFC 9360 (x5chain), RFC 9597 (CWT claims), and the draft's own. */
const CONTENT_TYPE = 3;
const CORIM_META = 8;
const CWT_CLAIMS = 15;
const X5CHAIN = 33;

const MEDIA_TYPE = "application/rim+cbor";
const NO_AAD = new Uint8Array(0);
const KID_BYTES_MAX = 64;

const META = { SIGNER: 0, VALIDITY: 1 } as const;
const SIGNER = { NAME: 0, URI: 1 } as const;
const CWT = { ISSUER: 1, EXPIRY: 4, NOT_BEFORE: 5 } as const;

interface Meta {
  readonly name: string;
  readonly validity: Validity;
}

/** A manifest that one of `keys` signed. Throws a `CorimError`; nothing is read of a manifest that nobody signed. */
export function verifyCorim(bytes: Uint8Array, keys: readonly VerificationKey[]): SignedManifest {
  const message = untagged(withoutOldTags(decodeForeign(bytes)), CoseTag.SIGN1);
  if (message === undefined) throw new CorimError("corim/unsigned");
  if (!Array.isArray(message) || message.length !== 4) throw new CorimError("corim/form", "no COSE_Sign1");
  const [protectedBytes, unprotected, payload, signature] = message as readonly CborValue[];
  if (!(protectedBytes instanceof Uint8Array)) throw new CorimError("corim/form", "the header is no byte string");
  if (!(payload instanceof Uint8Array)) throw new CorimError("corim/payload");
  const guarded = decodeForeign(protectedBytes);
  const { kid, meta } = coded("corim/header", () => readHeaders(guarded, unprotected!));
  const key = findSigner(signature!, sign1Structure(protectedBytes, NO_AAD, payload), keys, kid);
  const manifest = readTaggedCorim(payload);
  return { ...manifest, validity: bothValid(manifest.validity, meta.validity), signer: { name: meta.name, key } };
}

/** Signs what `encodeCorim` gave. The validity is that of the signature. */
export function signCorim(
  corim: Uint8Array,
  signer: Signer,
  name: string,
  validity?: { readonly notBeforeSeconds?: number; readonly notAfterSeconds: number },
): Uint8Array {
  const meta: [number, CborValue][] = [[META.SIGNER, new Map([[SIGNER.NAME, name]])]];
  if (validity) meta.push([META.VALIDITY, validityValue(validity.notAfterSeconds, validity.notBeforeSeconds)]);
  const protectedBytes = encodeForeign(
    new Map<number, CborValue>([
      [CoseHeader.ALGORITHM, CoseAlgorithm.ED25519],
      [CONTENT_TYPE, MEDIA_TYPE],
      [CoseHeader.KID, signer.kid],
      [CORIM_META, encodeForeign(new Map(meta))],
    ]),
  );
  const signature = signer.sign(sign1Structure(protectedBytes, NO_AAD, corim));
  const bytes = encodeForeign(new Tagged(CoseTag.SIGN1, [protectedBytes, new Map(), corim, signature]));
  verifyCorim(bytes, [signer]);
  return bytes;
}

/**
 * The key that signed: the one that the kid names, or, since a kid is whatever its maker makes it, any that is trusted.
 */
function findSigner(
  signature: CborValue,
  structure: Uint8Array,
  keys: readonly VerificationKey[],
  kid: Uint8Array | undefined,
): VerificationKey {
  const named = keys.filter((key) => kid !== undefined && Buffer.compare(key.kid, kid) === 0);
  const candidates = named.length > 0 ? named : keys;
  const found =
    signature instanceof Uint8Array &&
    candidates.find(({ publicKey }) => ed25519Verify(signature, structure, publicKey));
  if (!found) throw new CorimError("corim/signature");
  return found;
}

function readHeaders(guarded: CborValue, unprotected: CborValue): { kid?: Uint8Array; meta: Meta } {
  const header: Claims = membersOf(guarded, "protected header");
  const open: Claims = membersOf(unprotected, "unprotected header");
  const algorithm = header.value(CoseHeader.ALGORITHM);
  if (algorithm !== CoseAlgorithm.ED25519 && algorithm !== CoseAlgorithm.EDDSA) {
    throw new CorimError("corim/algorithm", typeof algorithm === "number" ? `${algorithm}` : undefined);
  }
  header.constant(CONTENT_TYPE, MEDIA_TYPE);
  if (header.has(CoseHeader.KID) && open.has(CoseHeader.KID)) header.refuse("the kid stands in both headers");
  const layer = header.has(CoseHeader.KID) ? header : open;
  const kid = layer.optional(CoseHeader.KID, (label) => layer.bytes(label, 0, KID_BYTES_MAX));
  const meta = header.optional(CORIM_META, (label) => readMeta(header.value(label)));
  const claims = header.optional(CWT_CLAIMS, (label) => readCwtClaims(header.map(label)));
  // Certificates are not needed: the keys that are trusted here are known beforehand.
  for (const part of [header, open]) {
    part.optional(X5CHAIN, (label) => part.value(label));
    part.end();
  }
  const said = meta ?? claims;
  if (!said) return header.refuse("it says nothing of the signer");
  if (meta && claims && !isSame(meta, claims)) header.refuse("it says two things of the signer");
  return { kid, meta: said };
}

function readMeta(value: CborValue): Meta {
  const meta: Claims = membersOf(value instanceof Uint8Array ? decodeForeign(value) : value, "corim-meta");
  const signer = meta.map(META.SIGNER);
  const name = signer.text(SIGNER.NAME, TEXT_BYTES_MAX);
  const validity = meta.optional(META.VALIDITY, (label) => readValidity(meta, label)) ?? {};
  meta.end();
  return { name, validity };
}

/** RFC 9597; what else such claims say is for others. */
function readCwtClaims(claims: Claims): Meta {
  return {
    name: claims.text(CWT.ISSUER, TEXT_BYTES_MAX),
    validity: {
      notBeforeSeconds: claims.optional(CWT.NOT_BEFORE, (label) => claims.seconds(label)),
      notAfterSeconds: claims.optional(CWT.EXPIRY, (label) => claims.seconds(label)),
    },
  };
}

function isSame(a: Meta, b: Meta): boolean {
  return (
    a.name === b.name &&
    a.validity.notBeforeSeconds === b.validity.notBeforeSeconds &&
    a.validity.notAfterSeconds === b.validity.notAfterSeconds
  );
}
