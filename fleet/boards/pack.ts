/**
 * A board at rest, in few bytes. What lies in its memories (State block, fuses, registers, flash) is kept as the blocks
 * of 64 bytes in which it differs from a reference board's: the agreement, blank flash and zeros cost a bit each.
 */
import type { BoardSnapshot } from "../../sim-board/board.ts";
import type { FlashSnapshot } from "../../sim-board/parts/flash.ts";
import type { Phase } from "../../sim-board/workloads/types.ts";
import { PlainData } from "./plain-data.ts";

const BLOCK_BYTES = 64;
const BLOCK_WORDS = BLOCK_BYTES / 4;

/** What a board has beside its memories: plain data, phases by their place in a table. */
type Rest = Omit<BoardSnapshot, "state" | "image" | "fuses" | "flash" | "accelerator" | "observers" | "actions"> & {
  isUp: boolean;
  fuses: Omit<BoardSnapshot["fuses"], "words">;
  flash: Omit<FlashSnapshot, "sectors">;
  lifetime: readonly bigint[];
  running:
    | (Omit<NonNullable<BoardSnapshot["accelerator"]["running"]>, "phase"> & { phase: number | Phase })
    | undefined;
  observers: readonly unknown[];
};

/** A bit for each block that is here, these blocks, then the rest. */
export type PackedBoard = Uint8Array;

/** Phases that many boards of a bank work through: a board at rest names one by a number, and keeps any other whole. */
export class PhaseTable {
  readonly #phases: readonly Phase[];

  constructor(phases: readonly Phase[]) {
    this.#phases = phases;
  }

  nameOf(phase: Phase): number | Phase {
    const place = this.#phases.indexOf(phase);
    return place < 0 ? phase : place;
  }

  named(name: number | Phase): Phase {
    return typeof name === "number" ? this.#phases[name]! : name;
  }
}

/** What the memories of other boards are kept against. */
export class Reference {
  /** State block, fuses, registers, then the flash sectors. */
  readonly #parts: readonly Uint8Array[];
  readonly #words: readonly Int32Array[];
  readonly #snapshot: BoardSnapshot;
  readonly #bitmapWords: number;
  readonly #room: Int32Array;
  readonly #plain = new PlainData();

  /** Any board of the same shape will do; one that has been set to work, with power, does best. */
  constructor(snapshot: BoardSnapshot, stateBytes: number) {
    this.#snapshot = snapshot;
    this.#parts = partsOf(snapshot, stateBytes).map((part) => part.slice());
    this.#words = this.#parts.map(wordsOf);
    const blocks = this.#parts.reduce((sum, part) => sum + part.length / BLOCK_BYTES, 0);
    this.#bitmapWords = Math.ceil(blocks / 32);
    this.#room = new Int32Array(this.#bitmapWords + blocks * BLOCK_WORDS);
  }

  pack(snapshot: BoardSnapshot, phases: PhaseTable): PackedBoard {
    const length = this.#packMemories(snapshot);
    const rest = this.#plain.pack(restOf(snapshot, phases));
    const packed = new Uint8Array(length + rest.length);
    packed.set(new Uint8Array(this.#room.buffer, 0, length));
    packed.set(rest, length);
    return packed;
  }

  unpack(packed: PackedBoard, phases: PhaseTable): BoardSnapshot {
    const { parts, length } = this.#unpackMemories(packed);
    const [state, words, registers, ...sectors] = parts;
    const rest = this.#plain.unpack(packed.subarray(length)) as Rest;
    const { isUp, lifetime, running, observers, fuses, flash, ...others } = rest;
    return {
      ...others,
      image: this.#snapshot.image,
      state: isUp ? state : undefined,
      fuses: { ...fuses, words: new Uint32Array(words!.buffer, words!.byteOffset, words!.length / 4) },
      flash: { ...flash, sectors },
      accelerator: {
        registers: registers!,
        lifetime: [...lifetime],
        running: running && { ...running, phase: phases.named(running.phase) },
      },
      actions: [],
      observers: new Map([...this.#snapshot.observers.keys()].map((observer, i) => [observer, observers[i]])),
    };
  }

  /** Into the room; the bytes that they take there. */
  #packMemories(snapshot: BoardSnapshot): number {
    const room = this.#room;
    room.fill(0, 0, this.#bitmapWords);
    let length = this.#bitmapWords;
    let block = 0;
    partsOf(snapshot, this.#parts[0]!.length).forEach((part, i) => {
      if (part === this.#parts[i]) {
        block += part.length / BLOCK_BYTES;
        return;
      }
      const words = wordsOf(part);
      const base = this.#words[i]!;
      for (let at = 0; at < words.length; at += BLOCK_WORDS, block++) {
        if (isAlike(words, base, at)) continue;
        room[block >> 5]! |= 1 << (block & 31);
        for (let w = at; w < at + BLOCK_WORDS; w++) room[length++] = words[w]!;
      }
    });
    return length * 4;
  }

  #unpackMemories(packed: PackedBoard): { parts: Uint8Array[]; length: number } {
    const from = new Int32Array(packed.buffer, packed.byteOffset, packed.length >> 2);
    let next = this.#bitmapWords;
    let block = 0;
    const parts = this.#words.map((base, i) => {
      // Flash is copied before it is written (sim-board/parts/flash.ts); what else there is, is always copied.
      let words = i >= FIRST_SECTOR ? base : base.slice();
      for (let at = 0; at < base.length; at += BLOCK_WORDS, block++) {
        if ((from[block >> 5]! & (1 << (block & 31))) === 0) continue;
        if (words === base) words = base.slice();
        for (let w = at; w < at + BLOCK_WORDS; w++) words[w] = from[next++]!;
      }
      return words === base ? this.#parts[i]! : new Uint8Array(words.buffer);
    });
    return { parts, length: next * 4 };
  }
}

/** State block, fuses and registers come before them. */
const FIRST_SECTOR = 3;

function partsOf({ state, fuses, accelerator, flash }: BoardSnapshot, stateBytes: number): Uint8Array[] {
  const words = new Uint8Array(fuses.words.buffer, fuses.words.byteOffset, fuses.words.byteLength);
  return [state ?? new Uint8Array(stateBytes), words, accelerator.registers, ...flash.sectors];
}

function restOf(snapshot: BoardSnapshot, phases: PhaseTable): Rest {
  const { state, image: _image, actions: _actions, observers, fuses, flash, accelerator, ...others } = snapshot;
  const { running } = accelerator;
  const { sectors: _sectors, ...wear } = flash;
  return {
    ...others,
    isUp: state !== undefined,
    fuses: { locked: fuses.locked, random: fuses.random },
    flash: wear,
    lifetime: accelerator.lifetime,
    running: running && { ...running, phase: phases.nameOf(running.phase) },
    observers: [...observers.values()],
  };
}

function wordsOf(part: Uint8Array): Int32Array {
  return new Int32Array(part.buffer, part.byteOffset, part.length / 4);
}

function isAlike(a: Int32Array, b: Int32Array, at: number): boolean {
  for (let i = at; i < at + BLOCK_WORDS; i++) if (a[i] !== b[i]) return false;
  return true;
}
