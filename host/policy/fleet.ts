/** A fleet as people write it: `100000xH100`, `512xB200,64xMI300X`, `16xchip@1e15FLOP/s`. */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { PolicyError } from "./errors.ts";
import { parseQuantity } from "./quantity.ts";

/** What one board can do at most, in operations or bytes per second: 0 for what it lacks; unknown for a class not in it. */
export interface BoardKind {
  readonly name: string;
  readonly peakPerSecond: ReadonlyMap<EngineClass, bigint>;
}

export interface FleetGroup {
  readonly boards: bigint;
  readonly board: BoardKind;
}

export type Fleet = readonly FleetGroup[];

const GROUPS_MAX = 32;
const BOARDS_MAX = 10n ** 9n;
const TEXT_CHARACTERS_MAX = 2048;

/** Groups apart by commas; `boardKind` knows the boards by name. Throws a `PolicyError` (`policy/fleet`). */
export function parseFleet(text: string, boardKind: (name: string) => BoardKind | undefined, known: string): Fleet {
  const parts = text.split(",");
  if (text.length > TEXT_CHARACTERS_MAX || parts.length > GROUPS_MAX) {
    throw new PolicyError("policy/fleet", "fleet", text, `has over ${GROUPS_MAX} groups or is too long`);
  }
  return parts.map((part) => {
    const found = /^([0-9][0-9.eE]*)[x×]([A-Za-z][A-Za-z0-9-]{0,31})(?:@([^@]+))?$/.exec(part.trim());
    if (!found) throw new PolicyError("policy/fleet", "fleet", part, "must be like 100000xH100 or 16xchip@1e15FLOP/s");
    const [, count = "", name = "", rate] = found;
    const boards = parseQuantity(count, "ticks", "number of boards");
    if (boards < 1n || boards > BOARDS_MAX) {
      throw new PolicyError("policy/fleet", "number of boards", count, `must be 1 to ${BOARDS_MAX}`);
    }
    if (rate !== undefined) return { boards, board: ratedBoard(name, rate) };
    const board = boardKind(name.toLowerCase());
    if (!board) throw new PolicyError("policy/fleet", "board", name, `must be one of ${known}, or NAME@RATE`);
    return { boards, board };
  });
}

/** A board of which only its rate of 16-bit operations is known. */
function ratedBoard(name: string, rate: string): BoardKind {
  const perSecond = parseQuantity(rate, "operationsPerSecond", `rate of ${name}`);
  if (perSecond < 1n) throw new PolicyError("policy/fleet", `rate of ${name}`, rate, "must be at least 1FLOP/s");
  return { name, peakPerSecond: new Map([[EngineClass.TENSOR_BF16, perSecond]]) };
}
