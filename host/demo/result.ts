/** What the demo proved, as facts. */
import type { BooksLine } from "./books.ts";
import type { Attempt } from "./teller.ts";
import type { VerifierHost } from "./verifiers.ts";

export type PauseFacts = {
  /** Governor ticks since power-up. */
  orderedAtTick: bigint;
  closedAtTick: bigint;
  /** Operations and bytes of all classes, from the closing of the gate to the license after the resume. */
  workAfterClose: bigint;
  checkpointSaved: boolean;
  checkpointBytes: bigint;
};

/** A verifier, and what it had to do with the board. */
export type VerifierFacts = VerifierHost & {
  /** Licenses with the signature of a party whose key is there. */
  licensesSigned: number;
  reportsTaken: bigint;
  /** Licensed and reported work by its own books, and the accelerator's count, are equal. */
  booksAgree: boolean;
};

export type DemoResult = {
  ok: boolean;
  seed: number;
  firmware: { sha256: Uint8Array; bytes: number; pages: number; stateBytes: number };
  workload: { name: string; accelerator: string; boards: number; board: number };
  /** The board's UEID. */
  device: Uint8Array;
  seconds: number;
  books: readonly BooksLine[];
  /** By class: of the step that the pause cut short, what was done before it and had to be done again. */
  repeated: ReadonlyMap<number, bigint>;
  pause: PauseFacts;
  attempts: readonly Attempt[];
  licenses: number;
  reports: number;
  verifiers: readonly VerifierFacts[];
  invariants: { checked: number; broken: number };
};
