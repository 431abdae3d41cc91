/** Attacks on signatures and keys: too few, twice, taken apart, of small order, in two encodings. */

import { ObjectType } from "../../firmware/protocol/claims.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { CoseHeader } from "../../firmware/protocol/cose-labels.ts";
import { objectAad } from "../../host/objects/aad.ts";
import { encodeAgreement } from "../../host/objects/agreement.ts";
import { type CborValue, decode, encode, Tagged } from "../../host/protocol/cbor.ts";
import { draftSign, keyId, type Signer, signingRound } from "../../host/protocol/cose.ts";
import { agreementOf, PARTIES, type Rig, STRANGER } from "../rig.ts";
import type { Attack } from "./attack.ts";
import { distinct, nothingWorks } from "./proof.ts";

const LICENSE = Command.LICENSE;
const SIGNATURE_BYTES = 64;
const [NORTH, SOUTH, INSPECTORATE] = PARTIES as [Signer, Signer, Signer];
/** Order of the group and of the field of edwards25519 (RFC 8032 section 5.1). */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const P = 2n ** 255n - 19n;

/** Encodings of points of order 1, 2, 4 and 8, canonical and not: RFC 8032 section 5.1.3 decides which is which. */
const SMALL_ORDER: readonly Uint8Array[] = [
  little(1n),
  little(P - 1n),
  little(0n),
  little(2n ** 255n),
  little(0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd83d3d706a17c7n),
  little(0xfa03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd83d3d706a17c7n),
  little(0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027c2c28f95e826n),
  little(0x85fc536d880238b13933c6d305acdfd5f098eff289f4c345b027c2c28f95e826n),
];
const NOT_CANONICAL: readonly Uint8Array[] = [
  little(P),
  little(P + 1n),
  little(2n ** 255n + 1n),
  little(2n ** 255n + P),
];

function little(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

type Parts = [bodyProtected: Uint8Array, bodyHeader: CborValue, payload: Uint8Array, signatures: CborValue[][]];

/** A COSE_Sign taken apart. */
function partsOf(message: Uint8Array): Parts {
  return (decode(message) as Tagged).value as unknown as Parts;
}

function whole(parts: readonly CborValue[]): Uint8Array {
  return encode(new Tagged(98, parts));
}

/** The license with each signature changed. */
function resigned(license: Uint8Array, change: (signature: Uint8Array) => Uint8Array): Uint8Array {
  const [protectedBytes, header, payload, signatures] = partsOf(license);
  return whole([protectedBytes, header, payload, signatures.map(([a, b, s]) => [a!, b!, change(s as Uint8Array)])]);
}

/** An agreement with this key as one of its parties, "signed" by R = identity, S = 0: a loose check takes it for good. */
function agreementWith(publicKey: Uint8Array): Uint8Array {
  const weak = { kid: keyId(publicKey), publicKey, name: "weak" };
  const agreement = agreementOf();
  const payload = encodeAgreement({ ...agreement, parties: [...agreement.parties.slice(0, 2), weak] });
  const round = signingRound(draftSign(payload), objectAad(ObjectType.AGREEMENT));
  const forged = new Uint8Array(SIGNATURE_BYTES);
  forged[0] = 1;
  const signed = [NORTH, SOUTH].map(({ kid, sign }) => ({ kid, signature: sign(round.toBeSigned) }));
  return round.add([...signed, { kid: weak.kid, signature: forged }]);
}

function refused(rig: Rig, license: Uint8Array): string {
  const verdict = rig.verdict(LICENSE, license);
  nothingWorks(rig);
  return verdict;
}

export const KEYS: readonly Attack[] = [
  {
    name: "one-signature-too-few",
    who: "holder of one key too few",
    hope: "that one party's license counts where two must sign",
    defense: "exactly as many signatures as the quorum, each of another party",
    says: ["COSE_QUORUM"],
    run(bench) {
      const rig = bench.ready();
      return [refused(rig, rig.license({}, [NORTH]))];
    },
  },
  {
    name: "one-signer-twice",
    who: "holder of one key too few",
    hope: "to count twice",
    defense: "distinct keys count, not signatures",
    says: ["COSE_SIGNER_TWICE"],
    run(bench) {
      const rig = bench.ready();
      const [protectedBytes, header, payload, [first]] = partsOf(rig.license({}, [NORTH, SOUTH]));
      return [refused(rig, whole([protectedBytes, header, payload, [first!, first!]]))];
    },
  },
  {
    name: "a-stranger-fills-the-quorum",
    who: "holder of one key too few",
    hope: "that a key which nobody knows counts for a party's",
    defense: "a kid that the agreement does not name counts for nothing",
    says: ["COSE_QUORUM"],
    run(bench) {
      const rig = bench.ready();
      return [refused(rig, rig.license({}, [NORTH, STRANGER]))];
    },
  },
  {
    name: "a-stranger-under-a-known-kid",
    who: "holder of one key too few",
    hope: "that the kid is believed",
    defense: "the kid only says which key the signature is checked with",
    says: ["COSE_SIGNATURE"],
    run(bench) {
      const rig = bench.ready();
      return [refused(rig, rig.license({}, [NORTH, { ...STRANGER, kid: SOUTH.kid }]))];
    },
  },
  {
    name: "more-signatures-than-asked-for",
    who: "operator",
    hope: "to make judging cost more, or to hide one that does not hold among those that do",
    defense: "the surplus is refused before the first signature is looked at",
    says: ["COSE_SIGNATURES_SURPLUS"],
    run(bench) {
      const rig = bench.ready();
      return [refused(rig, rig.license({}, [NORTH, SOUTH, INSPECTORATE]))];
    },
  },
  {
    name: "cut-and-paste",
    who: "operator",
    hope: "to put payload and signatures of two good licenses together anew",
    defense: "each signature is over the whole payload, headers included",
    says: ["COSE_SIGNATURE"],
    run(bench) {
      const rig = bench.ready();
      const licenses = [rig.license({ sequence: 1n }), rig.license({ sequence: 2n })].map(partsOf);
      const before = rig.board.snapshot();
      const said: string[] = [];
      for (let choice = 1; choice < 7; choice++) {
        const [a, b, c] = [0, 1, 2].map((bit) => licenses[(choice >> bit) & 1]!);
        rig.board.restore(before);
        said.push(refused(rig, whole([a![0], a![1], a![2], [b![3][0]!, c![3][1]!]])));
      }
      return distinct(said);
    },
  },
  {
    name: "another-algorithm",
    who: "operator",
    hope: "to have the signature judged by a weaker rule, or by none",
    defense: "the protected header is one string of bytes: Ed25519 (-19)",
    says: ["COSE_ALGORITHM"],
    run(bench) {
      const rig = bench.ready();
      const [protectedBytes, header, payload, signatures] = partsOf(rig.license());
      const before = rig.board.snapshot();
      const said = [-8, -7, 5, 0].map((algorithm) => {
        rig.board.restore(before);
        const head = encode(new Map([[CoseHeader.ALGORITHM, algorithm]]));
        const other = signatures.map(([, kid, signature]) => [head, kid!, signature!]);
        return refused(rig, whole([protectedBytes, header, payload, other]));
      });
      return distinct(said);
    },
  },
  {
    name: "signature-in-another-spelling",
    who: "operator",
    hope: "a second good signature from a known one (S + L), so that one license is two",
    defense: "S < L, and R in its one encoding (RFC 8032 section 5.1.7)",
    says: ["COSE_SIGNATURE"],
    run(bench) {
      const rig = bench.ready();
      const license = rig.license();
      const before = rig.board.snapshot();
      const changes = [
        (signature: Uint8Array) => {
          const s = little(numberOf(signature.subarray(32)) + L);
          return Uint8Array.of(...signature.subarray(0, 32), ...s);
        },
        ...NOT_CANONICAL.map((r) => () => Uint8Array.of(...r, ...new Uint8Array(32))),
      ];
      const said = changes.map((change) => {
        rig.board.restore(before);
        return refused(rig, resigned(license, change));
      });
      return distinct(said);
    },
  },
  {
    name: "party-with-a-key-of-small-order",
    who: "operator",
    hope: "a party whose signature anybody can make",
    defense: "a key of small order, or not in its one encoding, signs nothing",
    says: ["COSE_SIGNATURE"],
    run(bench) {
      const rig = bench.made();
      rig.board.powerOn();
      const before = rig.board.snapshot();
      const said = [...SMALL_ORDER, ...NOT_CANONICAL].map((key) => {
        rig.board.restore(before);
        return rig.verdict(Command.AGREEMENT, agreementWith(key));
      });
      return distinct(said);
    },
  },
  {
    name: "agreement-of-ones-own",
    who: "operator",
    hope: "to provision the board anew under an agreement with the operator as its only party",
    defense: "once fused, an agreement is changed by its own amend quorum only",
    says: ["COSE_QUORUM"],
    run(bench) {
      const rig = bench.ready();
      const mine = { kid: STRANGER.kid, publicKey: STRANGER.publicKey, name: "me" };
      const quorums = { license: 1, pause: 1, resume: 1, update: 1, amend: 1 };
      const payload = encodeAgreement(agreementOf({ version: 2, parties: [mine], quorums }));
      const round = signingRound(draftSign(payload), objectAad(ObjectType.AGREEMENT));
      const signature = STRANGER.sign(round.toBeSigned);
      const signed = [STRANGER.kid, new Uint8Array(8)].map((kid) => ({ kid, signature }));
      return [rig.verdict(Command.AGREEMENT, round.add(signed))];
    },
  },
];
