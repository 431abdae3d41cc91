/**
 * A monitor: follows a log head by head into a mirror. Of every new head it checks that the log signed it, that the tree
 * goes on from the one before, that tiles and entries make up its root, and that every index entry commits to the index
 * that the entries make. It is what the soundness of non-issuance stands on (docs/log.md).
 */
import { sameBytes } from "../verifier/bytes.ts";
import { ahead } from "./ahead.ts";
import { LogError } from "./errors.ts";
import { linkByTiles } from "./heads.ts";
import { type CosignedCheckpoint, hasQuorum, headOf, type LogKeys, openAny } from "./log-keys.ts";
import { HASH_BYTES, leafHash, rootsFromConsistency } from "./merkle.ts";
import { Mirror } from "./mirror.ts";
import { IndexReplay } from "./replay.ts";
import type { LogSource } from "./source.ts";
import { SplitView } from "./split-view.ts";
import { appendLeaves, bundlePath, hashAt, prefixRoot, TILE_WIDTH, tilePath, tileWidth } from "./tiles.ts";

/** What came of one look at the log. */
export interface Followed {
  readonly checkpoint: CosignedCheckpoint;
  /** Entries before. */
  readonly oldSize: number;
  /** Whether as many witnesses as the quorum cosigned. */
  readonly cosigned: boolean;
  /** Subjects of the index. */
  readonly subjects: number;
}

export interface MonitorParts {
  readonly source: LogSource;
  readonly folder: string;
  readonly keys: LogKeys;
  /** Told of entries as they are verified. */
  readonly onProgress?: (done: number, all: number) => void;
}

/** Files that are asked for at one time. */
const AHEAD = 8;

export class Monitor {
  readonly #parts: MonitorParts;
  readonly #mirror: Mirror;
  #replay: IndexReplay;

  private constructor(parts: MonitorParts, mirror: Mirror, replay: IndexReplay) {
    this.#parts = parts;
    this.#mirror = mirror;
    this.#replay = replay;
  }

  /** Goes through what is in the mirror once. Rejects with a `LogError`, as `Mirror.open` and an `IndexReplay` do. */
  static async open(parts: MonitorParts): Promise<Monitor> {
    const mirror = await Mirror.open(parts.folder, parts.keys);
    const replay = new IndexReplay();
    for await (const { bytes } of mirror.leaves()) replay.take(bytes);
    return new Monitor(parts, mirror, replay);
  }

  get head(): CosignedCheckpoint | undefined {
    return this.#mirror.head;
  }

  /**
   * Looks at the log once, and keeps what is new and good. Rejects with a `LogError`, and the mirror stays as it is:
   * `SplitView` for a head that contradicts the one before, `log/rolled-back` for an older one, `log/tile` for tiles or
   * entries that are not the head's, `log/index-root` and `log/index-entry` for an index that is not the entries', and what
   * a source and `openAny` reject with.
   */
  async follow(): Promise<Followed> {
    const { source, keys } = this.#parts;
    const checkpoint = openAny(await source.checkpoint(), keys);
    const old = this.#mirror.head;
    if (old && checkpoint.size <= old.size) await this.#compare(old, checkpoint);
    else if (checkpoint.size > 0) await this.#extend(old, checkpoint);
    return {
      checkpoint,
      oldSize: old?.size ?? 0,
      cosigned: hasQuorum(checkpoint, keys),
      subjects: this.#replay.index.count,
    };
  }

  /** A head that is no larger than the one here. */
  async #compare(old: CosignedCheckpoint, checkpoint: CosignedCheckpoint): Promise<void> {
    const { size } = checkpoint;
    const root = await prefixRoot(this.#mirror, size, old.size);
    if (size > 0 && !sameBytes(root, checkpoint.root)) {
      const what = `${headOf(old)} and ${size === old.size ? "another of the same size" : headOf(checkpoint)}`;
      // The path goes from the smaller to the larger: the mirror has the larger tree.
      const link = await linkByTiles(this.#mirror, size, old);
      throw new SplitView(`${what} are signed, and are not of one tree`, {
        first: size < old.size ? checkpoint.note : old.note,
        second: size < old.size ? old.note : checkpoint.note,
        ...(link && { proof: link.proof }),
      });
    }
    if (size < old.size) throw new LogError("log/rolled-back", `${headOf(checkpoint)}, after ${headOf(old)}`);
    if (saysMore(checkpoint, old, this.#parts.keys)) await this.#mirror.keepNote(checkpoint);
  }

  async #extend(old: CosignedCheckpoint | undefined, checkpoint: CosignedCheckpoint): Promise<void> {
    if (old && old.size > 0) await this.#checkConsistency(old, checkpoint);
    const hashes = await this.#leafHashes(checkpoint.size);
    const { root, tiles } = await appendLeaves(this.#mirror, old?.size ?? 0, hashes);
    if (!sameBytes(root, checkpoint.root)) {
      throw new LogError("log/tile", `the tiles of level 0 are not those of ${headOf(checkpoint)}`);
    }
    await this.#checkUpperTiles(checkpoint.size, tiles);
    const replay = this.#replay.copy();
    await this.#entries(hashes, checkpoint.size, replay);
    replay.checkEnd();
    await this.#mirror.keepHead(checkpoint, tiles);
    this.#replay = replay;
  }

  /** By tiles of the new tree. */
  async #checkConsistency(old: CosignedCheckpoint, checkpoint: CosignedCheckpoint): Promise<void> {
    const link = await linkByTiles(this.#parts.source, old.size, checkpoint);
    // Only tiles that lead to the new head show a split view; others are no tiles of its tree at all.
    if (!link) throw new LogError("log/tile", `the tiles of the log are not those of ${headOf(checkpoint)}`);
    const { oldRoot } = rootsFromConsistency(old.size, checkpoint.size, link.proof)!;
    if (sameBytes(oldRoot, old.root)) return;
    const what = `${headOf(checkpoint)} is signed, and does not go on from ${headOf(old)}, which is signed too`;
    throw new SplitView(what, { first: old.note, second: checkpoint.note, proof: link.proof });
  }

  /** Hashes of the leaves that are new. */
  async #leafHashes(size: number): Promise<Uint8Array[]> {
    const from = this.#mirror.size;
    const hashes: Uint8Array[] = [];
    const read = ahead(bundlesOf(from, size), AHEAD, ({ index, width }) => this.#parts.source.tile(0, index, width));
    let first = Math.floor(from / TILE_WIDTH) * TILE_WIDTH;
    for await (const tile of read) {
      for (let place = Math.max(0, from - first); place < tile.length / HASH_BYTES; place++)
        hashes.push(hashAt(tile, place));
      first += TILE_WIDTH;
    }
    return hashes;
  }

  /** Those above level 0 follow from it; a log that serves others shows others something else. */
  async #checkUpperTiles(size: number, tiles: Awaited<ReturnType<typeof appendLeaves>>["tiles"]): Promise<void> {
    const upper = tiles.filter(({ level }) => level > 0);
    const read = ahead(upper, AHEAD, async ({ level, index, hashes }) => {
      const width = hashes.length / HASH_BYTES;
      const served = await this.#parts.source.tile(level, index, width);
      if (sameBytes(served, hashes)) return;
      throw new LogError("log/tile", `${tilePath(level, index, width)} is not that of the tree of ${size}`);
    });
    for await (const _ of read);
  }

  /** Fetches the entries whose hashes are known, and keeps them. */
  async #entries(hashes: readonly Uint8Array[], size: number, replay: IndexReplay): Promise<void> {
    const { source, onProgress } = this.#parts;
    const from = this.#mirror.size;
    const read = ahead(bundlesOf(from, size), AHEAD, async ({ index, width }) => {
      return { index, width, entries: await source.bundle(index, width) };
    });
    for await (const { index, width, entries } of read) {
      const first = index * TILE_WIDTH;
      const known = first < from ? await this.#mirror.tile(0, index, tileWidth(0, index, from)) : undefined;
      for (const [place, bytes] of entries.entries()) {
        const at = first + place;
        const hash = at < from ? hashAt(known!, place) : hashes[at - from]!;
        if (!sameBytes(leafHash(bytes), hash)) {
          throw new LogError("log/tile", `${bundlePath(index, width)}: entry ${at} is not the leaf of the tree`);
        }
        if (at >= from) replay.take(bytes, hash);
      }
      await this.#mirror.keepBundle(index, entries);
      onProgress?.(Math.min(size, first + width) - from, size - from);
    }
  }
}

/** Tiles of level 0, and so bundles, that have leaves from `from` on. */
function* bundlesOf(from: number, size: number): Generator<{ index: number; width: number }> {
  for (let index = Math.floor(from / TILE_WIDTH); ; index++) {
    const width = tileWidth(0, index, size);
    if (width === 0) return;
    yield { index, width };
  }
}

/** Whether a note of the same head is worth more than the one that is kept. A quorum is never given up for less. */
function saysMore(note: CosignedCheckpoint, kept: CosignedCheckpoint, keys: LogKeys): boolean {
  const hasMore = note.cosignatures.length > kept.cosignatures.length;
  if (!hasQuorum(kept, keys)) return hasMore;
  return hasQuorum(note, keys) && (hasMore || newestSeconds(note) > newestSeconds(kept));
}

function newestSeconds({ cosignatures }: CosignedCheckpoint): number {
  return Math.max(0, ...cosignatures.map(({ seconds }) => seconds));
}
