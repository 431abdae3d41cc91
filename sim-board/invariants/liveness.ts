/** S8: safety alone is easy, a brick has it. An honest board with honest hosts must work. */
import { GateState } from "../../firmware/protocol/states.ts";
import type { Board } from "../board.ts";
import type { Phase } from "../workloads/types.ts";
import { InvariantBroken } from "./broken.ts";
import { flows, stateName } from "./names.ts";

/** What an honest host with a reachable verifier does; each takes all the messages it needs. */
export type HonestHost = {
  license(): void;
  beacon(): void;
  pause(): void;
  resume(): void;
};

/**
 * Plays an honest life on a board that has power, an agreement and the time: opens, works, outlives an outage shorter
 * than the lease, pauses, resumes and works on. @throws InvariantBroken
 */
export function checkLiveness(board: Board, host: HonestHost, outageSeconds: number, work: Phase): void {
  host.license();
  mustFlow(board, "after a license");
  mustWork(board, work);
  host.beacon();
  board.advance(outageSeconds);
  mustFlow(board, `after an outage of ${outageSeconds} s`);
  host.beacon();
  host.pause();
  if (flows(board.gateState)) fail(board, "after a pause order");
  host.resume();
  host.license();
  mustFlow(board, "after a resume and a license");
  mustWork(board, work);
}

function mustFlow(board: Board, when: string): void {
  if (!flows(board.gateState)) fail(board, when);
}

function mustWork(board: Board, work: Phase): void {
  if (!board.run(work).completed) fail(board, `while "${work.name}" should have been done`);
}

function fail(board: Board, when: string): never {
  const code = board.gateState === GateState.OPEN ? "" : `, last code 0x${board.lastCode.toString(16)}`;
  throw new InvariantBroken("S8", `${when} the gate was ${stateName(board.gateState)}${code}`);
}
