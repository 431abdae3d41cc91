/** One life of an external signer: a child process, the requests that wait for it, and why it ended. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { KeyError } from "./errors.ts";
import { type Line, lineOf, readLines } from "./signer-lines.ts";

type Waiting = { resolve: (answer: Line) => void; reject: (error: KeyError) => void; timer: NodeJS.Timeout };

/** Requests at once: what a signer of 1,000 signatures a second answers within the default time many times over. */
const WAITING_MAX = 256;
const CLOSE_MS_MAX = 2000;
const TEXT_MAX = 200;

export class SignerConnection {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting = new Map<number, Waiting>();
  readonly #closed: Promise<void>;
  readonly #timeoutMs: number;
  #nextId = 1;
  #ended: KeyError | undefined;

  /** The program and its arguments: no shell reads them. What the signer says on stderr goes to ours. */
  constructor(command: readonly string[], timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    const [program, ...args] = command;
    this.#child = spawn(program!, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#child.on("error", (cause) => {
      this.#end(new KeyError("keys/signer-start", `${program}: ${(cause as NodeJS.ErrnoException).code}`, { cause }));
    });
    // A pipe that breaks says less than the end of the process, which follows.
    this.#child.stdin.on("error", () => {});
    this.#closed = new Promise((resolve) => {
      this.#child.on("close", (exit, signal) => {
        this.#end(new KeyError("keys/signer-lost", signal ?? `exit code ${exit}`));
        resolve();
      });
    });
    void this.#listen();
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** The answer with this request's id. Rejects with a `KeyError`. */
  ask(request: Line): Promise<Line> {
    if (this.#ended) return Promise.reject(this.#ended);
    if (this.#waiting.size >= WAITING_MAX) return Promise.reject(new KeyError("keys/signer-busy", `${WAITING_MAX}`));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#tooLate(id), this.#timeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#child.stdin.write(lineOf({ id, ...request }));
    });
  }

  /** Lets the process end by itself, for a while. */
  async close(): Promise<void> {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), CLOSE_MS_MAX);
    await this.#closed;
    clearTimeout(timer);
  }

  async #listen(): Promise<void> {
    try {
      for await (const line of readLines(this.#child.stdout)) this.#take(line);
    } catch (cause) {
      const error = cause instanceof KeyError ? cause : new KeyError("keys/signer-lost", String(cause), { cause });
      this.#end(error);
    }
  }

  #take(line: Line): void {
    const { id, error } = line;
    const waiting = typeof id === "number" ? this.#waiting.get(id) : undefined;
    if (!waiting) throw new KeyError("keys/signer-protocol", "an answer that nobody asked for");
    this.#waiting.delete(id as number);
    clearTimeout(waiting.timer);
    if (error === undefined) waiting.resolve(line);
    else waiting.reject(new KeyError("keys/signer-refused", errorText(error)));
  }

  /** What a signer that is late will say to whom is not known: it is ended. */
  #tooLate(id: number): void {
    const late = this.#waiting.get(id);
    this.#waiting.delete(id);
    late?.reject(new KeyError("keys/signer-timeout", `${this.#timeoutMs} ms`));
    this.#end(new KeyError("keys/signer-lost", "ended because it was late"));
  }

  #end(error: KeyError): void {
    if (this.#ended) return;
    this.#ended = error;
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#waiting.clear();
    this.#child.kill("SIGKILL");
  }
}

/** Foreign text: bounded, and without what a terminal acts on. */
function errorText(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return `${code}: ${message}`.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?").slice(0, TEXT_MAX);
}
