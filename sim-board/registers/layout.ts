/**
 * Where the accelerator's registers and its command ring lie in the memory of `build/registers.wasm`. Read by both
 * compilers.
 */

/** One engine class of the register file: offsets in bytes, all little-endian. */
export const enum Register {
  /** u64: work that may still retire. */
  CREDIT = 0,
  /** u64: work retired since power-up. It runs through zero. */
  RETIRED = 8,
  /** u64: credit below this is low, which is told once; 0 once it was. */
  LOW_BELOW = 16,
  /** u32: commands refused because the class never had credit. It stays at its end. */
  DENIED = 24,
  /** u32: times that the class stood still for want of credit. It stays at its end. */
  THROTTLED = 28,
  /** u32: whether it was ever granted credit since power-up. */
  GRANTED = 32,
  /** u32: whether it stands still. */
  STANDING = 36,
  /** Bytes from one class to the next. */
  STRIDE = 64,
}

/** The ring's own registers: u32 each. `HEAD` and `TAIL` count commands and run through zero. */
export const enum RingRegister {
  /** The next command to execute. */
  HEAD = 0,
  /** Where the host puts the next one. The only one that the host writes. */
  TAIL = 4,
  /** Commands that the ring holds: a power of two. 0 while there is no ring. */
  COMMANDS = 8,
  /** `RingStop`. */
  STOP = 12,
  /** Whether a class fell below half of its last grant since this was last cleared. */
  CREDIT_LOW = 16,
  BYTES = 20,
}

/** Why the engine stopped. */
export const enum RingStop {
  /** Everything is done. */
  EMPTY = 0,
  /** As many as it was told to, and there are more. */
  LIMIT = 1,
  /** The class of the command at the head is out of credit, or never had any. */
  NO_CREDIT = 2,
  /** The command at the head names no engine class. */
  BAD_CLASS = 3,
  /** There is no ring, or its tail is further ahead than it is long. */
  BAD_RING = 4,
}

/** A command: offsets in bytes. What it has still to do is its amount. */
export const enum Command {
  /** u32. */
  ENGINE_CLASS = 0,
  /** u64. */
  AMOUNT = 8,
  BYTES = 16,
  /** Commands of the longest ring. */
  COUNT_MAX = 1024,
}
