/** What the demo proved, as facts. */
import type { BooksLine } from "./books.ts";
import type { Attempt } from "./teller.ts";

export type PauseFacts = {
  /** Governor ticks since power-up. */
  orderedAtTick: bigint;
  closedAtTick: bigint;
  /** Operations and bytes of all classes, from the closing of the gate to the license after the resume. */
  workAfterClose: bigint;
  checkpointSaved: boolean;
  checkpointBytes: bigint;
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
  invariants: { checked: number; broken: number };
};
