/** `quiesce board run`: one honest board runs a whole workload under licenses, and the books are compared. */
import type { Command } from "commander";
export function addBoardRun(parent: Command): void {
  void parent;
}
