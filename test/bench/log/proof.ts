/**
 * Log proofs in trees of any size: of a tree whose leaves are all the same message's, tiles take no memory, and every
 * proof of it is as long as in any other tree. All that is signed is signed: a governor with these terms takes the proof.
 */
import { checkpointBody } from "../../../host/log/checkpoint.ts";
import { cosignatureMessage } from "../../../host/log/cosignature.ts";
import { encodeEntry, type LoggedType } from "../../../host/log/entry.ts";
import { HASH_BYTES, leafHash, nodeHash } from "../../../host/log/merkle.ts";
import { consistencyProof, inclusionProof, type TileSource, treeRoot } from "../../../host/log/tiles.ts";
import type { LogTerms } from "../../../host/objects/agreement.ts";
import { encodeLogProof, receiptToBeSigned } from "../../../host/objects/log-proof.ts";
import type { Signer } from "../../../host/protocol/cose.ts";

const TILE_HEIGHT = 8;

/** Of a tree of any number of leaves with this hash. */
function equalLeaves(leaf: Uint8Array): TileSource {
  const roots = [leaf];
  const rootOf = (height: number): Uint8Array => {
    while (roots.length <= height) roots.push(nodeHash(roots.at(-1)!, roots.at(-1)!));
    return roots[height]!;
  };
  return {
    tile: async (level, _index, width) => {
      const hashes = new Uint8Array(width * HASH_BYTES);
      for (let place = 0; place < width; place += 1) hashes.set(rootOf(TILE_HEIGHT * level), place * HASH_BYTES);
      return hashes;
    },
  };
}

export interface ProofWish {
  readonly type: LoggedType;
  readonly message: Uint8Array;
  readonly terms: LogTerms;
  readonly log: Signer;
  /** In the terms' order; as many cosign as the quorum takes. */
  readonly witnesses: readonly Signer[];
  /** Of the tree. */
  readonly size: number;
  readonly index: number;
  /** Of the head that the governor holds; 0: none. */
  readonly from: number;
  readonly seconds: number;
}

/** The proof as it goes to a governor, and what of it no proof can do without: hashes and signatures. */
export async function proofAt(wish: ProofWish): Promise<{ bytes: Uint8Array; root: Uint8Array; leastBytes: number }> {
  const { type, message, terms, log, size, index, from, seconds } = wish;
  const source = equalLeaves(leafHash(encodeEntry({ kind: "plain", type, message })));
  const root = await treeRoot(source, size);
  const body = checkpointBody({ origin: terms.log.name, size, root });
  const cosignatures = wish.witnesses.slice(0, terms.witnessQuorum).map((signer, witness) => {
    return { witness, seconds, signature: signer.sign(cosignatureMessage(body, seconds)) };
  });
  const path = await inclusionProof(source, index, size);
  const consistency = from > 0 && from < size ? await consistencyProof(source, from, size) : [];
  const bytes = encodeLogProof({
    kid: terms.log.kid,
    index,
    size,
    path,
    receiptSignature: log.sign(receiptToBeSigned(root)),
    root,
    checkpointSize: size,
    checkpointSignature: log.sign(Buffer.from(body)),
    cosignatures,
    consistency,
  });
  const signatures = 2 + cosignatures.length;
  return { bytes, root, leastBytes: (path.length + consistency.length + 1) * HASH_BYTES + signatures * 64 };
}
