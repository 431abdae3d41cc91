/**
 * Boards behind Unix sockets: one folder, a socket `NAME.sock` for each board, and beside it the manufacturer's
 * endorsement, `NAME.endorsement.cbor`. Frames: see frames.ts. Whoever may open the sockets may talk to the boards; that is
 * the folder's business, and gives nobody a license.
 */
import { constants } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { Limit } from "../../firmware/protocol/limits.ts";
import { Slots } from "../client/slots.ts";
import { type BoardDriver, type BoardPort, DriverError } from "./driver.ts";
import { encodeFrame, FrameReader } from "./frames.ts";

export interface SocketDriverOptions {
  /** To connect, and for each answer. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
const BOARDS_MAX = 4_096;
/** Requests that wait for one board. */
const WAITING_MAX = 64;
const NAME = /^([A-Za-z0-9][A-Za-z0-9._-]{0,63})\.sock$/;

export class SocketDriver implements BoardDriver {
  readonly #folder: string;
  readonly #timeoutMs: number;

  constructor(folder: string, { timeoutMs = TIMEOUT_MS }: SocketDriverOptions = {}) {
    this.#folder = folder;
    this.#timeoutMs = timeoutMs;
  }

  async list(): Promise<readonly string[]> {
    let names: string[];
    try {
      names = await readdir(this.#folder);
    } catch (cause) {
      throw new DriverError("driver/folder", `${this.#folder}: ${codeOf(cause)}`, { cause });
    }
    const boards = names.flatMap((name) => NAME.exec(name)?.[1] ?? []).sort();
    if (boards.length > BOARDS_MAX)
      throw new DriverError("driver/folder", `${boards.length} boards: ${BOARDS_MAX} at most`);
    return boards;
  }

  open(name: string): BoardPort {
    return new SocketPort(name, this.#folder, this.#timeoutMs);
  }
}

type Connection = {
  readonly socket: Socket;
  answer: ((message: Uint8Array) => void) | undefined;
  fail: (error: DriverError) => void;
};

class SocketPort implements BoardPort {
  readonly name: string;
  readonly #folder: string;
  readonly #timeoutMs: number;
  readonly #turns = new Slots(1, WAITING_MAX, () => new DriverError("driver/busy"));
  #connection: Connection | undefined;

  constructor(name: string, folder: string, timeoutMs: number) {
    this.name = name;
    this.#folder = folder;
    this.#timeoutMs = timeoutMs;
  }

  readonly exchange = (request: Uint8Array): Promise<Uint8Array> => this.#turns.run(() => this.#exchange(request));

  async endorsement(): Promise<Uint8Array | undefined> {
    const name = `${this.name}.endorsement.cbor`;
    try {
      const file = await open(join(this.#folder, name), constants.O_RDONLY);
      try {
        const buffer = Buffer.alloc(Limit.MESSAGE_BYTES_MAX + 1);
        const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
        if (bytesRead > Limit.MESSAGE_BYTES_MAX) throw new DriverError("driver/endorsement", `${name} is too long`);
        return new Uint8Array(buffer.subarray(0, bytesRead));
      } finally {
        await file.close();
      }
    } catch (cause) {
      if (cause instanceof DriverError) throw cause;
      if (codeOf(cause) === "ENOENT") return undefined;
      throw new DriverError("driver/endorsement", `${name}: ${codeOf(cause)}`, { cause });
    }
  }

  close(): void {
    this.#drop(new DriverError("driver/lost", "closed"));
  }

  async #exchange(request: Uint8Array): Promise<Uint8Array> {
    const connection = this.#connection ?? (await this.#connect());
    const answer = await new Promise<Uint8Array>((resolve, reject) => {
      const timer = setTimeout(
        () => this.#drop(new DriverError("driver/timeout", `${this.#timeoutMs} ms`)),
        this.#timeoutMs,
      );
      const end = () => {
        clearTimeout(timer);
        connection.answer = undefined;
      };
      connection.answer = (message) => {
        end();
        resolve(message);
      };
      connection.fail = (error) => {
        end();
        reject(error);
      };
      connection.socket.write(encodeFrame(request));
    });
    if (answer.length === 0) throw new DriverError("driver/silent");
    return answer;
  }

  #connect(): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ path: join(this.#folder, `${this.name}.sock`) });
      const reader = new FrameReader();
      const timer = setTimeout(() => socket.destroy(new DriverError("driver/connect", "timeout")), this.#timeoutMs);
      const connection: Connection = {
        socket,
        answer: undefined,
        fail: (error) => reject(new DriverError("driver/connect", error.message, { cause: error })),
      };
      socket.once("connect", () => {
        clearTimeout(timer);
        connection.fail = () => {};
        this.#connection = connection;
        resolve(connection);
      });
      socket.on("data", (bytes) => this.#read(connection, reader, bytes));
      socket.once("error", (cause) => {
        const error = cause instanceof DriverError ? cause : new DriverError("driver/lost", codeOf(cause), { cause });
        this.#end(connection, error);
      });
      socket.once("close", () => {
        clearTimeout(timer);
        this.#end(connection, new DriverError("driver/lost", "the other end closed it"));
      });
    });
  }

  /** An answer that nobody waits for, or that is none, means that the two ends are out of step. */
  #read(connection: Connection, reader: FrameReader, bytes: Uint8Array): void {
    try {
      for (const message of reader.take(bytes)) {
        if (!connection.answer) throw new DriverError("driver/frame", "nobody asked for it");
        connection.answer(message);
      }
    } catch (cause) {
      const error = cause instanceof DriverError ? cause : new DriverError("driver/frame", String(cause), { cause });
      this.#end(connection, error);
    }
  }

  #drop(error: DriverError): void {
    if (this.#connection) this.#end(this.#connection, error);
  }

  /** The next request connects anew. */
  #end(connection: Connection, error: DriverError): void {
    if (this.#connection === connection) this.#connection = undefined;
    connection.socket.destroy();
    const { fail } = connection;
    connection.fail = () => {};
    fail(error);
  }
}

function codeOf(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? String(cause);
}
