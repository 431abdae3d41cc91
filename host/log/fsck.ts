/**
 * Rebuilds a mirror from the bytes on its disk, and finds the first place that is broken: the checkpoint, an entry, a tile,
 * the index, an older checkpoint. It believes nothing but the log's key.
 */
import { sameBytes } from "../verifier/bytes.ts";
import { LogError, type LogErrorCode } from "./errors.ts";
import { type CosignedCheckpoint, headOf, type LogKeys, openAny } from "./log-keys.ts";
import { EMPTY_ROOT, HASH_BYTES, leafHash } from "./merkle.ts";
import { notesOf } from "./mirror.ts";
import { noteText } from "./note.ts";
import { IndexReplay } from "./replay.ts";
import { CHECKPOINT_PATH, FolderSource } from "./source.ts";
import {
  appendLeaves,
  bundlePath,
  hashAt,
  prefixRoot,
  TILE_WIDTH,
  type TileSource,
  tilePath,
  tilesOf,
  tileWidth,
} from "./tiles.ts";

/** Where it is broken, and how. */
export interface BrokenPlace {
  /** Below the folder. */
  readonly path: string;
  readonly code: LogErrorCode;
  readonly message: string;
}

export interface FsckResult {
  /** Absent where the checkpoint cannot be read. */
  readonly checkpoint?: CosignedCheckpoint;
  /** What was read and is good. */
  readonly entries: number;
  readonly indexEntries: number;
  readonly subjects: number;
  readonly tiles: number;
  /** Older notes. */
  readonly checkpoints: number;
  readonly broken?: BrokenPlace;
}

export interface FsckParts {
  readonly folder: string;
  readonly keys: LogKeys;
  readonly onProgress?: (done: number, all: number) => void;
}

/** A tree as it comes out of leaves, tile by tile. */
class RebuiltTree implements TileSource {
  readonly #tiles = new Map<string, Uint8Array>();
  #size = 0;
  root = EMPTY_ROOT;

  async append(leaves: readonly Uint8Array[]): Promise<void> {
    const { size, root, tiles } = await appendLeaves(this, this.#size, leaves);
    for (const { level, index, hashes } of tiles) this.#tiles.set(`${level}/${index}`, hashes);
    this.#size = size;
    this.root = root;
  }

  async tile(level: number, index: number, width: number): Promise<Uint8Array> {
    return this.#tiles.get(`${level}/${index}`)!.slice(0, width * HASH_BYTES);
  }
}

/** Reads all of a mirror. Rejects for what the system refuses to read, and for nothing that is in the files. */
export async function fsck(parts: FsckParts): Promise<FsckResult> {
  const look = new Look(parts);
  try {
    await look.all();
    return look.result;
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    return { ...look.result, broken: { path: look.path, code: error.code, message: error.message } };
  }
}

class Look {
  readonly #parts: FsckParts;
  readonly #source: FolderSource;
  readonly #replay = new IndexReplay();
  #checkpoint: CosignedCheckpoint | undefined;
  #tiles = 0;
  #checkpoints = 0;
  /** What is looked at. */
  path = CHECKPOINT_PATH;

  constructor(parts: FsckParts) {
    this.#parts = parts;
    this.#source = new FolderSource(parts.folder);
  }

  get result(): FsckResult {
    const { size, indexEntries, index } = this.#replay;
    return {
      ...(this.#checkpoint && { checkpoint: this.#checkpoint }),
      entries: size,
      indexEntries,
      subjects: index.count,
      tiles: this.#tiles,
      checkpoints: this.#checkpoints,
    };
  }

  async all(): Promise<void> {
    const checkpoint = openAny(await this.#source.checkpoint(), this.#parts.keys);
    this.#checkpoint = checkpoint;
    const tree = await this.#leaves(checkpoint);
    await this.#upperTiles(tree, checkpoint.size);
    await this.#index(checkpoint.size);
    await this.#history(tree, checkpoint.size);
  }

  /** Entries and tiles of level 0 against each other, and both against the signed root, which tells which of them is broken. */
  async #leaves({ size, root }: CosignedCheckpoint): Promise<RebuiltTree> {
    const [ofEntries, ofTiles] = [new RebuiltTree(), new RebuiltTree()];
    let differs: { readonly at: number; readonly tile: string; readonly bundle: string } | undefined;
    for (let index = 0; tileWidth(0, index, size) > 0; index++) {
      const width = tileWidth(0, index, size);
      const [tile, bundle] = [tilePath(0, index, width), bundlePath(index, width)];
      this.path = tile;
      const hashes = await this.#source.tile(0, index, width);
      this.path = bundle;
      const leaves = (await this.#source.bundle(index, width)).map(leafHash);
      const place = leaves.findIndex((leaf, at) => !sameBytes(leaf, hashAt(hashes, at)));
      if (place >= 0) differs ??= { at: index * TILE_WIDTH + place, tile, bundle };
      await ofEntries.append(leaves);
      await ofTiles.append(leaves.map((_, at) => hashAt(hashes, at)));
    }
    const isEntries = sameBytes(ofEntries.root, root);
    if (!differs) {
      this.path = CHECKPOINT_PATH;
      if (!isEntries) throw new LogError("log/mirror", "entries and tiles agree, and come to another root than it has");
      return ofEntries;
    }
    this.path = isEntries ? differs.tile : differs.bundle;
    const isTiles = sameBytes(ofTiles.root, root);
    const both = isEntries || isTiles ? "" : `, nor is ${differs.tile} what the checkpoint commits to`;
    throw new LogError("log/tile", `${isEntries ? "leaf" : "entry"} ${differs.at} is not that of the log${both}`);
  }

  async #upperTiles(tree: RebuiltTree, size: number): Promise<void> {
    for (const { level, index, width } of tilesOf(size)) {
      this.path = tilePath(level, index, width);
      const hashes = await this.#source.tile(level, index, width);
      if (!sameBytes(hashes, await tree.tile(level, index, width))) {
        throw new LogError("log/tile", "it is not what the level below comes to");
      }
      this.#tiles += 1;
    }
  }

  async #index(size: number): Promise<void> {
    for (let index = 0; tileWidth(0, index, size) > 0; index++) {
      this.path = bundlePath(index, tileWidth(0, index, size));
      for (const entry of await this.#source.bundle(index, tileWidth(0, index, size))) this.#replay.take(entry);
      this.#parts.onProgress?.(this.#replay.size, size);
    }
    if (size > 0) this.#replay.checkEnd();
  }

  async #history(tree: RebuiltTree, size: number): Promise<void> {
    for await (const { path, bytes } of notesOf(this.#parts.folder)) {
      this.path = path;
      const older = openAny(noteText(bytes), this.#parts.keys);
      // Written just before a head that then was not: its entries are not here, so nothing can be said of it.
      if (older.size > size) continue;
      if (!sameBytes(await prefixRoot(tree, older.size, size), older.root)) {
        throw new LogError("log/consistency", `${headOf(older)} is not of the tree that is here`);
      }
      this.#checkpoints += 1;
    }
  }
}
