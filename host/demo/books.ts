/** The three sides of the books, class by class: what was licensed, what the accelerator did, what was reported. */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import type { Site } from "./site.ts";

export type BooksLine = {
  engineClass: number;
  /** By the verifier: issued, less what came back unused, and drains. */
  licensed: bigint;
  /** By the accelerator's own count since manufacture. */
  done: bigint;
  /** By the governor's signed reports. */
  reported: bigint;
};

/** Classes that did or were licensed anything. */
export function booksOf({ verifier, board, ueid }: Site): BooksLine[] {
  return verifier
    .books(ueid)
    .map((row) => ({ ...row, done: board.accelerator.lifetimeOf(row.engineClass) }))
    .filter(({ licensed, done, reported }) => licensed !== 0n || done !== 0n || reported !== 0n);
}

export function isBalanced(books: readonly BooksLine[]): boolean {
  return books.every(({ licensed, done, reported }) => licensed === done && done === reported);
}

/** Work of each class that was ever done. */
export function doneByAll(site: Site): bigint[] {
  return Array.from({ length: EngineClass.COUNT }, (_, c) => site.board.accelerator.lifetimeOf(c));
}
