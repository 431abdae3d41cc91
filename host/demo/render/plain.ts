/** The story as plain lines, for files and pipes. */
import type { Attempt, Teller } from "../teller.ts";
import type { Timeline } from "../timeline.ts";
import { attemptLines, toldLines } from "./lines.ts";
import { status } from "./strips.ts";

/** A line of progress each time this part more of the work is done. */
const STEP = 0.1;

export class PlainTeller implements Teller {
  readonly #write: (text: string) => void;
  #next = STEP;

  constructor(stream: NodeJS.WriteStream) {
    this.#write = (text) => stream.write(text);
  }

  tell(seconds: number, label: string, text: string): void {
    this.#write(`${toldLines(seconds, label, text, Number.POSITIVE_INFINITY).join("\n")}\n`);
  }

  attempted(_seconds: number, attempt: Attempt): void {
    this.#write(`${attemptLines(attempt, Number.POSITIVE_INFINITY).join("\n")}\n`);
  }

  progress(timeline: Timeline): void {
    const part = (timeline.now?.done ?? 0) / Math.max(1, timeline.goal);
    if (part < this.#next) return;
    while (part >= this.#next) this.#next += STEP;
    this.#write(`${status(timeline)}\n`);
  }
}
