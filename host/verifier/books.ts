/**
 * The books of a device: what it was licensed, against what it reports. Licensed is what was issued less what came back
 * unused when a license was replaced; work on a drain or baseline allowance is licensed by that allowance.
 *
 * Between evidence and the next license's installation the old license may go on. The evidence after says how much of the
 * new budget is used, so the rest of what was done was the old license's, and that of licenses which were installed in
 * between and replaced before any evidence was shown.
 */

import type { EngineClass } from "../../firmware/protocol/classes.ts";
import type { Agreement } from "../objects/agreement.ts";
import type { Evidence } from "../objects/evidence.ts";
import type { License } from "../objects/license.ts";
import { type AllWork, allWork, mostWork, noWork, sumWork, type WorkByClass, workBetween } from "../objects/work.ts";
import { hexOf, sameBytes } from "./bytes.ts";

export interface DeviceBooks {
  /** Sequence of the license that is installed; 0 before the first. */
  readonly licenseSequence: bigint;
  /**
   * Newest sequence that was issued when the newest evidence was judged. Of the licenses up to it only those that answer no
   * challenge, or the one of that evidence, can still be installed.
   */
  readonly sequenceIssued: bigint;
  /** The device's challenge in that evidence: it lasts until a license is installed, a power cut or a back-off. */
  readonly challenge?: Uint8Array;
  readonly budget: AllWork;
  readonly left: AllWork;
  /** Totals when the license that is installed began. */
  readonly totalsAtStart: AllWork;
  /** Totals of the newest evidence. */
  readonly totals: AllWork;
  /** Work under the licenses before. */
  readonly closed: AllWork;
  /** Of it, the part that their budgets do not cover. */
  readonly beyondBudget: AllWork;
  /** Drain and baseline allowances of all licenses so far. */
  readonly allowance: AllWork;
}

export interface BooksRow {
  readonly engineClass: EngineClass;
  readonly licensed: bigint;
  readonly reported: bigint;
}

/** What the books need of a license. */
export type LicenseTerms = Pick<License, "sequence" | "budget" | "drain" | "nonce">;

/** Books of a device that did nothing yet. */
export function openBooks(agreement: Agreement): DeviceBooks {
  return {
    licenseSequence: 0n,
    sequenceIssued: 0n,
    budget: noWork(),
    left: noWork(),
    totalsAtStart: noWork(),
    totals: noWork(),
    closed: noWork(),
    beyondBudget: noWork(),
    allowance: allowanceOf(undefined, agreement),
  };
}

/** Licenses that a device was given since its newest evidence: which of them it installed in turn. */
export interface Installed {
  /** The one that the evidence speaks of. */
  readonly license: LicenseTerms;
  /** Those with a sequence between that of the books and this one, as far as they were issued. */
  readonly between: readonly LicenseTerms[];
}

/**
 * The books as of this evidence. `installed` if the license is not the one of the books any more. `sequenceIssued`: the
 * newest sequence that was issued by now.
 */
export function settleBooks(
  books: DeviceBooks,
  evidence: Evidence,
  installed: Installed | undefined,
  sequenceIssued: bigint,
  agreement: Agreement,
): DeviceBooks {
  const seen = { totals: evidence.totals, left: evidence.budgetLeft, sequenceIssued, challenge: evidence.challenge };
  if (installed === undefined) return { ...books, ...seen };
  const { license } = installed;
  const before = coverBetween(installed, books, agreement);
  const budgetOfOld = before.reduce((sum, cover) => sumWork(sum, cover.budget), books.budget);
  const budget = allWork(license.budget);
  const sinceBefore = workBetween(books.totals, evidence.totals);
  const usedOfNew = workBetween(evidence.budgetLeft, budget).map((used, c) => least(used, sinceBefore[c]!));
  const totalsAtStart = workBetween(usedOfNew, evidence.totals);
  const usedOfOld = workBetween(books.totalsAtStart, totalsAtStart);
  return {
    ...seen,
    licenseSequence: license.sequence,
    budget,
    totalsAtStart,
    closed: sumWork(books.closed, usedOfOld),
    beyondBudget: books.beyondBudget.map((beyond, c) => beyond + positive(usedOfOld[c]! - budgetOfOld[c]!)),
    allowance: before.reduce<AllWork>(
      (sum, { allowance }) => sumWork(sum, allowance),
      sumWork(books.allowance, allowanceOf(license.drain, agreement)),
    ),
  };
}

/** What a license adds to what is covered. */
interface Cover {
  readonly budget: AllWork;
  readonly allowance: AllWork;
}

const NOTHING: Cover = { budget: noWork(), allowance: noWork() };

/** Of the licenses in between, those that the device can have installed; of several on one challenge the most of any. */
function coverBetween({ license, between }: Installed, books: DeviceBooks, agreement: Agreement): Cover[] {
  const covers = new Map<string, Cover>();
  for (const { sequence, nonce, budget, drain } of between) {
    const isOver = nonce && sequence <= books.sequenceIssued && !isSame(nonce, books.challenge);
    if (isOver || (nonce && isSame(nonce, license.nonce))) continue;
    const name = nonce ? hexOf(nonce) : `offline ${sequence}`;
    const other = covers.get(name) ?? NOTHING;
    covers.set(name, {
      budget: mostWork(other.budget, allWork(budget)),
      allowance: mostWork(other.allowance, allowanceOf(drain, agreement)),
    });
  }
  return [...covers.values()];
}

/** Books after a recovery: whatever may have been done counts as done, and nothing is left. */
export function recoverBooks(books: DeviceBooks, totals: AllWork, licenseSequence: bigint): DeviceBooks {
  const nothing = noWork();
  return {
    ...books,
    licenseSequence,
    sequenceIssued: licenseSequence,
    challenge: undefined,
    budget: nothing,
    left: nothing,
    totalsAtStart: totals,
    totals,
    closed: totals,
  };
}

/** The most that the device can have done by now, if everything that was issued was used. */
export function worstCase(books: DeviceBooks, pending: readonly LicenseTerms[], agreement: Agreement): bigint[] {
  const installed = sumWork(sumWork(books.totals, books.left), allowanceOf(agreement.drain, agreement));
  return withAll(installed, pending, agreement);
}

/** The same from these totals on, where nothing is installed. */
export function withAll(totals: AllWork, pending: readonly LicenseTerms[], agreement: Agreement): bigint[] {
  return pending.reduce<bigint[]>(
    (sum, license) => sumWork(sumWork(sum, allWork(license.budget)), allowanceOf(license.drain, agreement)),
    [...totals],
  );
}

/** What is licensed so far: work done, as far as budgets and allowances cover it. */
export function licensedWork(books: DeviceBooks): bigint[] {
  const overrun = overrunOf(books);
  return books.closed.map((closed, c) => {
    const spent = books.budget[c]! - books.left[c]!;
    const done = books.totals[c]! - books.totalsAtStart[c]!;
    return closed + (done > spent ? done : spent) - overrun[c]!;
  });
}

/** Work that no budget and no allowance covers. */
export function overrunOf(books: DeviceBooks): bigint[] {
  return books.beyondBudget.map((beyond, c) => {
    const spent = books.budget[c]! - books.left[c]!;
    const done = books.totals[c]! - books.totalsAtStart[c]!;
    return positive(beyond + positive(done - spent) - books.allowance[c]!);
  });
}

/** What is allowed beyond a budget: the license's drain, and the baseline, which every license renews. */
function allowanceOf(drain: WorkByClass | undefined, agreement: Agreement): bigint[] {
  return sumWork(allWork(drain), allWork(agreement.baseline));
}

function positive(work: bigint): bigint {
  return work > 0n ? work : 0n;
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function isSame(nonce: Uint8Array, other: Uint8Array | undefined): boolean {
  return other !== undefined && sameBytes(nonce, other);
}
