/** Loops that turn too often are stopped by a trap: whatever else is done to a module, it does not hang. */
import { Op } from "./instructions.ts";
import type { Helper, Instrument } from "./instrument.ts";
import { signed, unsigned } from "./module.ts";

const EMPTY_BLOCK = 0x40;

/**
 * Called in each turn of a loop: counts it in one exported global, and traps where another allows no more. Globals begin at
 * zero: whoever makes an instance sets the second.
 */
export function turnHelper(instrument: Instrument, countName: string, mostName: string): Helper {
  const turns = instrument.global(countName);
  const most = instrument.global(mostName);
  const read = (global: number) => [Op.GLOBAL_GET, ...unsigned(global)];
  const code = [
    ...[...read(turns), Op.I64_CONST, ...signed(1n), Op.I64_ADD, Op.GLOBAL_SET, ...unsigned(turns)],
    ...[...read(turns), ...read(most), Op.I64_GT_U, Op.IF, EMPTY_BLOCK, Op.UNREACHABLE, Op.END],
  ];
  return { parameters: [], results: [], code };
}
