/** What happens on a board, as a stream that observers subscribe to, and what an observer may look at. */
import type { Accelerator } from "./parts/accelerator.ts";
import type { Oscillator } from "./parts/oscillator.ts";
import type { Phase } from "./workloads/types.ts";

export type BoardEvent =
  | { kind: "power"; change: "on" | "off" | "cut" }
  /** The governor's boot is over: 0 or the code of what failed. */
  | { kind: "boot"; code: number }
  /** A mailbox exchange; `answer` is undefined if power or governor failed in the middle of it. */
  | { kind: "request"; request: Uint8Array; answer: Uint8Array | undefined }
  | { kind: "granted"; engineClass: number; amount: bigint }
  /** Every credit register was zeroed. */
  | { kind: "closed" }
  /** Work retired since the last such event, by class. */
  | { kind: "retired"; work: readonly bigint[] }
  /** A class stopped dead: it never had credit (denied), or ran out of it (dry). */
  | { kind: "stalled"; engineClass: number; reason: "denied" | "dry" }
  | { kind: "completed"; phase: Phase }
  /** The gate moved (`GateState`), with the governor's last code as the reason. */
  | { kind: "gate"; from: number; to: number; code: number }
  | { kind: "tick" }
  | { kind: "tamper"; bits: number }
  /** Somebody changed the oscillator's speed; 1000 is nominal. */
  | { kind: "clock"; permille: number }
  /** The governor trapped or broke the bus. */
  | { kind: "hung"; during: string; cause: unknown };

/** What observers see of a board. Ground truth, of which the governor knows only a part. */
export type BoardView = {
  readonly nowNs: bigint;
  /** True agreement time in milliseconds since 1970-01-01T00:00Z. */
  readonly agreementMs: bigint;
  /** `GateState`; LOCKED without power. */
  readonly gateState: number;
  /** From one timer interrupt to the next. */
  readonly timerSeconds: number;
  readonly accelerator: Accelerator;
  readonly oscillator: Oscillator;
};

export type Observer = {
  observe(event: BoardEvent, board: BoardView): void;
  /** For observers with a memory: board snapshots take it along. On loan: as it is, and whoever takes it copies it. */
  snapshot?(onLoan?: boolean): unknown;
  restore?(state: unknown, onLoan?: boolean): void;
};
