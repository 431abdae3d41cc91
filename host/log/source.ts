/**
 * A log as C2SP tlog-tiles serves it: checkpoint, tiles and bundles of entries by their paths, over HTTP or from a folder
 * that has the same paths. What comes is bounded and of the right length, and nothing more: whoever reads it verifies it.
 */
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { ClientError } from "../client/errors.ts";
import type { ClientOptions } from "../client/options.ts";
import { type HttpAnswer, Transport } from "../client/transport.ts";
import { VerifierError } from "../verifier/errors.ts";
import { ENTRY_BYTES_MAX } from "./entry.ts";
import { LogError } from "./errors.ts";
import { readIfThere } from "./folder.ts";
import { HASH_BYTES } from "./merkle.ts";
import { NOTE_BYTES_MAX, noteText } from "./note.ts";
import { bundlePath, decodeBundle, TILE_WIDTH, type TileSource, tilePath } from "./tiles.ts";

/** Where a checkpoint is below the log's prefix. */
export const CHECKPOINT_PATH = "checkpoint";
/** What gzip adds to what it cannot make smaller: a header with a name, a trailer, 5 bytes each 64 KiB. */
const CODING_BYTES_MAX = 1024;

/** Everything rejects with `LogError`: `log/source` for what is not there, `log/tile` for what has another length. */
export interface LogSource extends TileSource {
  /** The note of the newest head. */
  checkpoint(): Promise<string>;
  /** The first `width` entries of a bundle, 1 to 256. */
  bundle(index: number, width: number): Promise<Uint8Array[]>;
  close(): Promise<void>;
}

/** By paths, wherever these lead. */
abstract class PathSource implements LogSource {
  /** Undefined where there is nothing. */
  protected abstract read(path: string, bytesMax: number): Promise<Uint8Array | undefined>;

  async close(): Promise<void> {}

  async checkpoint(): Promise<string> {
    const bytes = await this.read(CHECKPOINT_PATH, NOTE_BYTES_MAX);
    if (!bytes) throw new LogError("log/source", "the log has no checkpoint");
    return noteText(bytes);
  }

  async tile(level: number, index: number, width: number): Promise<Uint8Array> {
    const [path, bytes, isWhole] = await this.#find((w) => tilePath(level, index, w), width, HASH_BYTES);
    const length = (isWhole ? width : TILE_WIDTH) * HASH_BYTES;
    if (bytes.length !== length)
      throw new LogError("log/tile", `${path} has ${bytes.length} bytes instead of ${length}`);
    return bytes.slice(0, width * HASH_BYTES);
  }

  async bundle(index: number, width: number): Promise<Uint8Array[]> {
    const [path, bytes, isWhole] = await this.#find((w) => bundlePath(index, w), width, 2 + ENTRY_BYTES_MAX);
    const entries = decodeBundle(bytes);
    const count = isWhole ? width : TILE_WIDTH;
    if (entries.length !== count) {
      throw new LogError("log/tile", `${path} has ${entries.length} entries instead of ${count}`);
    }
    return entries.slice(0, width);
  }

  /** A partial one may have gone when the full one came: its beginning is the same. */
  async #find(
    pathOf: (width: number) => string,
    width: number,
    itemBytesMax: number,
  ): Promise<[path: string, bytes: Uint8Array, isWhole: boolean]> {
    const path = pathOf(width);
    const bytes = await this.read(path, width * itemBytesMax);
    if (bytes) return [path, bytes, true];
    const full = width < TILE_WIDTH ? await this.read(pathOf(TILE_WIDTH), TILE_WIDTH * itemBytesMax) : undefined;
    if (full) return [pathOf(TILE_WIDTH), full, false];
    throw new LogError("log/source", `${path} is not there, or too long`);
  }
}

/** Rejects with `ClientError` too, for what HTTP fails with. */
export class HttpSource extends PathSource {
  readonly #transport: Transport;

  /** `url` is the log's prefix. Connects nothing yet. Throws `ClientError` (`client/options`). */
  constructor(options: ClientOptions) {
    super();
    this.#transport = new Transport(options);
  }

  override close(): Promise<void> {
    return this.#transport.close();
  }

  protected override async read(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
    const { status, encoding, body } = await this.#get(path, bytesMax + CODING_BYTES_MAX);
    if (status === 404) return undefined;
    if (encoding === "" || encoding === "identity") {
      if (body.length > bytesMax) throw new LogError("log/source", `${path} is longer than ${bytesMax} bytes`);
      return body;
    }
    // The specification lets a log use gzip unasked.
    if (encoding !== "gzip") throw new LogError("log/source", `${path} is coded as ${encoding}`);
    try {
      return new Uint8Array(await promisify(gunzip)(body, { maxOutputLength: bytesMax }));
    } catch (cause) {
      throw new LogError("log/source", `${path} is no gzip, or too long`, { cause });
    }
  }

  async #get(path: string, answerBytesMax: number): Promise<HttpAnswer> {
    try {
      return await this.#transport.request({
        method: "GET",
        path: `/${path}`,
        accept: path === CHECKPOINT_PATH ? "text/plain" : "application/octet-stream",
        headers: [["accept-encoding", "gzip, identity"]],
        isIdempotent: true,
        answerBytesMax,
        mayBeMissing: true,
      });
    } catch (error) {
      // A verifier's own words for it, as that nothing is published yet: whoever follows a log minds only how it went.
      throw error instanceof VerifierError && error.cause instanceof ClientError ? error.cause : error;
    }
  }
}

export class FolderSource extends PathSource {
  readonly #folder: string;

  constructor(folder: string) {
    super();
    this.#folder = folder;
  }

  protected override read(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
    return readIfThere(join(this.#folder, path), bytesMax);
  }
}
