import fc from "fast-check";
import { expect, test } from "vitest";
import { steps, Walk } from "./walk.ts";

/** More of them by `QUIESCE_WALKS`; the time they may take grows with them. */
const WALKS = Number(process.env.QUIESCE_WALKS ?? 120);
const TIMEOUT_MS = 60_000 + 500 * WALKS;

test(
  "whatever an operator does in whatever order, no invariant breaks and no input hangs the governor",
  () => {
    let taken = 0;
    fc.assert(
      fc.property(fc.string({ maxLength: 4 }), steps, (seed, walk) => {
        const board = new Walk(seed);
        for (const step of walk) {
          board.take(step);
          taken++;
        }
        expect(board.rig.board.invariants!.broken).toEqual([]);
      }),
      { numRuns: WALKS, endOnFailure: false },
    );
    process.stderr.write(`${taken} steps\n`);
  },
  TIMEOUT_MS,
);
