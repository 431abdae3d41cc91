/** Numbers of COSE that both ends use. */

/** CBOR tags, RFC 9052 section 2. */
export const enum CoseTag {
  SIGN1 = 18,
  SIGN = 98,
}

/** Common header parameters, RFC 9052 section 3.1, and those of a receipt, RFC 9942. */
export const enum CoseHeader {
  ALGORITHM = 1,
  CRITICAL = 2,
  KID = 4,
  /** Verifiable data structure: which kind of log. */
  VDS = 395,
  /** Verifiable data structure proofs. */
  VDP = 396,
}

/** A receipt of a log with the tree of RFC 9162: RFC 9942 section 5. */
export const enum CoseReceipt {
  RFC9162_SHA256 = 1,
  /** Label of the inclusion proofs among the proofs. */
  INCLUSION = -1,
}

/** Signature algorithms. */
export const enum CoseAlgorithm {
  /** Ed25519, fully specified: RFC 9864 section 2.2. */
  ED25519 = -19,
  /** EdDSA with the curve left to the key, RFC 9053 section 2.2; deprecated by RFC 9864. Only old vectors have it. */
  EDDSA = -8,
}

/** COSE_Key as the key id's thumbprint needs it: RFC 9053 section 7 and RFC 9679. */
export const enum CoseKey {
  KTY = 1,
  CRV = -1,
  X = -2,
}

export const enum CoseKeyValue {
  KTY_OKP = 1,
  CRV_ED25519 = 6,
}

/** How a message is read. */
export const enum CoseFlag {
  /** Our wire profile: tagged, alg -19, a kid of 8 bytes, and no other header parameter. */
  STRICT = 0,
  /** RFC 9052 as others write it: untagged too, algorithm -8 too, further header parameters, any kid or none. */
  TOLERANT = 1,
}

export const enum CoseProof {
  /** What the signature checks themselves leave behind when enough of them held; 16 of its 32 bits are set. */
  MAGIC = 0x3c5aa5c3,
}

/** Bounds of our own. */
export const enum CoseLimit {
  /** Longest Sig_structure: a message of 4096 bytes, an external AAD of 256, and the heads. */
  SIG_STRUCTURE_BYTES_MAX = 4384,
  /** A verification key of a quorum: its kid, then the public key. */
  KEY_ENTRY_BYTES = 40,
}
