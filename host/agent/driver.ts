/**
 * What the agent needs of the machines that hold the boards: which there are, and a way to each one's mailbox. A driver
 * pushes nothing; the agent asks.
 */
import type { Exchange } from "../mailbox.ts";

/** A way to one board. */
export interface BoardPort {
  /** Unique among the boards of a driver; it names the board for people. */
  readonly name: string;
  /** One request at a time reaches the board. Rejects with a `DriverError`. */
  readonly exchange: Exchange<"async">;
  /** The manufacturer's endorsement, where the machine has it. Rejects with a `DriverError`. */
  endorsement(): Promise<Uint8Array | undefined>;
  close(): void;
}

export interface BoardDriver {
  /** Names of the boards that there are now. Rejects with a `DriverError`. */
  list(): Promise<readonly string[]>;
  /** A way to a board; nothing is sent yet. */
  open(name: string): BoardPort;
}

// biome-ignore format: a table, one row a code
export const DRIVER_ERRORS = {
  "driver/folder": "the folder of the boards cannot be read",
  "driver/connect": "the board cannot be reached",
  "driver/lost": "the connection to the board broke off",
  "driver/timeout": "the board did not answer in time",
  "driver/silent": "the board has no power, or its governor hangs",
  "driver/frame": "what came is no answer of a board",
  "driver/busy": "as many requests wait for the board as may",
  "driver/endorsement": "the board's endorsement cannot be read",
} as const satisfies Record<string, string>;

export type DriverErrorCode = keyof typeof DRIVER_ERRORS;

export class DriverError extends Error {
  readonly code: DriverErrorCode;

  constructor(code: DriverErrorCode, detail?: string, options?: ErrorOptions) {
    super(detail === undefined ? DRIVER_ERRORS[code] : `${DRIVER_ERRORS[code]} (${detail})`, options);
    this.name = "DriverError";
    this.code = code;
  }
}
