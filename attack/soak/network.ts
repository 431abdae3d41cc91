/**
 * The network between boards, agent, verifiers and the parties' people. A message is lost, comes twice, comes late and so out
 * of order; links are cut, whole or one way. Who waits for an answer gives up after a while and never learns whether the
 * question arrived.
 */
import type { Simulation } from "./simulation.ts";
import { gapMs, type Weather } from "./weather.ts";

/** Whether anybody is left to hear an answer: a process that crashed is not. */
export interface Life {
  isOver: boolean;
}

export interface Question<T> {
  readonly from: string;
  readonly to: string;
  readonly name: string;
  /** What the other end makes of it. Undefined: nothing will ever answer. Rejects with a refusal, which is an answer too. */
  readonly serve: () => Promise<{ readonly value: T } | undefined>;
  readonly timeoutMs: number;
  readonly timeout: () => Error;
  readonly life: Life;
  /** Over a connection of its own: nothing comes twice, and nothing arrives once the caller has hung up. */
  readonly isStream?: boolean;
}

const FASTEST_MS = 1;
/** How much longer a slow message takes. */
const SLOW = 40;
const CALM_MS = 5;

export class Network {
  readonly #sim: Simulation;
  readonly #weather: Weather;
  /** Links that carry nothing, "from>to". */
  readonly #cut = new Set<string>();
  /** When the last message of a link is due. */
  readonly #dueMs = new Map<string, number>();
  #isCalm = false;

  constructor(sim: Simulation, weather: Weather) {
    this.#sim = sim;
    this.#weather = weather;
  }

  /** Nothing is lost any more; what is on its way arrives. */
  calm(): void {
    this.#isCalm = true;
    this.#cut.clear();
  }

  /** Cuts these links, "from>to", and mends them after a while. */
  partition(links: readonly string[], ms: number): void {
    for (const link of links) this.#cut.add(link);
    this.#sim.count("partitions");
    this.#sim.after(ms, "mend", () => {
      for (const link of links) this.#cut.delete(link);
    });
  }

  /** Asks and waits. What is served twice is answered twice; the first answer counts. */
  ask<T>({ from, to, name, serve, timeoutMs, timeout, life, isStream = false }: Question<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      const end = (tell: () => void) => {
        if (isOver && !life.isOver) this.#sim.count("answers too late");
        if (isOver || life.isOver) return;
        isOver = true;
        callOff();
        tell();
      };
      const callOff = this.#sim.after(timeoutMs, `${name} timeout`, () => end(() => reject(timeout())));
      const arrive = async () => {
        if (isStream && (isOver || life.isOver)) return;
        const answer = await served(serve);
        if (answer) this.send(to, from, `${name} answer`, () => end(() => answer(resolve, reject)), !isStream);
      };
      this.send(from, to, name, arrive, !isStream);
    });
  }

  /** One way. */
  send(from: string, to: string, name: string, arrive: () => void | Promise<void>, mayComeTwice = true): void {
    const { random } = this.#sim;
    this.#sim.count("messages");
    const link = `${from}>${to}`;
    if (this.#cut.has(link) || this.#happens(this.#weather.lostPermille)) {
      this.#sim.count("messages lost");
      return;
    }
    const label = `${link} ${name}`;
    const isTwice = mayComeTwice && this.#happens(this.#weather.twicePermille);
    if (!isTwice) {
      this.#sim.after(this.#delayMs(link), label, arrive);
      return;
    }
    this.#sim.count("messages that came twice");
    // At once, so that both are under way at the other end, or one some time after the other.
    if (random.below(2) === 0) {
      this.#sim.after(this.#delayMs(link), label, async () => {
        await Promise.all([arrive(), arrive()]);
      });
    } else for (let i = 0; i < 2; i++) this.#sim.after(this.#delayMs(link), label, arrive);
  }

  #happens(permille: number): boolean {
    return !this.#isCalm && this.#sim.random.below(1000) < permille;
  }

  #delayMs(link: string): number {
    const meanMs = this.#isCalm
      ? CALM_MS
      : this.#weather.delayMs * (this.#happens(this.#weather.slowPermille) ? SLOW : 1);
    const delayMs = FASTEST_MS + gapMs(this.#sim.random, meanMs);
    const dueMs = this.#sim.nowMs + delayMs;
    const lastMs = this.#dueMs.get(link) ?? 0;
    if (dueMs < lastMs) this.#sim.count("messages that overtook others");
    else this.#dueMs.set(link, dueMs);
    return delayMs;
  }
}

type Settle<T> = (resolve: (value: T) => void, reject: (error: unknown) => void) => void;

async function served<T>(serve: Question<T>["serve"]): Promise<Settle<T> | undefined> {
  try {
    const answer = await serve();
    // As if it had been bytes on the way: nobody shares anything with the other end.
    return answer && ((resolve) => resolve(structuredClone(answer.value)));
  } catch (error) {
    return (_, reject) => reject(error);
  }
}
