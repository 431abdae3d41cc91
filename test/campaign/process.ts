/** Processes of a verifier: some are loaded ahead, each serves a store when it is told to, and is killed at last. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { MODULES, serverProgram } from "./program.ts";
import type { ServerOrder } from "./server.ts";

const COMPLAINT_CHARACTERS_MAX = 2000;

export class VerifierProcess {
  /** What it wrote on stderr, the end of it. */
  complaint = "";
  readonly ended: Promise<void>;
  /** Resolves when it can be told what to serve. */
  readonly loaded: Promise<string>;
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  #isKilled = false;

  constructor() {
    this.#child = spawn(process.execPath, [serverProgram()], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, NODE_PATH: MODULES },
    });
    this.#child.stdin!.on("error", () => {});
    this.#child.stderr!.on("data", (part) => {
      this.complaint = (this.complaint + part).slice(-COMPLAINT_CHARACTERS_MAX);
    });
    this.#lines = createInterface({ input: this.#child.stdout! });
    this.ended = once(this.#child, "close").then(() => {});
    this.loaded = this.#line();
    this.loaded.catch(() => {});
  }

  get isKilled(): boolean {
    return this.#isKilled;
  }

  /** Gives the address under which it serves. Throws when it ends instead. */
  serve(order: ServerOrder): Promise<string> {
    this.#child.stdin!.write(`${JSON.stringify(order)}\n`);
    return this.#line();
  }

  /** `kill -9`. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#isKilled = true;
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  #line(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#lines.once("line", resolve);
      void this.ended.then(() => reject(new Error(`a verifier's process ended by itself: ${this.complaint}`)));
    });
  }
}

export class StandBys {
  readonly #waiting: VerifierProcess[];

  constructor(count: number) {
    this.#waiting = Array.from({ length: count }, () => new VerifierProcess());
  }

  /** One that is loaded; another one begins to load in its place. */
  async take(): Promise<VerifierProcess> {
    const process = this.#waiting.shift()!;
    this.#waiting.push(new VerifierProcess());
    await process.loaded;
    return process;
  }

  async close(): Promise<void> {
    await Promise.all(this.#waiting.map((process) => process.kill()));
  }
}
