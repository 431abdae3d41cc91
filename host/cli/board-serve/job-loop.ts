/**
 * What the simulated host does on a board: the workload's phases, over and over, as far as the gate lets it. When the gate
 * drains it saves the checkpoint, if there is one, and says so; what was interrupted goes on when the gate opens again.
 */
import { Command } from "../../../firmware/protocol/commands.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import type { Board } from "../../../sim-board/board.ts";
import { BoardError } from "../../../sim-board/errors.ts";
import type { BoardEvent, Observer } from "../../../sim-board/events.ts";
import type { Phase, Workload } from "../../../sim-board/workloads/types.ts";
import { checkpointPhase } from "../../demo/terms.ts";
import { encodeRequest } from "../../mailbox.ts";

export class JobLoop implements Observer {
  readonly #board: Board;
  readonly #workload: Workload;
  readonly #checkpoint: Phase | undefined;
  #phases: Iterator<Phase>;
  /** Simulated seconds at which this round's clock was zero. */
  #roundSeconds = 0;
  #interrupted: Phase | undefined;
  /** Phases done to their end, since the process began. */
  phasesDone = 0;

  constructor(board: Board, workload: Workload) {
    this.#board = board;
    this.#workload = workload;
    this.#checkpoint = checkpointPhase(workload);
    this.#phases = workload.phases()[Symbol.iterator]();
  }

  /** Begins; the board has power. */
  start(): void {
    this.#board.subscribe(this);
    this.#roundSeconds = this.#board.seconds;
    this.#next();
  }

  observe(event: BoardEvent): void {
    if (event.kind === "completed") this.#completed(event.phase);
    else if (event.kind === "gate" && event.to === GateState.DRAINING) this.#drain();
    else if (event.kind === "gate" && event.from === GateState.DRAINING) this.#goOn();
  }

  #completed(phase: Phase): void {
    if (phase !== this.#checkpoint) {
      this.phasesDone += 1;
      this.#next();
      return;
    }
    this.#saved();
  }

  /** The drain may end: not in the middle of what the governor does now. */
  #saved(): void {
    this.#board.after(0, () => {
      if (this.#board.gateState === GateState.DRAINING) this.#drainDone();
    });
  }

  #drainDone(): void {
    try {
      this.#board.request(encodeRequest(Command.DRAIN_DONE));
    } catch (error) {
      // A governor that hangs holds its gate shut; the drain is over with it.
      if (!(error instanceof BoardError)) throw error;
    }
  }

  #drain(): void {
    this.#interrupted = this.#board.withdraw() ?? this.#interrupted;
    if (this.#checkpoint) this.#board.submit(this.#checkpoint);
    else this.#saved();
  }

  /** The drain is over: what was interrupted waits for credit again. */
  #goOn(): void {
    this.#board.withdraw();
    const phase = this.#interrupted;
    this.#interrupted = undefined;
    if (phase) this.#board.submit(phase);
    else this.#next();
  }

  #next(): void {
    let turn = this.#phases.next();
    if (turn.done) {
      this.#phases = this.#workload.phases()[Symbol.iterator]();
      this.#roundSeconds = this.#board.seconds;
      turn = this.#phases.next();
    }
    const phase = turn.value as Phase;
    const waitSeconds = (phase.startSeconds ?? 0) + this.#roundSeconds - this.#board.seconds;
    if (phase.startSeconds === undefined || waitSeconds <= 0) this.#board.submit(phase);
    else this.#board.after(waitSeconds, () => this.#submitLater(phase));
  }

  /** The gate may drain by now: then the phase waits for its end. */
  #submitLater(phase: Phase): void {
    if (this.#board.gateState === GateState.DRAINING) this.#interrupted = phase;
    else if (!this.#board.accelerator.busy) this.#board.submit(phase);
  }
}
