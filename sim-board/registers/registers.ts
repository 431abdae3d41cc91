/**
 * The accelerator's register file, and the engine that works through a ring of commands: hardware, in the simulator a
 * WebAssembly module of its own (`build/registers.wasm`), so that the governor's reads and grants are calls from module
 * to module and a command costs a few nanoseconds. It is no firmware.
 *
 * Nothing retires but against credit, at most what is left of it; nothing gives credit but a grant.
 */
import { EngineClass } from "../../firmware/protocol/classes";
import { Command, Register, RingRegister, RingStop } from "./layout";

const CLASSES: u32 = EngineClass.COUNT;
const STRIDE: usize = Register.STRIDE;
const FILE_BYTES: i32 = EngineClass.COUNT * Register.STRIDE;
const FILE: usize = memory.data(FILE_BYTES, 64);
const RING: usize = memory.data(RingRegister.BYTES, 8);
const COMMANDS: usize = memory.data(Command.BYTES * Command.COUNT_MAX, 16);

// --- where it lies, for whoever looks on -----------------------------------------------------------------------------

export function file(): usize {
  return FILE;
}

export function ring(): usize {
  return RING;
}

export function commands(): usize {
  return COMMANDS;
}

// --- what the governor's HAL is wired to (`firmware/hal.ts`) ---------------------------------------------------------

/** The registers of a class. One that does not exist is a bus fault. */
function registersOf(engineClass: u32): usize {
  if (engineClass >= CLASSES) unreachable();
  return FILE + <usize>engineClass * STRIDE;
}

export function workRead(engineClass: u32): u64 {
  return load<u64>(registersOf(engineClass), Register.RETIRED);
}

export function deniedRead(engineClass: u32): u32 {
  return load<u32>(registersOf(engineClass), Register.DENIED);
}

export function throttledRead(engineClass: u32): u32 {
  return load<u32>(registersOf(engineClass), Register.THROTTLED);
}

/** Adds credit; a register that is full stays full. A class that stood still tries again. */
export function gateGrant(engineClass: u32, amount: u64): void {
  const registers = registersOf(engineClass);
  if (amount == 0) return;
  const sum = load<u64>(registers, Register.CREDIT) + amount;
  store<u64>(registers, sum < amount ? u64.MAX_VALUE : sum, Register.CREDIT);
  // Below half of the grant: at most (amount - 1) / 2.
  store<u64>(registers, ((amount - 1) >> 1) + 1, Register.LOW_BELOW);
  store<u32>(registers, 1, Register.GRANTED);
  store<u32>(registers, 0, Register.STANDING);
}

export function creditRead(engineClass: u32): u64 {
  return load<u64>(registersOf(engineClass), Register.CREDIT);
}

/** Zeroes every credit register at once. */
export function gateClose(): void {
  for (let registers = FILE; registers < FILE + FILE_BYTES; registers += STRIDE) {
    store<u64>(registers, 0, Register.CREDIT);
    store<u64>(registers, 0, Register.LOW_BELOW);
  }
}

/** Power-up. */
export function reset(): void {
  memory.fill(FILE, 0, FILE_BYTES);
  memory.fill(RING, 0, RingRegister.BYTES);
}

// --- work ------------------------------------------------------------------------------------------------------------

/** Retires work of a class, if it has the credit: all of it, or none and false. */
export function retire(engineClass: u32, amount: u64): bool {
  const registers = registersOf(engineClass);
  const credit = load<u64>(registers, Register.CREDIT);
  if (amount > credit) return false;
  debit(registers, credit, amount);
  return true;
}

/** The caller knows that `amount` is at most `credit`. */
function debit(registers: usize, credit: u64, amount: u64): void {
  store<u64>(registers, credit - amount, Register.CREDIT);
  store<u64>(registers, load<u64>(registers, Register.RETIRED) + amount, Register.RETIRED);
}

/** A class needs more than it has: it stands still, and that is counted once. */
export function stand(engineClass: u32): void {
  const registers = registersOf(engineClass);
  if (load<u32>(registers, Register.STANDING) != 0) return;
  store<u32>(registers, 1, Register.STANDING);
  const counter = registers + (load<u32>(registers, Register.GRANTED) != 0 ? Register.THROTTLED : Register.DENIED);
  const count = load<u32>(counter);
  if (count < u32.MAX_VALUE) store<u32>(counter, count + 1);
}

/** New commands try anew, whatever stood still before. */
export function standNoMore(): void {
  for (let registers = FILE; registers < FILE + FILE_BYTES; registers += STRIDE) {
    store<u32>(registers, 0, Register.STANDING);
  }
}

/** Whether a class fell below half of its last grant; told once for each grant. */
export function tellCreditLow(): bool {
  let told = false;
  for (let registers = FILE; registers < FILE + FILE_BYTES; registers += STRIDE) {
    if (load<u64>(registers, Register.CREDIT) >= load<u64>(registers, Register.LOW_BELOW)) continue;
    store<u64>(registers, 0, Register.LOW_BELOW);
    told = true;
  }
  return told;
}

// --- the ring --------------------------------------------------------------------------------------------------------

/** An empty ring for so many commands: a power of two, at most `COUNT_MAX`. False, and no ring, for anything else. */
export function openRing(count: u32): bool {
  memory.fill(RING, 0, RingRegister.BYTES);
  if (popcnt<u32>(count) != 1 || count > <u32>Command.COUNT_MAX) return false;
  store<u32>(RING, count, RingRegister.COMMANDS);
  standNoMore();
  return true;
}

/**
 * Executes commands from the head on, at most `limit`; how many are done, and at `STOP` why no more. A command that needs
 * more than its class has takes what there is and stays at the head with the rest.
 */
export function execute(limit: u32): u32 {
  const first = load<u32>(RING, RingRegister.HEAD);
  const waiting = load<u32>(RING, RingRegister.TAIL) - first;
  const count = load<u32>(RING, RingRegister.COMMANDS);
  if (count == 0 || waiting > count) {
    store<u32>(RING, RingStop.BAD_RING, RingRegister.STOP);
    return 0;
  }
  const end = first + min(waiting, limit);
  let head = first;
  let stop: u32 = waiting > limit ? RingStop.LIMIT : RingStop.EMPTY;
  for (; head != end; head++) {
    const command = COMMANDS + <usize>(head & (count - 1)) * Command.BYTES;
    const engineClass = load<u32>(command, Command.ENGINE_CLASS);
    if (engineClass >= CLASSES) {
      stop = RingStop.BAD_CLASS;
      break;
    }
    const registers = FILE + <usize>engineClass * STRIDE;
    const amount = load<u64>(command, Command.AMOUNT);
    const credit = load<u64>(registers, Register.CREDIT);
    const done = min(amount, credit);
    debit(registers, credit, done);
    if (credit - done < load<u64>(registers, Register.LOW_BELOW)) {
      store<u64>(registers, 0, Register.LOW_BELOW);
      store<u32>(RING, 1, RingRegister.CREDIT_LOW);
    }
    if (done != amount) {
      store<u64>(command, amount - done, Command.AMOUNT);
      stand(engineClass);
      stop = RingStop.NO_CREDIT;
      break;
    }
  }
  store<u32>(RING, head, RingRegister.HEAD);
  store<u32>(RING, stop, RingRegister.STOP);
  return head - first;
}
