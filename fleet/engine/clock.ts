/** Simulated milliseconds and agreement time. */
import { START_SECONDS } from "../../sim-board/board.ts";
import type { Ms } from "./queue.ts";

/** What an honest clock says, in whole seconds. */
export function secondsAt(ms: Ms): number {
  return START_SECONDS + Math.floor(ms / 1000);
}
