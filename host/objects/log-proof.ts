/**
 * What shows a governor that a message is public: an RFC 9942 receipt of its inclusion, the checkpoint that the receipt is
 * for, witnesses' cosignatures, and the checkpoint's consistency with the one that this governor saw before. The governor
 * writes the checkpoint's text itself (C2SP tlog-checkpoint), so here are only its numbers. CDDL: docs/protocol.md.
 */
import { ObjectType } from "../../firmware/protocol/claims.ts";
import { CoseAlgorithm, CoseHeader, CoseReceipt, CoseTag } from "../../firmware/protocol/cose-labels.ts";
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { type CborValue, decode, encode, Tagged } from "../protocol/cbor.ts";
import { sign1Structure } from "../protocol/cose.ts";
import { Refusal } from "../protocol/refusal.ts";
import { Claims } from "./claims.ts";

/** One cosignature, by the witness's place in the agreement. */
export interface ProofCosignature {
  readonly witness: number;
  /** When the witness saw it, Unix seconds. */
  readonly seconds: number;
  /** Of C2SP cosignature/v1, 64 bytes. */
  readonly signature: Uint8Array;
}

export interface LogProof {
  /** Of the log's key. */
  readonly kid: Uint8Array;
  readonly index: number;
  /** Of the tree, 1 to 2^53 - 1. */
  readonly size: number;
  /** From the leaf's sibling up, 32 bytes each. */
  readonly path: readonly Uint8Array[];
  /** By the log over `receiptToBeSigned(root)`, 64 bytes. */
  readonly receiptSignature: Uint8Array;
  readonly root: Uint8Array;
  /** The checkpoint's size as it stands beside its root: that of the receipt, or the governor refuses. */
  readonly checkpointSize: number;
  /** By the log over the checkpoint's text (C2SP signed-note type 1), 64 bytes. */
  readonly checkpointSignature: Uint8Array;
  /** Exactly the witness quorum, in the order of the agreement. */
  readonly cosignatures: readonly ProofCosignature[];
  /** From the tree that the governor saw before to this one (RFC 9162 section 2.1.4); empty if it saw none, or this. */
  readonly consistency: readonly Uint8Array[];
  /** 32 bytes, where the entry is a commitment. */
  readonly salt?: Uint8Array;
}

const SALT_BYTES = 32;
const NO_BYTES = new Uint8Array(0);

/** RFC 9942 section 5.2: the kind of tree stands beside the algorithm. */
const PROTECTED = encode(
  new Map<number, CborValue>([
    [CoseHeader.ALGORITHM, CoseAlgorithm.ED25519],
    [CoseHeader.VDS, CoseReceipt.RFC9162_SHA256],
  ]),
);

/** What the log signs for receipts: the Sig_structure with the root as detached payload. */
export function receiptToBeSigned(root: Uint8Array): Uint8Array {
  return sign1Structure(PROTECTED, NO_BYTES, root);
}

/** Throws a `Refusal` (`LOG_PROOF_FORM`, `CBOR_LENGTH`) for a proof that no governor would read. */
export function encodeLogProof(proof: LogProof): Uint8Array {
  const inclusion = encode([proof.size, proof.index, [...proof.path]]);
  const receipt = new Tagged(CoseTag.SIGN1, [
    PROTECTED,
    new Map<number, CborValue>([
      [CoseHeader.KID, proof.kid],
      [CoseHeader.VDP, new Map([[CoseReceipt.INCLUSION, [inclusion]]])],
    ]),
    null,
    proof.receiptSignature,
  ]);
  const bytes = encode([
    receipt,
    [proof.checkpointSize, proof.root, proof.checkpointSignature],
    proof.cosignatures.map(({ witness, seconds, signature }) => [witness, seconds, signature]),
    [...proof.consistency],
    ...(proof.salt ? [proof.salt] : []),
  ]);
  decodeLogProof(bytes);
  return bytes;
}

/**
 * The same proof for a governor that holds no tree, or the very one that this is of: there is nothing to continue. Throws a
 * `Refusal` as `decodeLogProof` does.
 */
export function withoutHistory(bytes: Uint8Array): Uint8Array {
  return encodeLogProof({ ...decodeLogProof(bytes), consistency: [] });
}

/** Its form; nothing is verified. Throws a `Refusal`. */
export function decodeLogProof(bytes: Uint8Array): LogProof {
  if (bytes.length > Limit.MESSAGE_BYTES_MAX) throw new Refusal(ErrorCode.CBOR_LENGTH, "the log proof is too long");
  const proof = new Claims(decode(bytes), ErrorCode.LOG_PROOF_FORM, "log proof");
  if (proof.length !== 4 && proof.length !== 5) proof.refuse(`${proof.length} parts instead of 4 or 5`);
  const receipt = readReceipt(proof.value(0), proof);
  const checkpoint = proof.array(1, 3);
  const salt = proof.length === 5 ? proof.bytes(4, SALT_BYTES) : undefined;
  const read: LogProof = {
    ...receipt,
    checkpointSize: sizeOf(checkpoint, 0),
    root: checkpoint.digest(1),
    checkpointSignature: checkpoint.bytes(2, Limit.SIGNATURE_BYTES),
    cosignatures: proof.list(2, 0, Limit.WITNESSES_MAX, readCosignature),
    consistency: proof.list(3, 0, Limit.LOG_PATH_MAX, (hashes, index) => hashes.digest(index)),
    ...(salt && { salt }),
  };
  proof.end();
  return read;
}

function readReceipt(value: CborValue, proof: Claims) {
  if (!(value instanceof Tagged) || value.tag !== CoseTag.SIGN1) proof.refuse("the receipt is no COSE_Sign1");
  const receipt = proof.nested(value.value);
  if (receipt.length !== 4) receipt.refuse("the receipt has not four parts");
  const header = receipt.bytes(0, PROTECTED.length);
  if (Buffer.compare(header, PROTECTED) !== 0) receipt.refuse("the receipt is of another algorithm or tree");
  const open = receipt.map(1);
  const proofs = open.map(CoseHeader.VDP);
  const inclusion = proofs.nested(decode(proofs.array(CoseReceipt.INCLUSION, 1).bytes(0, 1, Limit.MESSAGE_BYTES_MAX)));
  if (inclusion.length !== 3) inclusion.refuse("the inclusion proof has not three parts");
  if (!receipt.isNull(2)) receipt.refuse("the receipt brings a payload");
  const read = {
    kid: open.bytes(CoseHeader.KID, Limit.KID_BYTES),
    size: sizeOf(inclusion, 0),
    index: sizeOf(inclusion, 1),
    path: inclusion.list(2, 0, Limit.LOG_PATH_MAX, (hashes, index) => hashes.digest(index)),
    receiptSignature: receipt.bytes(3, Limit.SIGNATURE_BYTES),
  };
  for (const part of [open, proofs, inclusion, receipt]) part.end();
  return read;
}

function readCosignature(items: Claims, index: number): ProofCosignature {
  const cosignature = items.array(index, 3);
  return {
    witness: cosignature.u32(0),
    seconds: cosignature.seconds(1),
    signature: cosignature.bytes(2, Limit.SIGNATURE_BYTES),
  };
}

function sizeOf(claims: Claims, label: number): number {
  return Number(claims.u64(label, BigInt(Number.MAX_SAFE_INTEGER)));
}

/** Kinds of objects that a governor takes only with a proof, where its agreement has a log. */
export const LOGGED_TYPES: readonly ObjectType[] = [
  ObjectType.AGREEMENT,
  ObjectType.LICENSE,
  ObjectType.ORDER,
  ObjectType.RECOVERY,
];
