/**
 * Verifiers over HTTP for a caller that cannot wait for promises: the demo, whose time is simulated and stands still
 * meanwhile. A thread of its own makes the requests; the caller sleeps on shared memory until the answer lies there.
 * Nothing else in the caller's thread runs in that time, so this is for programs that have nothing else to do.
 */
import { Worker } from "node:worker_threads";
import type { VerifierLink } from "../agent/agent.ts";
import type { Registration } from "../service/service.ts";
import type { VerifierClient } from "./client.ts";
import { ClientError } from "./errors.ts";
import {
  type NamedClient,
  readTold,
  State,
  type SyncCall,
  type SyncWorkerData,
  WORDS_BYTES,
  Word,
} from "./sync-wire.ts";

/** The methods of T that answer at once what they would promise. */
export type Synchronous<T> = {
  readonly [K in keyof T as T[K] extends (...args: never[]) => Promise<unknown> ? K : never]: T[K] extends (
    ...args: infer A
  ) => Promise<infer R>
    ? (...args: A) => R
    : never;
};

export interface SyncOptions {
  /** 1 to 8, each by its own name. */
  readonly verifiers: readonly NamedClient[];
  /** Others that are reached by their names alone: the same verifiers for somebody with a token, for instance. */
  readonly others?: readonly NamedClient[];
  /** How long the rest of the verifiers are waited for once enough have answered; default: a second. */
  readonly graceMs?: number;
  /** Whose the boards are. */
  readonly registration?: Partial<Registration>;
  /** Of one call, with all its tries. */
  readonly timeoutMs?: number;
  readonly answerBytesMax?: number;
}

const TIMEOUT_MS = 60_000;
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
/** The thread compiles what it runs. */
const START_TIMEOUT_MS = 60_000;
const SCRIPT = new URL("./sync-worker.mjs", import.meta.url);

export class SyncVerifiers {
  readonly #options: SyncOptions;
  readonly #timeoutMs: number;
  #thread: { readonly worker: Worker; readonly words: Int32Array; readonly room: Uint8Array } | undefined;
  #isClosed = false;
  /** All of them, as the agent sees a verifier. */
  readonly link: VerifierLink;

  /** Starts nothing yet. */
  constructor(options: SyncOptions) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.link = this.#proxy<VerifierLink>(undefined);
  }

  /** Starts the thread without waiting for it: the first call has less to wait for. */
  start(): void {
    this.#start();
  }

  /** One of them by its name, call by call as `VerifierClient` has them. */
  verifier(name: string): Synchronous<VerifierClient> {
    return this.#proxy<Synchronous<VerifierClient>>(name);
  }

  /** What is on the way is given up. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#stop();
  }

  #proxy<T extends object>(of: string | undefined): T {
    const get = (_target: object, method: string | symbol) =>
      typeof method === "string" ? (...args: unknown[]) => this.#ask({ of, method, args }) : undefined;
    return new Proxy({}, { get }) as T;
  }

  #ask(call: SyncCall): unknown {
    if (this.#isClosed) throw new ClientError("client/closed");
    const { worker, words, room } = this.#start();
    this.#await(words, State.STARTING, START_TIMEOUT_MS);
    Atomics.store(words, Word.STATE, State.ASKED);
    worker.postMessage(call);
    this.#await(words, State.ASKED, this.#timeoutMs);
    return readTold(room.slice(0, Atomics.load(words, Word.LENGTH)));
  }

  #start() {
    if (this.#thread) return this.#thread;
    const { verifiers, others = [], registration, graceMs, answerBytesMax } = this.#options;
    const shared = new SharedArrayBuffer(WORDS_BYTES + (answerBytesMax ?? ANSWER_BYTES_MAX));
    const workerData: SyncWorkerData = { verifiers, others, registration, graceMs, shared };
    const worker = new Worker(SCRIPT, { workerData });
    worker.unref();
    const words = new Int32Array(shared, 0, WORDS_BYTES / 4);
    this.#thread = { worker, words, room: new Uint8Array(shared, WORDS_BYTES) };
    return this.#thread;
  }

  #await(words: Int32Array, from: number, timeoutMs: number): void {
    if (Atomics.wait(words, Word.STATE, from, timeoutMs) !== "timed-out") return;
    // What it would still write must not be taken for the answer to another call.
    void this.#stop();
    throw new ClientError("client/timeout", `${timeoutMs} ms`);
  }

  async #stop(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.worker.terminate();
  }
}
