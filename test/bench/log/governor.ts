/**
 * What it costs the governor that a license must be public: the license with its log proof, in logs of 2^10, 2^20 and 2^30
 * entries that it saw a few entries ago (the longest consistency proofs are those), beside the same license under an
 * agreement without a log. The proof's bytes stand in the name. All but a few of the entries are the same leaf, so no tree
 * has to be built.
 */
import { ObjectType } from "../../../firmware/protocol/claims.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { encode } from "../../../host/protocol/cbor.ts";
import { BenchLog, logTermsOf } from "../../log.ts";
import { Rig } from "../../rig.ts";
import { LONG_LIFE } from "../boot.ts";
import type { Case } from "../frame.ts";

/** Entries since the governor saw the log last. */
const SINCE = 7;

const OPTIONS = { ...LONG_LIFE, invariants: false };

/** For each of these powers of two of entries. */
export function governorCases(exponents: readonly number[]): Case[] {
  return exponents.map(caseOf);
}

function caseOf(exponent: number): Case {
  const bare = installing(Rig.ready({}, OPTIONS), (rig) => [rig.license()]);
  const rig = Rig.ready({ log: logTermsOf() }, OPTIONS);
  const log = new BenchLog(2 ** exponent - SINCE - 1);
  sees(rig, log);
  for (let i = 1; i < SINCE; i++) log.appendEntry(Uint8Array.of(i));
  let proofBytes = 0;
  const logged = installing(rig, () => {
    const license = rig.license();
    const proof = log.prove(rig, ObjectType.LICENSE, license);
    proofBytes = proof.length;
    return [license, proof];
  });
  return {
    name: `license with a proof of ${proofBytes.toLocaleString("en-US")} B, 2^${exponent} entries`,
    ours: logged,
    against: "without a log",
    theirs: bare,
  };
}

/** The governor accepts a license of this log, whose tree later ones must continue. */
function sees(rig: Rig, log: BenchLog): void {
  const license = rig.license({ ticksMax: 1n });
  rig.must(rig.send(Command.LICENSE, license, log.prove(rig, ObjectType.LICENSE, license)));
  rig.board.advance(1);
}

/** Installs the same again and again, each time on the board as it is now. */
function installing(rig: Rig, objectsOf: (rig: Rig) => readonly Uint8Array[]): () => void {
  const request = encode([Command.LICENSE, ...objectsOf(rig)]);
  const before = rig.board.snapshot();
  return () => {
    rig.board.restore(before);
    const [code] = rig.board.request(request).subarray(1);
    if (code !== 0) throw new Error("the license was refused");
  };
}
