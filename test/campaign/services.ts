/** The verifier's processes that serve one store, where each is reached now, and how it is struck. */
import { Agent, request } from "undici";
import { StandBys, type VerifierProcess } from "./process.ts";
import type { ServerOrder } from "./server.ts";

export interface Post {
  readonly path: string;
  readonly type: string;
  readonly body: Uint8Array;
}

export interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
}

/** A process that serves, or the wait for the next one in its place. */
interface Place {
  process: VerifierProcess | undefined;
  address: Promise<string>;
  serveAt: (address: string) => void;
}

/** Loaded ahead of need: as many as there are cores on a small machine. */
const AHEAD = 2;

export class Services {
  isClosed = false;
  /** Rises whenever a process was killed. */
  generation = 0;
  readonly count: number;
  readonly #order: ServerOrder;
  readonly #agent = new Agent();
  readonly #standBys = new StandBys(AHEAD);
  readonly #places: Place[];
  readonly #onEnd: (complaint: string) => void;

  /** `onEnd` is told of a process that ended without having been killed. */
  constructor(order: ServerOrder, count: number, onEnd: (complaint: string) => void) {
    this.count = count;
    this.#order = order;
    this.#onEnd = onEnd;
    this.#places = Array.from({ length: count }, () => vacant());
  }

  /** One try. Throws when no answer comes: whether the request was served is then not known. */
  async post(index: number, { path, type, body }: Post): Promise<Answer> {
    const address = await this.#places[index]!.address;
    const answer = await request(new URL(path, address), {
      method: "POST",
      headers: { "content-type": type },
      body,
      dispatcher: this.#agent,
    });
    return { status: answer.statusCode, body: await answer.body.bytes() };
  }

  /** One try to read something. Throws when no answer comes. */
  async read(index: number, path: string): Promise<Answer> {
    const answer = await request(new URL(path, await this.#places[index]!.address), { dispatcher: this.#agent });
    return { status: answer.statusCode, body: await answer.body.bytes() };
  }

  /** A document, from the first of them. */
  async get(path: string, token: string): Promise<unknown> {
    const answer = await request(new URL(path, await this.#places[0]!.address), {
      headers: { authorization: `Bearer ${token}` },
      dispatcher: this.#agent,
    });
    if (answer.statusCode !== 200) throw new Error(`GET ${path}: ${answer.statusCode} ${await answer.body.text()}`);
    return answer.body.json();
  }

  async start(): Promise<void> {
    for (let index = 0; index < this.count; index += 1) await this.serve(index);
  }

  /** Who asks from now on waits for the next process. */
  async kill(index: number): Promise<void> {
    const { process } = this.#places[index]!;
    this.#places[index] = vacant();
    this.generation += 1;
    await process!.kill();
  }

  /** The next process serves in this place. */
  async serve(index: number): Promise<void> {
    const process = await this.#standBys.take();
    const address = await process.serve(this.#order);
    const place = this.#places[index]!;
    place.process = process;
    void process.ended.then(() => {
      if (!process.isKilled) this.#onEnd(process.complaint);
    });
    place.serveAt(address);
  }

  /** A process that is killed while it opens the store, `delayed` after it was told to. */
  async killOpening(delayed: () => Promise<void>): Promise<void> {
    const process = await this.#standBys.take();
    const opening = process.serve(this.#order).catch(() => {});
    await delayed();
    await process.kill();
    await opening;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.#agent.destroy();
    await Promise.all(this.#places.map(({ process }) => process?.kill()));
    await this.#standBys.close();
  }
}

function vacant(): Place {
  let serveAt!: (address: string) => void;
  const address = new Promise<string>((resolve) => {
    serveAt = resolve;
  });
  return { process: undefined, address, serveAt };
}
