/**
 * States of the gate, the events that move it, and the one table of transitions. The firmware runs on it, the docs
 * page, the tests and the model read it.
 *
 * State encodings differ from one another in at least 8 of 32 bits, so that no few flipped bits make one state another;
 * the top bit is clear so that both compilers read the same number.
 */
export const enum GateState {
  /** Not provisioned, failed self-test, no agreement, or a journal that does not fit the counter. */
  LOCKED = 0x1b2d4e70,
  /** No valid license, or no fresh lease. */
  IDLE = 0x64a7185b,
  /** Work flows under a license. */
  OPEN = 0x39d4c2a6,
  /** Work flows at the rate an order or a license names. */
  SLOWED = 0x5e6893cd,
  /** Copy, memory and link credit within the drain allowance, so that a checkpoint can be saved. */
  DRAINING = 0x072fb594,
  /** A pause order is in force. */
  PAUSED = 0x4c917f22,
  /** Terminal: secrets erased. */
  TAMPERED = 0x72ca617f,
}

export const enum GateEvent {
  /** Boot is done: agreement, journal and identity are whole. */
  BOOTED = 1,
  /** The same, with a pause order in force from before the power-up. */
  BOOTED_PAUSED = 2,
  /** License, lease, epoch and time all hold; no slow order. */
  OPENED = 3,
  /** The same under a slow order or a license with a rate. */
  OPENED_SLOW = 4,
  /** A slow order was accepted while work flows. */
  SLOWED = 5,
  /** The rate cap was lifted while work flows. */
  UNSLOWED = 6,
  /** A pause order was accepted. */
  PAUSED = 7,
  /** The lease lapsed, or a beacon names an epoch whose order never came. */
  STARVED = 8,
  /** The drain is over, a pause order is in force. */
  DRAINED_PAUSED = 9,
  /** The drain is over, no pause order is in force. */
  DRAINED_IDLE = 10,
  /** A pause was lifted. */
  RESUMED = 11,
  /** The license ran out: of time, of ticks, of every class's budget, or was replaced. */
  ENDED = 12,
  /** Something that must not happen did: fail closed. */
  FAILED = 13,
  /** A tamper sensor fired. */
  TAMPERED = 14,
}

/** Rows of `from, event, to`. A pair that has no row is refused: the state stays, the gate is closed. */
// biome-ignore format: a table, one row a transition
export const TRANSITIONS: StaticArray<i32> = [
  GateState.LOCKED, GateEvent.BOOTED, GateState.IDLE,
  GateState.LOCKED, GateEvent.BOOTED_PAUSED, GateState.PAUSED,
  GateState.IDLE, GateEvent.OPENED, GateState.OPEN,
  GateState.IDLE, GateEvent.OPENED_SLOW, GateState.SLOWED,
  GateState.IDLE, GateEvent.PAUSED, GateState.PAUSED,
  GateState.OPEN, GateEvent.SLOWED, GateState.SLOWED,
  GateState.SLOWED, GateEvent.UNSLOWED, GateState.OPEN,
  GateState.OPEN, GateEvent.PAUSED, GateState.DRAINING,
  GateState.SLOWED, GateEvent.PAUSED, GateState.DRAINING,
  GateState.OPEN, GateEvent.STARVED, GateState.DRAINING,
  GateState.SLOWED, GateEvent.STARVED, GateState.DRAINING,
  GateState.OPEN, GateEvent.ENDED, GateState.IDLE,
  GateState.SLOWED, GateEvent.ENDED, GateState.IDLE,
  GateState.DRAINING, GateEvent.DRAINED_PAUSED, GateState.PAUSED,
  GateState.DRAINING, GateEvent.DRAINED_IDLE, GateState.IDLE,
  GateState.DRAINING, GateEvent.RESUMED, GateState.IDLE,
  GateState.PAUSED, GateEvent.RESUMED, GateState.IDLE,
  GateState.LOCKED, GateEvent.FAILED, GateState.LOCKED,
  GateState.IDLE, GateEvent.FAILED, GateState.LOCKED,
  GateState.OPEN, GateEvent.FAILED, GateState.LOCKED,
  GateState.SLOWED, GateEvent.FAILED, GateState.LOCKED,
  GateState.DRAINING, GateEvent.FAILED, GateState.LOCKED,
  GateState.PAUSED, GateEvent.FAILED, GateState.LOCKED,
  GateState.LOCKED, GateEvent.TAMPERED, GateState.TAMPERED,
  GateState.IDLE, GateEvent.TAMPERED, GateState.TAMPERED,
  GateState.OPEN, GateEvent.TAMPERED, GateState.TAMPERED,
  GateState.SLOWED, GateEvent.TAMPERED, GateState.TAMPERED,
  GateState.DRAINING, GateEvent.TAMPERED, GateState.TAMPERED,
  GateState.PAUSED, GateEvent.TAMPERED, GateState.TAMPERED,
];
