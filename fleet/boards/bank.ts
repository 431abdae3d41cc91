/**
 * Many boards, one of them at work at a time: one governor and one register file, and what makes a board this one rather
 * than another is put in and taken out. The firmware is the one that ships, and all mutable state of a device lies in its
 * State block, so this is what a board of its own would do, to the bit (test/fleet/boards/bank.test.ts).
 */
import { Board, type BoardOptions, type BoardSnapshot } from "../../sim-board/board.ts";
import type { DeviceModel, Manufactured } from "../../sim-board/factory.ts";
import type { Phase } from "../../sim-board/workloads/types.ts";
import { type PackedBoard, PhaseTable, Reference } from "./pack.ts";

export type BankOptions = Omit<BoardOptions, "seed" | "keepsMemory"> & {
  readonly boards: number;
  /** Phases that many of them work through: see `PhaseTable`. */
  readonly phases?: readonly Phase[];
};

/** More of them would be out of the processor's caches. */
const AT_HAND_MOST = 16;

export class BoardBank {
  /** The board that is at work; `take` says which one it is. */
  readonly board: Board;
  readonly #phases: PhaseTable;
  #rest: (PackedBoard | undefined)[];
  readonly #stateBytes: number;
  #blank: PackedBoard;
  #reference: Reference;
  #taken = -1;
  /** In the order in which they were put back. */
  readonly #atHand = new Map<number, BoardSnapshot>();

  constructor({ boards, phases = [], ...options }: BankOptions) {
    this.#phases = new PhaseTable(phases);
    this.board = new Board({ ...options, seed: "blank", keepsMemory: true });
    this.#rest = new Array<PackedBoard | undefined>(boards).fill(undefined);
    const blank = this.board.snapshot();
    this.board.powerOn();
    this.#stateBytes = this.board.governorBytes.state;
    this.board.restore(blank);
    this.#reference = new Reference(blank, this.#stateBytes);
    this.#blank = this.#reference.pack(blank, this.#phases);
  }

  /** The board of this number, as it was left; a new one before it was ever at work. */
  take(index: number): Board {
    if (index !== this.#taken) {
      this.#putBack();
      this.#taken = index;
      const snapshot = this.#atHand.get(index);
      this.#atHand.delete(index);
      this.board.restore(snapshot ?? this.#reference.unpack(this.#rest[index] ?? this.#blank, this.#phases), true);
    }
    return this.board;
  }

  /** A board of this number leaves the factory; its secrets and all that is random on it come from the seed. */
  manufacture(index: number, seed: string, model?: DeviceModel): Manufactured {
    this.take(index);
    this.board.reseed(seed);
    return this.board.manufacture(model);
  }

  /** From now on boards are kept by what they differ in from the one at work. Before that, from a blank one. */
  referTo(index: number): void {
    const board = this.take(index);
    this.#packAll();
    const reference = new Reference(board.snapshot(), this.#stateBytes);
    const anew = (packed: PackedBoard) => reference.pack(this.#reference.unpack(packed, this.#phases), this.#phases);
    this.#blank = anew(this.#blank);
    this.#rest = this.#rest.map((packed) => packed && anew(packed));
    this.#reference = reference;
  }

  /** Bytes that boards at rest take together, of all that were ever at work. */
  get bytesAtRest(): number {
    this.#packAll();
    return this.#rest.reduce((sum, packed) => sum + (packed?.length ?? 0), 0);
  }

  /** The few that worked last lie at hand: who asks and is answered soon after is not packed in between. */
  #putBack(): void {
    if (this.#taken < 0) return;
    this.#atHand.set(this.#taken, this.board.snapshot(true));
    if (this.#atHand.size > AT_HAND_MOST) this.#packOldest();
  }

  #packOldest(): void {
    for (const [index, snapshot] of this.#atHand) {
      this.#rest[index] = this.#reference.pack(snapshot, this.#phases);
      this.#atHand.delete(index);
      return;
    }
  }

  #packAll(): void {
    while (this.#atHand.size > 0) this.#packOldest();
  }
}
