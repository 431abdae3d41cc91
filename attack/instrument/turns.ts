/** A bound on the turns of all loops of a module: what hangs is stopped by a trap, and can be told apart from one. */
import { Op } from "./instructions.ts";
import type { Instrument } from "./instrument.ts";
import { unsigned } from "./module.ts";

const EMPTY_BLOCK = 0x40;

/** Index of a function to call in every turn: it counts in the global `turns`, and traps above the global `turnsMax`. */
export function turnHelper(instrument: Instrument, prefix = ""): number {
  const turns = unsigned(instrument.global(`${prefix}turns`));
  const most = unsigned(instrument.global(`${prefix}turnsMax`));
  const code = [
    ...[Op.GLOBAL_GET, ...turns, Op.I64_CONST, 1, Op.I64_ADD, Op.GLOBAL_SET, ...turns],
    ...[Op.GLOBAL_GET, ...turns, Op.GLOBAL_GET, ...most, Op.I64_GT_U, Op.IF, EMPTY_BLOCK, Op.UNREACHABLE, Op.END],
  ];
  return instrument.helper({ parameters: [], results: [], code });
}
