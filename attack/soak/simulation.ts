/**
 * The one clock and the one order of events of a whole-system run, in the manner of TigerBeetle's VOPR: everything that
 * happens is an event at a simulated time, drawn from one seed. Before the next event begins, whatever the last one set going has
 * come to rest, so that two runs of one seed are the same run. The trace is a hash of all of it.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { Random } from "../../sim-board/random.ts";
import type { Happening } from "./counts.ts";
import { Counts } from "./counts.ts";

interface Event {
  readonly atMs: number;
  /** In the order of asking, where several are due at once. */
  readonly number: number;
  readonly name: string;
  readonly act: () => void | Promise<void>;
}

export class Simulation {
  readonly random: Random;
  readonly counts = new Counts();
  /** Called after every event: what must hold at any time. */
  watch: () => void = () => {};
  readonly #trace = sha256.create();
  /** A binary heap, the next event first. */
  readonly #heap: Event[] = [];
  readonly #calledOff = new Set<number>();
  #nowMs = 0;
  #number = 0;

  constructor(seed: string) {
    this.random = new Random(`soak ${seed}`);
  }

  /** Since the run began, in whole ms. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Of all events and answers so far. */
  get trace(): string {
    return bytesToHex(this.#trace.clone().digest());
  }

  /** Takes into the trace what came of an event. */
  note(what: string | Uint8Array): void {
    this.#trace.update(typeof what === "string" ? utf8ToBytes(what) : what);
  }

  count(happening: Happening, amount = 1): void {
    this.counts.add(happening, amount);
  }

  /** Gives what calls it off. What would never come is not kept. */
  after(ms: number, name: string, act: Event["act"]): () => void {
    if (ms === Number.POSITIVE_INFINITY) return () => {};
    const number = this.#number++;
    this.#push({ atMs: this.#nowMs + Math.max(0, Math.ceil(ms)), number, name, act });
    return () => this.#calledOff.add(number);
  }

  /** Event by event, until this time. Whatever an event throws ends it. */
  async runUntil(untilMs: number): Promise<void> {
    for (let next = this.#heap[0]; next && next.atMs <= untilMs; next = this.#heap[0]) {
      this.#pop();
      if (this.#calledOff.delete(next.number)) continue;
      this.#nowMs = next.atMs;
      this.note(`${next.atMs} ${next.name}\n`);
      this.count("events");
      await next.act();
      // Whoever was answered goes on in microtasks: all of them are over when the event loop comes around.
      await new Promise((resolve) => setImmediate(resolve));
      this.watch();
    }
    this.#nowMs = untilMs;
  }

  /** Until it holds, looked at every so often, or this time is over. Whether it came to hold. */
  async runWhile(isOpen: () => boolean | Promise<boolean>, withinMs: number, everyMs: number): Promise<boolean> {
    const untilMs = this.#nowMs + withinMs;
    while (await isOpen()) {
      if (this.#nowMs >= untilMs) return false;
      await this.runUntil(this.#nowMs + everyMs);
    }
    return true;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(heap[at]!, heap[above]!)) return;
      [heap[at], heap[above]] = [heap[above]!, heap[at]!];
      at = above;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    heap[0] = last;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const right = left + 1;
      let first = at;
      if (left < heap.length && isBefore(heap[left]!, heap[first]!)) first = left;
      if (right < heap.length && isBefore(heap[right]!, heap[first]!)) first = right;
      if (first === at) return;
      [heap[at], heap[first]] = [heap[first]!, heap[at]!];
      at = first;
    }
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs === b.atMs ? a.number < b.number : a.atMs < b.atMs;
}
