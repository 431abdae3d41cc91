/**
 * Whether enough parties signed a COSE_Sign.
 *
 * It must hold exactly as many signatures as the quorum asks for: then no bit of an accepted object is idle, and the
 * work is bounded before the first signature is looked at. Distinct keys count, not signatures; a key we don't know is
 * passed over; one signature of a known key that doesn't hold refuses the whole object.
 */
import { CoseFlag, CoseLimit, CoseProof } from "../protocol/cose-labels";
import { ErrorCode } from "../protocol/errors";
import { Limit } from "../protocol/limits";
import { CoseSign, CoseSignature, coseSignatureResidue, coseSignNext, coseSignParse } from "./sign";

const signature = changetype<CoseSignature>(memory.data(offsetof<CoseSignature>(), 8));

/**
 * Judges a message in the strict profile against `keyCount` keys (at most 32) of 40 bytes each: kid, then public key.
 *
 * Returns an error code, and apart from it leaves `out.signers` and `out.proof`. The proof is made of what the
 * signature checks gave and of how many distinct keys they were made with, not of the branches here: whoever opens
 * something on the strength of this message asks for both.
 */
export function coseSignQuorum(
  ptr: usize,
  len: i32,
  keys: usize,
  keyCount: i32,
  threshold: i32,
  aad: usize,
  aadLen: i32,
  out: CoseSign,
): i32 {
  let code = coseSignParse(ptr, len, out, CoseFlag.STRICT);
  if (code != ErrorCode.OK) return code;
  if (threshold < 1 || out.count < threshold) return ErrorCode.COSE_QUORUM;
  if (out.count > threshold) return ErrorCode.COSE_SIGNATURES_SURPLUS;

  let residues: u32 = 0;
  for (let left = out.count; left > 0; left--) {
    code = coseSignNext(out, signature);
    if (code != ErrorCode.OK) return code;
    const index = indexOf(signature.kid, keys, keyCount);
    if (index < 0) continue;
    const bit = (<u32>1) << index;
    if ((out.signers & bit) != 0) return ErrorCode.COSE_SIGNER_TWICE;
    const publicKey = keys + index * CoseLimit.KEY_ENTRY_BYTES + Limit.KID_BYTES;
    const residue = coseSignatureResidue(out, signature, publicKey, aad, aadLen);
    residues |= residue;
    if (residue != 0) return ErrorCode.COSE_SIGNATURE;
    out.signers |= bit;
  }
  out.proof = proof(residues, out.signers, threshold);
  return popcnt<u32>(out.signers) == threshold ? ErrorCode.OK : ErrorCode.COSE_QUORUM;
}

/** CoseProof.MAGIC if no signature left a residue and exactly `threshold` keys, one at least, signed. */
function proof(residues: u32, signers: u32, threshold: i32): u32 {
  const missing = <u32>threshold ^ popcnt<u32>(signers);
  const none = <u32>(threshold - 1) & 0x80000000;
  return <u32>CoseProof.MAGIC ^ (residues | missing | none);
}

/** Which key has this kid, or -1. */
function indexOf(kid: usize, keys: usize, keyCount: i32): i32 {
  const wanted = load<u64>(kid);
  for (let i: i32 = 0; i < keyCount; i++) {
    if (load<u64>(keys + i * CoseLimit.KEY_ENTRY_BYTES) == wanted) return i;
  }
  return -1;
}
