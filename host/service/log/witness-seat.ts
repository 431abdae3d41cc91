/** One witness of the log: what it cosigned last, whether it is being asked, and when it may be asked again. */
import type { NoteKey } from "../../log/note.ts";
import { WitnessClient, type WitnessClientOptions } from "../../log/witness-client.ts";

export interface WitnessHere {
  /** What people call it here; what it signs as is its key's name. */
  readonly name: string;
  /** Its submission prefix (C2SP tlog-witness). */
  readonly url: string;
  /** Type 4. */
  readonly key: NoteKey;
}

/** As it is shown. */
export interface WitnessView {
  readonly name: string;
  readonly url: string;
  readonly vkey: string;
  /** Of the newest head that it cosigned; 0: none yet. */
  readonly size: number;
  /** When it did, Unix seconds. */
  readonly seconds?: number | undefined;
  /** Why the newest try came to nothing; absent after one that did not. */
  readonly problem?: string | undefined;
}

/** First wait after a failure, and the longest, in ms. */
export interface Backoff {
  readonly leastMs: number;
  readonly mostMs: number;
}

export const BACKOFF: Backoff = { leastMs: 500, mostMs: 60_000 };

export class WitnessSeat {
  readonly here: WitnessHere;
  readonly client: WitnessClient;
  isBusy = false;
  /** Of the newest head that it has cosigned and whose cosignature is stored here. */
  size = 0;
  /** Where the witness stands, as far as is known: it may have cosigned for another process, which did not store it. */
  standsAt = 0;
  seconds: number | undefined;
  problem: string | undefined;
  /** Whether it says that it has seen more of the log than there is. */
  hasSeenMore = false;
  readonly #backoff: Backoff;
  #failures = 0;
  /** On the clock of `performance.now`. */
  #againMs = 0;

  constructor(here: WitnessHere, backoff: Backoff, options: Pick<WitnessClientOptions, "dispatcher" | "timeoutMs">) {
    this.here = here;
    this.#backoff = backoff;
    this.client = new WitnessClient({ url: here.url, key: here.key, ...options });
  }

  isFree(nowMs: number): boolean {
    return !this.isBusy && nowMs >= this.#againMs;
  }

  cosigned(size: number, seconds: number): void {
    this.size = size;
    this.standsAt = size;
    this.seconds = seconds;
    this.problem = undefined;
    this.hasSeenMore = false;
    this.#failures = 0;
    this.#againMs = 0;
  }

  failed(problem: string, nowMs: number): void {
    this.problem = problem;
    // A power of two stays far below the longest wait's.
    const waitMs = Math.min(this.#backoff.mostMs, this.#backoff.leastMs * 2 ** Math.min(this.#failures, 20));
    this.#failures += 1;
    this.#againMs = nowMs + waitMs;
  }

  /** How long it is left alone from now on; 0 where it may be asked. */
  restMs(nowMs: number): number {
    return Math.max(0, this.#againMs - nowMs);
  }
}
