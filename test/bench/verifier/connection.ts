/**
 * One HTTP/1.1 connection of the load, as lean as it can be: Node's own client takes longer for a request than the
 * verifier does, and both share the machine. It knows the answers of this one server: a length, never chunks.
 */
import { connect, type Socket } from "node:net";
import type { Answered, Post } from "./world.ts";

const HEAD_END = Buffer.from("\r\n\r\n");

export class Connection {
  readonly #socket: Socket;
  readonly #host: string;
  #received: Buffer = Buffer.alloc(0);
  #waiting: { begunMs: number; resolve: (answer: Answered) => void; reject: (error: Error) => void } | undefined;

  constructor({ hostname, port, host }: URL) {
    this.#host = host;
    this.#socket = connect(Number(port), hostname);
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (part) => this.#read(part));
    this.#socket.on("error", (error) => this.#waiting?.reject(error));
    this.#socket.on("close", () => this.#waiting?.reject(new Error("the server closed the connection")));
  }

  /** One at a time. */
  send({ path, type, body }: Post): Promise<Answered> {
    const head = `POST ${path} HTTP/1.1\r\nhost: ${this.#host}\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n`;
    return new Promise((resolve, reject) => {
      this.#waiting = { begunMs: performance.now(), resolve, reject };
      this.#socket.write(Buffer.concat([Buffer.from(head), body]));
    });
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #read(part: Buffer): void {
    this.#received = this.#received.length === 0 ? part : Buffer.concat([this.#received, part]);
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.#received.toString("latin1", 0, headEnd);
    const length = Number(/\r\ncontent-length: ([0-9]+)/i.exec(head)![1]);
    const start = headEnd + HEAD_END.length;
    if (this.#received.length < start + length) return;
    const { begunMs, resolve } = this.#waiting!;
    this.#waiting = undefined;
    const body = new Uint8Array(this.#received.subarray(start, start + length));
    this.#received = this.#received.subarray(start + length);
    resolve({ status: Number(head.slice(9, 12)), body, ms: performance.now() - begunMs });
  }
}
