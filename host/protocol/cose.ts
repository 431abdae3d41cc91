/**
 * COSE_Sign1 and COSE_Sign (RFC 9052 section 4) on the host: the same form, verdicts and codes as `firmware/cose/`.
 *
 *   COSE_Sign1: 18([<<{1: -19}>>, {4: kid}, payload, signature])
 *   COSE_Sign:  98([h'', {}, payload, [[<<{1: -19}>>, {4: kid}, signature], ...]])
 *
 * Whatever is not exactly right is thrown as a `Refusal`; nothing is returned that was not verified, but by the
 * functions named `parse`, which are for showing a message to people.
 */
import { CoseFlag, CoseHeader, CoseLimit, CoseTag } from "../../firmware/protocol/cose-labels.ts";
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { type CborValue, decode, encode, Tagged } from "./cbor.ts";
import { PROTECTED, readHeaders, readLayer } from "./cose-headers.ts";
import { ed25519Verify, type Signer, type VerificationKey } from "./cose-key.ts";
import { Refusal } from "./refusal.ts";

export { ed25519Signer, ed25519Verify, keyId, type Signer, type VerificationKey, verificationKey } from "./cose-key.ts";

/** One signature and what it says of itself. */
type Signature = { protectedBytes: Uint8Array; kid: Uint8Array | undefined; signature: Uint8Array };
export type Sign1Message = Signature & { payload: Uint8Array };
type SignedBy = { readonly kid: Uint8Array; readonly signature: Uint8Array };
type SigningRound = {
  /** Kids of those who have signed. */
  readonly signed: readonly Uint8Array[];
  readonly toBeSigned: Uint8Array;
  add(further: readonly SignedBy[]): Uint8Array;
};
export type SignMessage = { bodyProtected: Uint8Array; payload: Uint8Array; signatures: Signature[] };

const NO_BYTES = new Uint8Array(0);

/** Sig_structure of a COSE_Sign1, section 4.4. */
export function sign1Structure(protectedBytes: Uint8Array, aad: Uint8Array, payload: Uint8Array): Uint8Array {
  return encode(["Signature1", signedHeader(protectedBytes), aad, payload]);
}

/** Sig_structure of one signature of a COSE_Sign, section 4.4. */
export function signStructure(
  bodyProtected: Uint8Array,
  signProtected: Uint8Array,
  aad: Uint8Array,
  payload: Uint8Array,
): Uint8Array {
  return encode(["Signature", signedHeader(bodyProtected), signedHeader(signProtected), aad, payload]);
}

/** A signed COSE_Sign1. */
export function signSign1(payload: Uint8Array, signer: Signer, aad: Uint8Array): Uint8Array {
  const signature = signer.sign(bounded(sign1Structure(PROTECTED, aad, payload)));
  return message(CoseTag.SIGN1, [PROTECTED, new Map([[CoseHeader.KID, signer.kid]]), payload, signature]);
}

/** A COSE_Sign without signatures yet: pass it from party to party, each by `addSignature`. */
export function draftSign(payload: Uint8Array): Uint8Array {
  return message(CoseTag.SIGN, [NO_BYTES, new Map(), payload, []]);
}

/**
 * What whoever signs a COSE_Sign next has to sign, the same for all, and the message with their signatures. `add` refuses
 * a signer who is there already.
 */
export function signingRound(bytes: Uint8Array, aad: Uint8Array): SigningRound {
  const { bodyProtected, payload, signatures } = openSign(bytes, CoseFlag.STRICT);
  return roundOf({ bodyProtected, payload, signatures }, aad);
}

/** The round of those who sign first: `signingRound` of `draftSign(payload)`. */
export function firstRound(payload: Uint8Array, aad: Uint8Array): SigningRound {
  return roundOf({ bodyProtected: NO_BYTES, payload, signatures: [] }, aad);
}

function roundOf({ bodyProtected, payload, signatures }: ReturnType<typeof openSign>, aad: Uint8Array): SigningRound {
  const signed = signatures.map((raw) => readSignature(raw, CoseFlag.STRICT).kid!);
  return {
    signed,
    toBeSigned: bounded(signStructure(bodyProtected, PROTECTED, aad, payload)),
    add(further) {
      const added = further.map(({ kid, signature }, index) => {
        const before = [...signed, ...further.slice(0, index).map((one) => one.kid)];
        if (before.some((one) => sameBytes(one, kid))) {
          throw new Refusal(ErrorCode.COSE_SIGNER_TWICE, "this party has signed already");
        }
        return [PROTECTED, new Map([[CoseHeader.KID, kid]]), signature];
      });
      return message(CoseTag.SIGN, [NO_BYTES, new Map(), payload, [...signatures, ...added]]);
    },
  };
}

/** The message with one more signature; it refuses a signer who is there already. */
export function addSignature(bytes: Uint8Array, { kid, sign }: Signer, aad: Uint8Array): Uint8Array {
  const round = signingRound(bytes, aad);
  return round.add([{ kid, signature: sign(round.toBeSigned) }]);
}

/** Takes a COSE_Sign1 apart; its signature is not judged. */
export function parseSign1(bytes: Uint8Array, flag: CoseFlag = CoseFlag.STRICT): Sign1Message {
  const fields = open(bytes, CoseTag.SIGN1, flag);
  const layer = readLayer(fields[0], fields[1]);
  const payload = readPayload(fields[2]);
  const signature = fields[3];
  if (!(signature instanceof Uint8Array)) throw new Refusal(ErrorCode.COSE_FORM, "the signature is no byte string");
  const kid = readHeaders(layer, true, flag);
  return { protectedBytes: layer.protectedBytes, kid, payload, signature: ofSignatureLength(signature) };
}

/** Takes a COSE_Sign apart; its signatures are not judged. */
export function parseSign(bytes: Uint8Array, flag: CoseFlag = CoseFlag.STRICT): SignMessage {
  const { bodyProtected, payload, signatures } = openSign(bytes, flag);
  return { bodyProtected, payload, signatures: signatures.map((raw) => readSignature(raw, flag)) };
}

/**
 * Verifies a COSE_Sign1 by a key, or by the one that `key` finds for its kid, and gives its payload.
 * The tolerant flag reads what others write too, where a key that is given stands for any kid.
 */
export function verifySign1(
  bytes: Uint8Array,
  key: VerificationKey | ((kid: Uint8Array | undefined) => VerificationKey | undefined),
  aad: Uint8Array,
  flag: CoseFlag = CoseFlag.STRICT,
): { payload: Uint8Array; key: VerificationKey } {
  const parsed = parseSign1(bytes, flag);
  const found = typeof key === "function" ? key(parsed.kid) : key;
  if (found === undefined || (flag === CoseFlag.STRICT && !sameBytes(parsed.kid, found.kid))) {
    throw new Refusal(ErrorCode.COSE_KID, "signed by another key than expected");
  }
  judge(parsed.signature, sign1Structure(parsed.protectedBytes, aad, parsed.payload), found.publicKey);
  return { payload: parsed.payload, key: found };
}

/**
 * Verifies a COSE_Sign that must hold exactly `threshold` signatures, all by distinct ones of `keys`, and gives its
 * payload and the indexes of the keys that signed. The steps and their order are those of `firmware/cose/quorum.ts`.
 */
export function verifyQuorum(
  bytes: Uint8Array,
  keys: readonly VerificationKey[],
  threshold: number,
  aad: Uint8Array,
): { payload: Uint8Array; signers: number[] } {
  const body = openSign(bytes, CoseFlag.STRICT);
  const count = body.signatures.length;
  if (count === 0) throw new Refusal(ErrorCode.COSE_FORM, "nobody has signed");
  if (threshold < 1 || count < threshold) {
    throw new Refusal(ErrorCode.COSE_QUORUM, `${count} signatures, where ${threshold} are needed`);
  }
  if (count > threshold) {
    throw new Refusal(ErrorCode.COSE_SIGNATURES_SURPLUS, `${count} signatures, where exactly ${threshold} are wanted`);
  }
  const signers: number[] = [];
  for (const raw of body.signatures) {
    const { protectedBytes, kid, signature } = readSignature(raw, CoseFlag.STRICT);
    const index = keys.findIndex((key) => sameBytes(kid, key.kid));
    if (index < 0) continue;
    if (signers.includes(index)) throw new Refusal(ErrorCode.COSE_SIGNER_TWICE, "one party signed twice");
    judge(signature, signStructure(body.bodyProtected, protectedBytes, aad, body.payload), keys[index]!.publicKey);
    signers.push(index);
  }
  if (signers.length !== threshold) {
    throw new Refusal(ErrorCode.COSE_QUORUM, `${signers.length} of the known keys signed, ${threshold} are needed`);
  }
  return { payload: body.payload, signers };
}

/** The outermost of a message: its tag, and an array of four. Only the tolerant reading takes an untagged one. */
function open(bytes: Uint8Array, tag: CoseTag, flag: CoseFlag): readonly CborValue[] {
  if (bytes.length > Limit.MESSAGE_BYTES_MAX) throw new Refusal(ErrorCode.CBOR_LENGTH, "the message is too long");
  const value = decode(bytes);
  if (value instanceof Tagged ? value.tag !== tag : flag === CoseFlag.STRICT) {
    throw new Refusal(ErrorCode.COSE_TAG, `the message lacks tag ${tag}`);
  }
  const fields = value instanceof Tagged ? value.value : value;
  if (!Array.isArray(fields) || fields.length !== 4) throw new Refusal(ErrorCode.COSE_FORM, "not an array of four");
  return fields;
}

function openSign(bytes: Uint8Array, flag: CoseFlag) {
  const fields = open(bytes, CoseTag.SIGN, flag);
  const layer = readLayer(fields[0], fields[1]);
  const payload = readPayload(fields[2]);
  const signatures = fields[3];
  if (!Array.isArray(signatures)) throw new Refusal(ErrorCode.COSE_FORM, "the signatures are no array");
  readHeaders(layer, false, flag);
  return { bodyProtected: layer.protectedBytes, payload, signatures: signatures as readonly CborValue[] };
}

function readPayload(payload: CborValue | undefined): Uint8Array {
  if (payload === null) throw new Refusal(ErrorCode.COSE_PAYLOAD, "the payload is detached");
  if (!(payload instanceof Uint8Array)) throw new Refusal(ErrorCode.COSE_FORM, "the payload is no byte string");
  return payload;
}

function readSignature(raw: CborValue, flag: CoseFlag): Signature {
  if (!Array.isArray(raw) || raw.length !== 3)
    throw new Refusal(ErrorCode.COSE_FORM, "a signature is no array of three");
  const layer = readLayer(raw[0], raw[1]);
  if (!(raw[2] instanceof Uint8Array)) throw new Refusal(ErrorCode.COSE_FORM, "a signature is no byte string");
  const kid = readHeaders(layer, true, flag);
  return { protectedBytes: layer.protectedBytes, kid, signature: ofSignatureLength(raw[2]) };
}

function ofSignatureLength(signature: Uint8Array): Uint8Array {
  if (signature.length !== Limit.SIGNATURE_BYTES) throw new Refusal(ErrorCode.COSE_SIGNATURE, "not 64 bytes");
  return signature;
}

/** What no governor could sign or verify: its scratch holds no longer Sig_structure. */
export function isTooLong(structure: Uint8Array): boolean {
  return structure.length > CoseLimit.SIG_STRUCTURE_BYTES_MAX;
}

function judge(signature: Uint8Array, structure: Uint8Array, publicKey: Uint8Array): void {
  if (isTooLong(structure) || !ed25519Verify(signature, structure, publicKey)) {
    throw new Refusal(ErrorCode.COSE_SIGNATURE, "the signature does not hold");
  }
}

/** Section 4.4: a header without parameters is signed as the empty string, however it was sent. */
function signedHeader(bytes: Uint8Array): Uint8Array {
  return bytes.length === 1 && bytes[0] === 0xa0 ? NO_BYTES : bytes;
}

function message(tag: CoseTag, fields: CborValue): Uint8Array {
  const bytes = encode(new Tagged(tag, fields));
  if (bytes.length > Limit.MESSAGE_BYTES_MAX) throw new Refusal(ErrorCode.CBOR_LENGTH, "the message is too long");
  return bytes;
}

function bounded(structure: Uint8Array): Uint8Array {
  if (isTooLong(structure)) {
    throw new Refusal(ErrorCode.CBOR_LENGTH, "too long to be signed");
  }
  return structure;
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.compare(a, b) === 0;
}
