/** Simulated milliseconds and agreement time. */
import type { Ms } from "./queue.ts";

/** 2026-01-01T00:00:00Z, as boards begin (sim-board/board.ts). */
const START_SECONDS = 1_767_225_600;

/** What an honest clock says, in whole seconds. */
export function secondsAt(ms: Ms): number {
  return START_SECONDS + Math.floor(ms / 1000);
}
