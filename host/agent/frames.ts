/**
 * How mailbox messages cross a stream, such as a Unix socket: a length of 4 bytes, big-endian, and so many bytes. The one
 * who asks sends a request of 1 to 4,096 bytes and waits for the answer before the next. An answer of no bytes says that
 * the board has none: it has no power, or its governor hangs.
 */
import { Limit } from "../../firmware/protocol/limits.ts";

const HEAD_BYTES = 4;

export function encodeFrame(message: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(HEAD_BYTES + message.length);
  frame.writeUInt32BE(message.length);
  frame.set(message, HEAD_BYTES);
  return frame;
}

/** What the other end sends is no frame: nothing that follows can be read. */
class FrameError extends Error {
  constructor(length: number) {
    super(`a message of ${length} bytes: ${Limit.MESSAGE_BYTES_MAX} at most`);
    this.name = "FrameError";
  }
}

export class FrameReader {
  #rest = Buffer.alloc(0);

  /** The messages that are whole with these bytes. Throws a `FrameError`. */
  take(bytes: Uint8Array): Uint8Array[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const messages: Uint8Array[] = [];
    while (this.#rest.length >= HEAD_BYTES) {
      const length = this.#rest.readUInt32BE();
      if (length > Limit.MESSAGE_BYTES_MAX) throw new FrameError(length);
      if (this.#rest.length < HEAD_BYTES + length) break;
      messages.push(new Uint8Array(this.#rest.subarray(HEAD_BYTES, HEAD_BYTES + length)));
      this.#rest = this.#rest.subarray(HEAD_BYTES + length);
    }
    return messages;
  }
}
