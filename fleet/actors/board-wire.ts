/** What all that an agent does goes through: the board's mailbox, and whether the other side can be reached. */
import { Mailbox } from "../../host/mailbox.ts";
import { Refusal } from "../../host/protocol/refusal.ts";
import type { Cell, CellEvent } from "../engine/cell.ts";
import type { Ms } from "../engine/queue.ts";
import { OfficeRefused } from "./office.ts";
import type { Standing } from "./standing.ts";

export class BoardWire {
  readonly cell: Cell;
  /** Of the board that is at work. */
  readonly mailbox: Mailbox;

  constructor(cell: Cell) {
    this.cell = cell;
    this.mailbox = new Mailbox((request) => cell.bank.board.request(request));
  }

  get nowMs(): Ms {
    return this.cell.nowMs;
  }

  get latencyMs(): Ms {
    return this.cell.parameters.operator.latencyMs;
  }

  /** When what arrives now was signed. */
  get signedMs(): Ms {
    return this.nowMs - this.latencyMs;
  }

  standingOf(index: number): Standing {
    return this.cell.standings[index]!;
  }

  put(atMs: Ms, event: CellEvent): void {
    this.cell.queue.put(atMs, event);
  }

  /** When that side can be reached again: now, unless there is an outage. */
  reachableMs(side: "verifier" | "time", index: number): Ms {
    return this.cell.world.reachableMs(side, this.cell.draws[index]!, this.nowMs);
  }

  reaches(side: "verifier" | "time", index: number): boolean {
    return this.reachableMs(side, index) === this.nowMs;
  }

  /** Undefined where nobody refused, else why; a refusal is counted. */
  refusal(act: () => void): Refusal | OfficeRefused | undefined {
    try {
      act();
      return undefined;
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof OfficeRefused)) throw error;
      this.cell.totals.refusals += 1;
      return error;
    }
  }

  /** Whether nobody refused. */
  isDone(act: () => void): boolean {
    return this.refusal(act) === undefined;
  }
}
