/** The story on a terminal: what happened scrolls up, the timeline below is redrawn in place. */
import { color } from "../../cli/output.ts";
import type { Attempt, Teller } from "../teller.ts";
import type { Timeline } from "../timeline.ts";
import { attemptLines, toldLines } from "./lines.ts";
import { status, strips } from "./strips.ts";

const FRAME_MS = 40;
/** The whole story takes at least so long here, or nobody would see it. */
const STORY_MS = 3500;
const SLEEP = new Int32Array(new SharedArrayBuffer(4));

export class LiveTeller implements Teller {
  readonly #write: (text: string) => void;
  readonly #columns: () => number;
  readonly #startMs = performance.now();
  #drawnMs = 0;
  #linesDrawn = 0;
  #timeline: Timeline | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#write = (text) => stream.write(text);
    this.#columns = () => stream.columns ?? 80;
  }

  tell(seconds: number, label: string, text: string): void {
    this.#above(toldLines(seconds, label, text, this.#columns() - 1));
  }

  attempted(_seconds: number, attempt: Attempt): void {
    this.#above(attemptLines(attempt, this.#columns() - 1));
  }

  progress(timeline: Timeline): void {
    this.#timeline = timeline;
    const nowMs = performance.now();
    if (nowMs - this.#drawnMs < FRAME_MS) return;
    this.#erase();
    this.#draw();
    this.#drawnMs = nowMs;
    const dueMs = this.#startMs + (STORY_MS * (timeline.now?.seconds ?? 0)) / timeline.horizonSeconds;
    const earlyMs = dueMs - performance.now();
    if (earlyMs > 0) Atomics.wait(SLEEP, 0, 0, Math.min(earlyMs, 4 * FRAME_MS));
  }

  /** Takes the live part away: the final timeline is printed once, to stay. */
  close(): void {
    this.#erase();
  }

  #above(lines: readonly string[]): void {
    this.#erase();
    this.#write(`${lines.join("\n")}\n`);
    this.#draw();
  }

  #draw(): void {
    if (!this.#timeline) return;
    const columns = Math.min(this.#columns() - 1, 118);
    const lines = ["", ...strips(this.#timeline, columns), status(this.#timeline), color.dim("")];
    this.#write(lines.join("\n"));
    this.#linesDrawn = lines.length - 1;
  }

  #erase(): void {
    if (this.#linesDrawn > 0) this.#write(`\r\x1b[${this.#linesDrawn}A\x1b[0J`);
    this.#linesDrawn = 0;
  }
}
