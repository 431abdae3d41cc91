/** The governor off its board, where tests look for it. */
import { Limit } from "../../firmware/protocol/limits.ts";
import { readJournal } from "../../host/cli/journal.ts";
import type { Rig } from "../rig.ts";

export * from "../../attack/bare-governor.ts";

/** Bytes under the tag of a journal record, as the rig's own flash shows them. */
export function recordBytes(rig: Rig): number {
  return readJournal(rig.board.flash).at(-1)!.bytes - Limit.DIGEST_BYTES;
}
