/** Where the time goes from reset to a challenge: the medians of many boots of one board, step by step. */
import { BootProgress } from "../firmware/protocol/board.ts";
import { Command } from "../firmware/protocol/commands.ts";
import type { Board } from "./board.ts";
import { runBootRom } from "./boot-rom.ts";
import { WatchedImage } from "./boot-watch.ts";
import { array, integer } from "./cbor.ts";
import { BoardError } from "./errors.ts";
import { halOf } from "./hal.ts";

/** What comes before the governor's first instruction, and after its last step. */
export type BootStage = "memory" | "rom" | number | "challenge";

export type BootProfile = {
  boots: number;
  /** In order; a number is a `BootProgress`. Medians in microseconds. */
  stages: { stage: BootStage; us: number }[];
  /** Median of the whole, in microseconds. */
  totalUs: number;
};

/**
 * Boots the image again and again on the parts of a board that is off, and asks for a time challenge each time.
 * `nowNs` reads a clock. @throws BoardError if a boot comes to no challenge.
 */
export function profileBoot(board: Board, boots: number, nowNs: () => bigint): BootProfile {
  if (board.on) throw new BoardError("board/on", "boots are profiled on a board without power");
  const hal = halOf(board, () => {});
  const watched = new WatchedImage(board.image, hal);
  const request = array(integer(Command.TIME_CHALLENGE));
  const stages: BootStage[] = [
    "rom",
    "memory",
    ...Array.from({ length: BootProgress.READY }, (_, i) => i),
    "challenge",
  ];
  const times = stages.map((): number[] => []);
  const totals: number[] = [];
  for (let boot = 0; boot < boots; boot++) {
    const marks: bigint[] = [];
    const mark = () => void marks.push(nowNs());
    board.fuses.reset();
    mark();
    const handoff = runBootRom(board.fuses, board.image.sha256);
    mark();
    const governor = watched.governor(hal, mark);
    governor.boot(handoff);
    const answer = governor.doorbell(request);
    mark();
    // An answer is an array; its first item is the code.
    if (marks.length !== stages.length + 1 || answer[1] !== 0) {
      throw new BoardError(
        "board/hung",
        `boot ${boot + 1} ended before a challenge: ${marks.length} of its marks came`,
      );
    }
    for (const [i, list] of times.entries()) list.push(Number(marks[i + 1]! - marks[i]!) / 1000);
    totals.push(Number(marks.at(-1)! - marks[0]!) / 1000);
  }
  return {
    boots,
    stages: stages.map((stage, i) => ({ stage, us: median(times[i]!) })),
    totalUs: median(totals),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}
