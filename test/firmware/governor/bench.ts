/** What the governor's tests do again and again: cut the power everywhere, re-sign what an encoder would refuse. */

import { goesOn, life, losesPower } from "../../../attack/life.ts";
import type { ObjectType } from "../../../firmware/protocol/claims.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { CoseTag } from "../../../firmware/protocol/cose-labels.ts";
import { objectAad } from "../../../host/objects/aad.ts";
import { signQuorum } from "../../../host/objects/quorum.ts";
import { type CborValue, decode, encode, type Tagged } from "../../../host/protocol/cbor.ts";
import { type Signer, signSign1 } from "../../../host/protocol/cose.ts";
import type { BoardSnapshot } from "../../../sim-board/board.ts";
import { PARTIES, phaseOf, Rig } from "../../rig.ts";

export { goesOn, life, losesPower };

export type ClaimMap = Map<CborValue, CborValue>;

/** The payload of a COSE message as a map that can be changed. */
function claimsOf(message: Uint8Array): ClaimMap {
  const tagged = decode(message) as Tagged;
  return new Map(decode((tagged.value as CborValue[])[2] as Uint8Array) as ClaimMap);
}

/** Any payload, signed as this type of object: a COSE_Sign, or with `single` a COSE_Sign1. */
function signedAs(type: ObjectType, payload: CborValue, signers: readonly Signer[], single = false): Uint8Array {
  const bytes = encode(payload);
  return single ? signSign1(bytes, signers[0]!, objectAad(type)) : signQuorum(bytes, signers, objectAad(type));
}

/** The same object with its claims changed, signed anew: for what the host's own encoders refuse to write. */
export function altered(
  message: Uint8Array,
  type: ObjectType,
  change: (claims: ClaimMap) => void,
  signers: readonly Signer[] = PARTIES.slice(0, 2),
): Uint8Array {
  const claims = claimsOf(message);
  change(claims);
  return signedAs(type, claims, signers, (decode(message) as Tagged).tag === CoseTag.SIGN1);
}

/** A board at work under a license: a phase of an hour runs, half a minute of it is done. */
export function working(): Rig {
  const rig = Rig.open();
  rig.board.submit(phaseOf(3600));
  rig.board.advance(30);
  return rig;
}

/** Takes a report a slice period, for each writes a record, until the counter has made so many steps or the gate locks. */
export function wear(rig: Rig, steps: number): void {
  const sliceSeconds = Number(rig.agreement.sliceTicks) / rig.agreement.tickHz;
  for (let i = 0; i < 10_000 && rig.board.counter.read() < steps; i++) {
    rig.board.advance(sliceSeconds);
    if (rig.send(Command.REPORT) !== 0) return;
  }
}

/**
 * Runs `act` on the rig as it stands, first with the power cut at its first operation, then at its second, and so on
 * until it gets through; `after` sees the board without power each time. Returns the number of cuts.
 */
export function cutEverywhere(
  rig: Rig,
  act: () => void,
  after: (cut: number) => void,
  from = rig.board.snapshot(),
): number {
  for (let cut = 0; ; cut++) {
    rig.board.restore(from);
    rig.board.supply.cutAfterOperations(cut);
    const lost = losesPower(act) || !rig.board.on;
    rig.board.supply.clear();
    if (!lost) return cut;
    after(cut);
  }
}

/** The same by bytes of flash: `act` is cut at every `step`-th byte that it programs or erases. */
export function cutFlashEverywhere(
  rig: Rig,
  act: () => void,
  after: (bytes: number) => void,
  step: number,
  from: BoardSnapshot = rig.board.snapshot(),
): number {
  for (let cut = 0; ; cut++) {
    rig.board.restore(from);
    rig.board.supply.cutAfterFlashBytes(cut * step);
    const lost = losesPower(act) || !rig.board.on;
    rig.board.supply.clear();
    if (!lost) return cut;
    after(cut * step);
  }
}
