/** The governor's entry: the plain exports of the ABI (docs/protocol.md, "Module ABI"), and nothing else. */
import { bootGovernor } from "./boot/boot";
import { gateTampered, refillGate, runGate } from "./gate/run";
import { answerRequest, MAILBOX } from "./mailbox";
import { abort } from "./panic";
import { STATE, STATE_BYTES } from "./state";

export function boot(handoffBytes: i32): u32 {
  return <u32>bootGovernor(MAILBOX, handoffBytes);
}

export function doorbell(requestBytes: i32): i32 {
  return answerRequest(requestBytes);
}

export function tick(): void {
  runGate();
}

export function creditLow(): void {
  refillGate();
}

export function tamper(): void {
  gateTampered();
}

export function mailbox(): usize {
  return MAILBOX;
}

export function stateBlock(): usize {
  return STATE;
}

export function stateBytes(): usize {
  return STATE_BYTES;
}
