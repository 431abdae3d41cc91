/** A board's mailbox behind a Unix socket: frames in, frames out (host/agent/frames.ts), one request after the other. */
import { rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { encodeFrame, FrameReader } from "../../agent/frames.ts";
import { wrongUse } from "../exit.ts";

/** The answer to a request; undefined where the board has none. */
export type Answer = (request: Uint8Array) => Uint8Array | undefined | Promise<Uint8Array | undefined>;

const CONNECTIONS_MAX = 16;
/** The longest that every system takes (sun_path). */
const PATH_BYTES_MAX = 103;
const NOTHING = new Uint8Array(0);

export class BoardServer {
  readonly path: string;
  readonly #answer: Answer;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(path: string, answer: Answer) {
    this.path = path;
    this.#answer = answer;
    this.#server = createServer((socket) => this.#serve(socket));
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Throws a `CliError` where somebody listens there already, or nobody can. */
  static async listen(path: string, answer: Answer): Promise<BoardServer> {
    if (Buffer.byteLength(path) > PATH_BYTES_MAX) {
      throw wrongUse(`${path} is too long for a socket: ${PATH_BYTES_MAX} bytes at most`);
    }
    await removeStale(path);
    const server = new BoardServer(path, answer);
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", (cause: NodeJS.ErrnoException) => {
        reject(wrongUse(`${path} cannot be listened on: ${cause.code}`, cause));
      });
      server.#server.listen(path, resolve);
    });
    return server;
  }

  /** Nobody is answered any more, and the socket is gone. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    rmSync(this.path, { force: true });
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    const reader = new FrameReader();
    let busy: Promise<void> = Promise.resolve();
    socket.on("error", () => {});
    socket.once("close", () => this.#sockets.delete(socket));
    socket.on("data", (bytes) => {
      let requests: Uint8Array[];
      try {
        requests = reader.take(bytes);
      } catch {
        // Who sends something else than frames is not spoken with.
        socket.destroy();
        return;
      }
      socket.pause();
      busy = busy.then(() => this.#answerAll(socket, requests));
      busy.then(
        () => socket.resume(),
        () => socket.destroy(),
      );
    });
  }

  async #answerAll(socket: Socket, requests: readonly Uint8Array[]): Promise<void> {
    for (const request of requests) {
      const answer = request.length > 0 ? await this.#answer(request) : undefined;
      if (!socket.destroyed) socket.write(encodeFrame(answer ?? NOTHING));
    }
  }
}

/** What a process that was killed left behind. */
async function removeStale(path: string): Promise<void> {
  const isServed = await new Promise<boolean>((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
  if (isServed) throw wrongUse(`${path} is served by another process already`);
  rmSync(path, { force: true });
}
