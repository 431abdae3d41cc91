/** The three sides of the books, class by class: what was licensed, what the accelerator did, what was reported. */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import type { VerifierFacts } from "./result.ts";
import type { Site } from "./site.ts";
import { type Account, signedBy } from "./verifiers.ts";

export type BooksLine = {
  engineClass: number;
  /** By the verifier: issued, less what came back unused, and drains. */
  licensed: bigint;
  /** By the accelerator's own count since manufacture. */
  done: bigint;
  /** By the governor's signed reports. */
  reported: bigint;
};

/** By one verifier's own books: classes that did or were licensed anything. */
export function booksOf({ board }: Site, { books }: Account): BooksLine[] {
  return books
    .map((row) => ({ ...row, done: board.accelerator.lifetimeOf(row.engineClass) }))
    .filter(({ licensed, done, reported }) => licensed !== 0n || done !== 0n || reported !== 0n);
}

export function isBalanced(books: readonly BooksLine[]): boolean {
  return books.every(({ licensed, done, reported }) => licensed === done && done === reported);
}

/** What each verifier had to do with it. */
export function verifierFacts(site: Site, accounts: readonly Account[]): VerifierFacts[] {
  const signers = site.recorder.licenses.map((license) => signedBy(license, site.agreement));
  return accounts.map((account) => {
    const { name, parties, tellsTime } = account.host;
    return {
      name,
      parties,
      tellsTime,
      licensesSigned: signers.filter((names) => names.some((signer) => parties.includes(signer))).length,
      reportsTaken: account.reportsTaken,
      booksAgree: isBalanced(booksOf(site, account)),
    };
  });
}

/** Work of each class that was ever done. */
export function doneByAll(site: Site): bigint[] {
  return Array.from({ length: EngineClass.COUNT }, (_, c) => site.board.accelerator.lifetimeOf(c));
}
