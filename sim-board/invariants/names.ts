/** Names of gate states, for people. */
import { GateState } from "../../firmware/protocol/states.ts";

const NAMES: ReadonlyMap<number, string> = new Map([
  [GateState.LOCKED, "LOCKED"],
  [GateState.IDLE, "IDLE"],
  [GateState.OPEN, "OPEN"],
  [GateState.SLOWED, "SLOWED"],
  [GateState.DRAINING, "DRAINING"],
  [GateState.PAUSED, "PAUSED"],
  [GateState.TAMPERED, "TAMPERED"],
]);

export function stateName(state: number): string {
  return NAMES.get(state) ?? `no state at all (0x${state.toString(16)})`;
}

/** Whether work flows under a license in this state. */
export function flows(state: number): boolean {
  return state === GateState.OPEN || state === GateState.SLOWED;
}
