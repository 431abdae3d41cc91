/**
 * What an operation on flash that loses its power leaves behind.
 *
 * Makers leave open in which order a part programs the bytes of its page buffer, so what a cut page holds may be its
 * first bytes or its last. An erase raises all cells of a sector at once: cut short, some have risen and some have not.
 * Some parts program a sector to zeros before, from its end (Spansion S29GL512N: Linux commit 83c2099f5e1f, "UBI: fix
 * NOR flash recovery"). And a cell whose charge was moved halfway is read either way, differently from one read to the
 * next, and settles later ("unstable bits": Linux MTD, documentation of UBIFS).
 */
import type { Random } from "../random.ts";

export type TearOrder = "front" | "back" | "even" | "zeros";
export type Tear = {
  /** Done are the first bytes, the last ones, or cells anywhere. `zeros`: an erase that came no further than its zeros. */
  readonly order: TearOrder;
  /** A cell under way ends as one or the other there and then, or wavers between both. */
  readonly cells: "settle" | "waver";
};

/**
 * Changes `cells` toward `target` as if the power went after `whole` of the bytes. A program lowers bits, one byte at a
 * time; an erase raises bits, all those at once that are not done. The masks of the cells that waver; in `cells` these
 * are ones.
 */
export function changeTorn(
  cells: Uint8Array,
  target: Uint8Array,
  whole: number,
  { order, cells: end }: Tear,
  random: Random,
): Uint8Array {
  const length = cells.length;
  const masks = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const turn = order === "back" || order === "zeros" ? length - 1 - i : i;
    const moving = cells[i]! ^ target[i]!;
    if (moving === 0) continue;
    const rises = (moving & target[i]!) !== 0;
    let moved = 0;
    let between = 0;
    if (order === "even") {
      moved = moving & bitsDrawn(whole, length, random);
      between = moving & ~moved & bitsDrawn(whole, length, random);
    } else if (turn < whole) moved = moving;
    else if (turn === whole || rises) between = moving;
    if (end === "settle") {
      moved |= between & random.u32();
      between = 0;
    }
    cells[i] = (cells[i]! ^ moved) | between;
    masks[i] = between;
  }
  return masks;
}

/** A byte each of whose bits is set in `part` of `whole` cases. */
function bitsDrawn(part: number, whole: number, random: Random): number {
  let bits = 0;
  for (let bit = 0; bit < 8; bit++) if (random.below(whole) < part) bits |= 1 << bit;
  return bits;
}
