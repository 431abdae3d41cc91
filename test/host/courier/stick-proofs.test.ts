/** Which of a stick's log proofs a board is given, by the tree that it holds; and documents of where boards stand. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { standingsFile, standingsOf, TREES_MAX } from "../../../host/courier/documents.ts";
import { standingOf } from "../../../host/courier/office-proofs.ts";
import { bytesMaxOf, proofFile, STANDINGS, type Stick } from "../../../host/courier/stick.ts";
import { StickProofs } from "../../../host/courier/stick-proofs.ts";
import { decodeLogProof, encodeLogProof, type LogProof, withoutHistory } from "../../../host/objects/log-proof.ts";
import { Refusal } from "../../../host/protocol/refusal.ts";
import { anyLogProof } from "../objects/arbitrary.ts";

const MESSAGE = Uint8Array.of(1, 2, 3);
const DIGEST = new Uint8Array(32);

function proofOf(size: number, consistency: number): LogProof {
  return {
    kid: new Uint8Array(8),
    index: 1,
    size,
    path: [DIGEST],
    receiptSignature: new Uint8Array(64),
    root: DIGEST,
    checkpointSize: size,
    checkpointSignature: new Uint8Array(64),
    cosignatures: [],
    consistency: Array.from({ length: consistency }, () => DIGEST),
  };
}

function stickOf(...proofs: readonly [from: number, size: number][]): Stick {
  const files = proofs.map(([from, size]) => {
    return [proofFile(MESSAGE, from), encodeLogProof(proofOf(size, from === 0 ? 0 : from))] as const;
  });
  return { direction: "to-site", files: new Map(files) };
}

/** Size and length of the history of what a board that holds this tree is given, or the code of the refusal. */
function given(stick: Stick, held: bigint): [size: number, history: number] | ErrorCode {
  try {
    const { size, consistency } = decodeLogProof(new StickProofs(stick).of(MESSAGE, { size: held, root: DIGEST }));
    return [size, consistency.length];
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

describe("of the proofs on a stick", () => {
  const stick = stickOf([4, 9], [6, 9]);

  // biome-ignore format: a table, one row a case
  const CASES: readonly [what: string, held: bigint, expected: ReturnType<typeof given>][] = [
    ["with its history, to a board that holds the tree where it starts", 4n, [9, 4]],
    ["with that of a later stick, to a board that took this one", 6n, [9, 6]],
    ["without history, to a board that another proof of this stick has led there", 9n, [9, 0]],
    ["without history, to a board that holds no tree, since it was amended or recovered", 0n, [9, 0]],
    ["not at all, to a board that has seen a later tree", 10n, ErrorCode.LOG_ROLLED_BACK],
    ["not at all, to a board that holds a tree where none starts", 5n, ErrorCode.LOG_FORKED],
  ];
  it.each(CASES)("one is given %s", (_what, held, expected) => {
    expect(given(stick, held)).toEqual(expected);
  });

  it("the one to the newest tree is given where two start from what the board holds", () => {
    expect(given(stickOf([4, 9], [9, 12]), 9n)).toEqual([12, 9]);
  });

  it("none is given for another message, nor one that is none", () => {
    const other = { ...stick, files: new Map([...stick.files].map(([, bytes]) => [proofFile(DIGEST, 4), bytes])) };
    expect(given(other, 4n)).toBe(ErrorCode.LOG_PROOF_MISSING);
    const broken = { ...stick, files: new Map([[proofFile(MESSAGE, 4), Uint8Array.of(0x80)]]) };
    expect(given(broken, 4n)).toBe(ErrorCode.LOG_PROOF_FORM);
  });

  it("each has a name that belongs on a stick to a site, and no more bytes than a message", () => {
    expect(bytesMaxOf(proofFile(MESSAGE, Number.MAX_SAFE_INTEGER), "to-site")).toBe(4096);
    expect(bytesMaxOf(proofFile(MESSAGE, 0), "to-verifiers")).toBeUndefined();
  });
});

describe("a log proof without history", () => {
  it("is the same proof in all else", () => {
    fc.assert(
      fc.property(anyLogProof, (proof) => {
        expect(decodeLogProof(withoutHistory(encodeLogProof(proof)))).toEqual({ ...proof, consistency: [] });
      }),
    );
  });
});

describe("standings", () => {
  const ueid = "01".repeat(33);
  const standing = { agreementVersion: 2, epoch: 3, trees: [4, 6] };
  const stickWith = (document: unknown): Stick => {
    return { direction: "to-site", files: new Map([[STANDINGS, Buffer.from(JSON.stringify(document))]]) };
  };

  it("come back as they were written", () => {
    const standings = new Map([[ueid, standing]]);
    const stick: Stick = { direction: "to-site", files: new Map([[STANDINGS, standingsFile(standings)]]) };
    expect(standingsOf(stick)).toEqual(standings);
    expect(standingsOf({ direction: "to-site", files: new Map() }).size).toBe(0);
  });

  it("are of what evidence says, with the later trees that proofs on the stick lead to, and of no tree past 2^53", () => {
    const stick = stickOf([0, 3], [4, 9], [5, 9], [6, 12]);
    const of = (size: bigint) => standingOf({ agreementVersion: 2, epoch: 3, logHead: { size, root: DIGEST } }, stick);
    expect(of(4n)).toEqual({ agreementVersion: 2, epoch: 3, trees: [4, 9, 12] });
    expect(of(12n)!.trees).toEqual([12]);
    expect(of(2n ** 53n)).toBeUndefined();
    expect(standingOf({ agreementVersion: 1, epoch: 0 }, stick)).toBeUndefined();
  });

  it("name the evidence's tree and the newest, where there are too many", () => {
    const proofs = Array.from({ length: 20 }, (_, i): [number, number] => [i, 100 + i]);
    const standing = standingOf(
      { agreementVersion: 1, epoch: 0, logHead: { size: 1n, root: DIGEST } },
      stickOf(...proofs),
    );
    expect(standing!.trees).toEqual([1, ...Array.from({ length: TREES_MAX - 1 }, (_, i) => 120 - TREES_MAX + 1 + i)]);
  });

  // biome-ignore format: a table, one row a case
  const BAD: readonly [what: string, document: unknown][] = [
    ["that are of no board", { hall: standing }],
    ["that are a number", { [ueid]: 1 }],
    ["without a tree", { [ueid]: { ...standing, trees: [] } }],
    ["of too many trees", { [ueid]: { ...standing, trees: Array.from({ length: TREES_MAX + 1 }, (_, i) => i) } }],
    ["of a tree of less than nothing", { [ueid]: { ...standing, trees: [-1] } }],
    ["of a tree that no double can count", { [ueid]: { ...standing, trees: [2 ** 53] } }],
    ["without an epoch", { [ueid]: { ...standing, epoch: undefined } }],
    ["of a version that is text", { [ueid]: { ...standing, agreementVersion: "2" } }],
  ];
  it.each(BAD)("%s are refused", (_what, document) => {
    expect(() => standingsOf(stickWith(document))).toThrow(/^stick\/content: standings\.json/);
  });
});
