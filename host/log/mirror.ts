/**
 * A copy of a log in a folder, under the paths of C2SP tlog-tiles, so that it can be served as it is; and below
 * `checkpoints/` the first and the last cosigned note of every size that was seen, for proofs over a time range. Nothing is
 * kept that was not verified, and the checkpoint is written last: it never names what is not there.
 */
import { join, relative } from "node:path";
import { sameBytes } from "../verifier/bytes.ts";
import { LogError } from "./errors.ts";
import { filesBelow, readIfThere, remove, writeDurably } from "./folder.ts";
import { type CosignedCheckpoint, hasQuorum, type LogKeys, openAny } from "./log-keys.ts";
import { HASH_BYTES, leafHash } from "./merkle.ts";
import { NOTE_BYTES_MAX, noteText } from "./note.ts";
import { CHECKPOINT_PATH, FolderSource } from "./source.ts";
import {
  bundlePath,
  encodeBundle,
  indexPath,
  TILE_BYTES,
  TILE_WIDTH,
  type Tile,
  type TileSource,
  tilePath,
  tileWidth,
  treeRoot,
} from "./tiles.ts";

export interface Leaf {
  readonly index: number;
  /** The entry. */
  readonly bytes: Uint8Array;
}

const HISTORY_FOLDER = "checkpoints";
const FIRST = ".first";
const LAST = ".last";

export class Mirror implements TileSource {
  readonly folder: string;
  readonly #keys: LogKeys;
  readonly #source: FolderSource;
  #head: CosignedCheckpoint | undefined;

  private constructor(folder: string, keys: LogKeys, head: CosignedCheckpoint | undefined) {
    this.folder = folder;
    this.#keys = keys;
    this.#source = new FolderSource(folder);
    this.#head = head;
  }

  /**
   * What is in the folder; a folder that is not there is an empty mirror. Throws a `LogError`: `log/mirror` where the tiles
   * are not those of the checkpoint, and what `openAny` throws for one that this log did not sign.
   */
  static async open(folder: string, keys: LogKeys): Promise<Mirror> {
    const bytes = await readIfThere(join(folder, CHECKPOINT_PATH), NOTE_BYTES_MAX);
    const head = bytes && openAny(noteText(bytes), keys);
    const mirror = new Mirror(folder, keys, head);
    if (head && !sameBytes(await treeRoot(mirror, head.size), head.root)) {
      throw new LogError("log/mirror", `the tiles in ${folder} are not those of its checkpoint: see log fsck`);
    }
    return mirror;
  }

  /** The newest head whose entries are here. */
  get head(): CosignedCheckpoint | undefined {
    return this.#head;
  }

  get size(): number {
    return this.#head?.size ?? 0;
  }

  tile(level: number, index: number, width: number): Promise<Uint8Array> {
    return this.#source.tile(level, index, width);
  }

  /** Entries from `begin` up to `end`, each held against its leaf hash. Throws a `LogError` (`log/mirror`). */
  async *leaves(begin = 0, end = this.size): AsyncGenerator<Leaf> {
    for (let bundle = Math.floor(begin / TILE_WIDTH); bundle * TILE_WIDTH < end; bundle++) {
      const width = tileWidth(0, bundle, this.size);
      const [entries, hashes] = [await this.#source.bundle(bundle, width), await this.tile(0, bundle, width)];
      for (const [place, bytes] of entries.entries()) {
        const index = bundle * TILE_WIDTH + place;
        if (index < begin || index >= end) continue;
        if (!sameBytes(leafHash(bytes), hashes.subarray(place * HASH_BYTES, (place + 1) * HASH_BYTES))) {
          throw new LogError("log/mirror", `${bundlePath(bundle, width)}: entry ${index} is not the leaf`);
        }
        yield { index, bytes };
      }
    }
  }

  /** Entries of a bundle, whose hashes the caller has held against the tree. */
  async keepBundle(index: number, entries: readonly Uint8Array[]): Promise<void> {
    await this.#write(bundlePath(index, entries.length), encodeBundle(entries));
  }

  /** A newer head, whose bundles are kept already; `tiles` are those that changed. */
  async keepHead(head: CosignedCheckpoint, tiles: readonly Tile[]): Promise<void> {
    for (const { level, index, hashes } of tiles)
      await this.#write(tilePath(level, index, hashes.length / HASH_BYTES), hashes);
    await this.keepNote(head);
    // A partial tile has served its time when the full one is there.
    for (const { level, index, hashes } of tiles) {
      if (hashes.length < TILE_BYTES) continue;
      await remove(join(this.folder, `${tilePath(level, index, TILE_WIDTH)}.p`));
      if (level === 0) await remove(join(this.folder, `${bundlePath(index, TILE_WIDTH)}.p`));
    }
  }

  /** A note of the head that is here, or that `keepHead` brings: it may have further cosignatures. */
  async keepNote(head: CosignedCheckpoint): Promise<void> {
    const bytes = Buffer.from(head.note);
    if (hasQuorum(head, this.#keys)) {
      const name = `${HISTORY_FOLDER}/${indexPath(head.size)}`;
      const first = await readIfThere(join(this.folder, name + FIRST), NOTE_BYTES_MAX);
      await this.#write(name + (first ? LAST : FIRST), bytes);
    }
    await this.#write(CHECKPOINT_PATH, bytes);
    this.#head = head;
  }

  /** Cosigned notes that were seen, by size, at most two of each. Throws a `LogError` as `openAny` does. */
  async *history(): AsyncGenerator<CosignedCheckpoint> {
    for await (const { bytes } of notesOf(this.folder)) yield openAny(noteText(bytes), this.#keys);
  }

  #write(path: string, bytes: Uint8Array): Promise<void> {
    return writeDurably(join(this.folder, path), bytes);
  }
}

/** Older notes in a mirror's folder, unread. */
export async function* notesOf(folder: string): AsyncGenerator<{ readonly path: string; readonly bytes: Uint8Array }> {
  for await (const file of filesBelow(join(folder, HISTORY_FOLDER))) {
    if (!file.endsWith(FIRST) && !file.endsWith(LAST)) continue;
    const bytes = await readIfThere(file, NOTE_BYTES_MAX);
    if (bytes) yield { path: relative(folder, file), bytes };
  }
}
