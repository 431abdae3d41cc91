/** What the board refuses, and how it fails. Every error carries one code; messages say what, with what numbers. */

export type BoardErrorCode =
  /** Read, program or erase outside the part. */
  | "flash/out-of-range"
  /** A program of no bytes, of more than a page, or across a page's edge (a real part wraps around within the page). */
  | "flash/page-edge"
  /** A program that would need a bit to rise; only an erase does that. */
  | "flash/bit-rise"
  | "fuses/out-of-range"
  /** The counter has made all the steps of its life. */
  | "counter/worn-out"
  | "accelerator/class"
  /** A phase was submitted while another one runs. */
  | "accelerator/busy"
  /** A phase with a negative amount or a duration that is not a finite number of seconds. */
  | "accelerator/phase"
  /** The module imports something that is not the HAL, or not our memory. */
  | "module/import"
  /** The module lacks an export of the ABI. */
  | "module/export"
  /** Not a WebAssembly module at all. */
  | "module/form"
  /** The governor named an address outside its memory. */
  | "bus/out-of-range"
  | "board/off"
  | "board/on"
  /** The governor trapped or broke the bus; its gate gets no more credit until the next power-up. */
  | "board/hung"
  /** A request that the mailbox has no room for. */
  | "board/message-too-long"
  | "board/option"
  | "random/range";

export class BoardError extends Error {
  readonly code: BoardErrorCode;

  constructor(code: BoardErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "BoardError";
    this.code = code;
  }
}

/** The supply fell away in the middle of an operation. Whatever lay in RAM is gone. */
export class PowerCut extends Error {
  /** What was under way, e.g. `flash program`. */
  readonly during: string;

  constructor(during: string) {
    super(`power was cut during ${during}`);
    this.name = "PowerCut";
    this.during = during;
  }
}
