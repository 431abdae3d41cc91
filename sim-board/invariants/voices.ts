/** S9: who can make a gate move. A table of objects by their signers, each offered to the same board. */
import type { Board } from "../board.ts";
import { InvariantBroken } from "./broken.ts";
import { codeOf, requestOf } from "./flips.ts";

export type Voice = {
  /** Who signed, for people: "one party of three", "a stranger and a party". */
  who: string;
  command: number;
  object: Uint8Array;
  /** Whether these signers are enough. */
  mayMove: boolean;
};

/** Offers each object to the board as it stands now, and leaves the board so. @throws InvariantBroken */
export function checkVoices(board: Board, voices: readonly Voice[]): void {
  const before = board.snapshot();
  for (const { who, command, object, mayMove } of voices) {
    const gate = board.gateState;
    const code = codeOf(board.request(requestOf(command, object)));
    const moved = board.gateState !== gate;
    board.restore(before);
    if (code === 0 && !mayMove) throw new InvariantBroken("S9", `${who}: command ${command} was accepted`);
    if (moved && !mayMove) throw new InvariantBroken("S9", `${who}: command ${command} moved the gate`);
    if (code !== 0 && mayMove) {
      throw new InvariantBroken("S9", `${who}: command ${command} was refused with 0x${code.toString(16)}`);
    }
  }
}
