/** A rig that listens, and clients that speak to it byte by byte. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type Listening, type ListenOptions, type ServerLimits, serve } from "../../../host/http/serve.ts";
import { makeRig, type Rig } from "./rig.ts";

const LIMITS: ServerLimits = {
  connectionsMax: 100,
  headerBytesMax: 16_384,
  headersTimeoutMs: 60_000,
  requestTimeoutMs: 60_000,
  keepAliveTimeoutMs: 60_000,
  shutdownMs: 60_000,
};

export interface ListeningRig {
  readonly rig: Rig;
  readonly listening: Listening;
  readonly port: number;
}

export async function listen(
  options: Parameters<typeof makeRig>[0] = {},
  { limits = {}, ...rest }: Partial<Omit<ListenOptions, "limits">> & { limits?: Partial<ServerLimits> } = {},
): Promise<ListeningRig> {
  const rig = await makeRig(options);
  const tcp = { host: "127.0.0.1", port: 0 };
  const listening = await serve(rig, { tcp, ...rest, limits: { ...LIMITS, ...limits } });
  const port = Number(new URL(listening.addresses[0]!).port || 0);
  return { rig, listening, port };
}

/** A connection to which bytes are written as they are, and whose answer is read to its end. */
export class RawClient {
  readonly socket: Socket;
  #received = "";
  readonly #ended: Promise<void>;

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.setEncoding("latin1").on("data", (text) => {
      this.#received += text;
    });
    // A connection that is cut off is an end too.
    this.socket.on("error", () => {});
    this.#ended = new Promise((resolve) => {
      this.socket.once("close", () => resolve());
    });
  }

  send(text: string | Uint8Array): this {
    this.socket.write(text);
    return this;
  }

  /** All that was received, when the other end has closed. */
  async end(): Promise<string> {
    await this.#ended;
    return this.#received;
  }

  /** As soon as what was received matches. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.#received))
      await Promise.race([
        once(this.socket, "data"),
        this.#ended.then(() => {
          throw new Error(`closed after: ${this.#received}`);
        }),
      ]);
    return this.#received;
  }
}
