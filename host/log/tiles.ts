/**
 * The Merkle tree as tiles, C2SP tlog-tiles: 256 hashes each, where each hash of a level is the root of a full tile of the
 * level below; and entries in bundles as wide. Every proof is computed from tiles, whoever has them.
 */
import { LogError } from "./errors.ts";
import { EMPTY_ROOT, HASH_BYTES, isPowerOfTwo, isSize, nodeHash, splitOf } from "./merkle.ts";

/** Hashes of a full tile, and entries of a full bundle. */
export const TILE_WIDTH = 256;
/** Bytes of a full tile. */
export const TILE_BYTES = TILE_WIDTH * HASH_BYTES;
/** Levels of the tree that one tile spans. */
const TILE_HEIGHT = 8;
/** Highest level that the specification has a name for. */
const LEVEL_MAX = 63;
const ENTRY_LENGTH_BYTES = 2;
const ENTRY_BYTES_MOST = 2 ** 16 - 1;

/** Hashes one after the other, 1 to 256 of them. */
export interface Tile {
  readonly level: number;
  readonly index: number;
  readonly hashes: Uint8Array;
}

/** Whoever has tiles. `width` is the tile's in the tree at hand, 1 to 256; the answer has `width` hashes. */
export interface TileSource {
  tile(level: number, index: number, width: number): Promise<Uint8Array>;
}

/** What a path of the log names: a tile, or a bundle of entries, where `level` is undefined. */
export interface TileName {
  readonly level: number | undefined;
  readonly index: number;
  readonly width: number;
}

/** Where the tile is below the log's prefix: `tile/0/x001/234.p/5`. */
export function tilePath(level: number, index: number, width: number): string {
  return `tile/${level}/${indexPath(index)}${widthPath(width)}`;
}

/** Where the bundle of entries is below the log's prefix. */
export function bundlePath(index: number, width: number): string {
  return `tile/entries/${indexPath(index)}${widthPath(width)}`;
}

/** What a path below the log's prefix names, if it is one that `tilePath` or `bundlePath` gives. */
export function parsePath(path: string): TileName | undefined {
  const match = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path);
  if (!match) return undefined;
  const level = match[1] === "entries" ? undefined : Number(match[1]);
  const index = Number(match[2]!.replaceAll(/[x/]/g, ""));
  const width = match[3] === undefined ? TILE_WIDTH : Number(match[3]);
  if (!isSize(index) || (level ?? 0) > LEVEL_MAX || width === 0 || width > TILE_WIDTH) return undefined;
  // One spelling each: no zeros before a level or a width, no element too many, no partial tile that is full.
  const spelled = level === undefined ? bundlePath(index, width) : tilePath(level, index, width);
  return spelled === path ? { level, index, width } : undefined;
}

/** A number as a path of groups of three digits, so that no folder has more than a thousand of one kind. */
export function indexPath(index: number): string {
  const digits = String(index);
  const elements = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/\d{3}/g)!;
  return elements.map((element, at) => (at < elements.length - 1 ? `x${element}` : element)).join("/");
}

function widthPath(width: number): string {
  return width === TILE_WIDTH ? "" : `.p/${width}`;
}

/** How wide a tile is in a tree of `size` leaves; 0 where the tree has none. */
export function tileWidth(level: number, index: number, size: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** level);
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH));
}

/** All tiles of a tree, level by level. */
export function* tilesOf(size: number): Generator<TileName & { readonly level: number }> {
  for (let level = 0; tileWidth(level, 0, size) > 0; level++) {
    for (let index = 0; ; index++) {
      const width = tileWidth(level, index, size);
      if (width === 0) break;
      yield { level, index, width };
    }
  }
}

/** The hash at a place of a tile. */
export function hashAt(hashes: Uint8Array, place: number): Uint8Array {
  return hashes.subarray(place * HASH_BYTES, (place + 1) * HASH_BYTES);
}

/** Root of the tree of `size` leaves. Throws a `LogError` (`log/tile`) for tiles that are too short. */
export function treeRoot(source: TileSource, size: number): Promise<Uint8Array> {
  return prefixRoot(source, size, size);
}

/** Root of the first `prefix` leaves of a tree of `size`, from tiles of that tree. */
export async function prefixRoot(source: TileSource, prefix: number, size: number): Promise<Uint8Array> {
  if (!isSize(size) || !isSize(prefix) || prefix > size) refuse(`a tree of ${size} has no first ${prefix} leaves`);
  return prefix === 0 ? EMPTY_ROOT : new TreeReader(source, size).range(0, prefix);
}

/** PATH of RFC 6962 section 2.1.1: from the leaf's sibling up. Throws a `LogError`: `log/inclusion`, `log/tile`. */
export async function inclusionProof(source: TileSource, index: number, size: number): Promise<Uint8Array[]> {
  if (!isSize(index) || !isSize(size) || index >= size) {
    throw new LogError("log/inclusion", `no leaf ${index} is in a tree of ${size}`);
  }
  const reader = new TreeReader(source, size);
  const siblings: Promise<Uint8Array>[] = [];
  for (let [begin, end] = [0, size]; end - begin > 1; ) {
    const middle = begin + splitOf(end - begin);
    const isLeft = index < middle;
    siblings.unshift(isLeft ? reader.range(middle, end) : reader.range(begin, middle));
    [begin, end] = isLeft ? [begin, middle] : [middle, end];
  }
  return Promise.all(siblings);
}

/** PROOF of RFC 6962 section 2.1.2. Throws a `LogError`: `log/consistency`, also for an empty tree; `log/tile`. */
export async function consistencyProof(source: TileSource, oldSize: number, size: number): Promise<Uint8Array[]> {
  if (!isSize(oldSize) || !isSize(size) || oldSize === 0 || oldSize > size) {
    throw new LogError("log/consistency", `nothing proves that a tree of ${size} follows one of ${oldSize}`);
  }
  const reader = new TreeReader(source, size);
  const hashes: Promise<Uint8Array>[] = [];
  let [begin, end] = [0, size];
  // The old tree ends within (begin, end]; once it ends at `end`, what is left is a subtree of both.
  while (oldSize !== end) {
    const middle = begin + splitOf(end - begin);
    const isLeft = oldSize <= middle;
    hashes.unshift(isLeft ? reader.range(middle, end) : reader.range(begin, middle));
    [begin, end] = isLeft ? [begin, middle] : [middle, end];
  }
  // Where that is the whole old tree, its root is known to whoever asks.
  if (begin > 0) hashes.unshift(reader.range(begin, end));
  return Promise.all(hashes);
}

/** A tree with further leaves: its root, and every tile that is new or grew, whole. `leaves` are hashes. */
export async function appendLeaves(
  source: TileSource,
  size: number,
  leaves: readonly Uint8Array[],
): Promise<{ size: number; root: Uint8Array; tiles: Tile[] }> {
  const newSize = size + leaves.length;
  if (!isSize(size) || !isSize(newSize)) refuse(`no tree has ${newSize} leaves`);
  if (leaves.some((leaf) => leaf.length !== HASH_BYTES)) refuse("a leaf's hash is not 32 bytes long");
  const tiles: Tile[] = [];
  let added = leaves;
  for (let level = 0; added.length > 0; level++) {
    const before = Math.floor(size / TILE_WIDTH ** level);
    const first = Math.floor(before / TILE_WIDTH);
    const width = before % TILE_WIDTH;
    const hashes = Buffer.concat([...(width > 0 ? [await readTile(source, level, first, width)] : []), ...added]);
    const full: Uint8Array[] = [];
    for (let at = 0; at < hashes.length; at += TILE_BYTES) {
      const tile = new Uint8Array(hashes.subarray(at, at + TILE_BYTES));
      tiles.push({ level, index: first + at / TILE_BYTES, hashes: tile });
      if (tile.length === TILE_BYTES) full.push(perfectRoot(tile));
    }
    added = full;
  }
  const changed = new Map(tiles.map(({ level, index, hashes }) => [`${level}/${index}`, hashes]));
  const both: TileSource = {
    tile: async (level, index, width) => changed.get(`${level}/${index}`) ?? source.tile(level, index, width),
  };
  return { size: newSize, root: await treeRoot(both, newSize), tiles };
}

/** Reads a tree's hashes from tiles, each tile once. */
class TreeReader {
  readonly #source: TileSource;
  readonly #size: number;
  readonly #tiles = new Map<string, Promise<Uint8Array>>();

  constructor(source: TileSource, size: number) {
    this.#source = source;
    this.#size = size;
  }

  /** MTH of the leaves from `begin` up to `end`, a range that RFC 6962 splits a tree into. */
  async range(begin: number, end: number): Promise<Uint8Array> {
    const size = end - begin;
    if (isPowerOfTwo(size)) return this.#perfect(begin, size);
    const middle = begin + splitOf(size);
    const [left, right] = await Promise.all([this.#perfect(begin, middle - begin), this.range(middle, end)]);
    return nodeHash(left, right);
  }

  /** Of `size` leaves, a power of two that `begin` is a multiple of: within one tile of the highest level that has it. */
  async #perfect(begin: number, size: number): Promise<Uint8Array> {
    const level = Math.floor(Math.log2(size) / TILE_HEIGHT);
    const span = TILE_WIDTH ** level;
    const first = begin / span;
    const index = Math.floor(first / TILE_WIDTH);
    const place = first % TILE_WIDTH;
    const tile = await this.#tile(level, index);
    return perfectRoot(tile.subarray(place * HASH_BYTES, (place + size / span) * HASH_BYTES));
  }

  #tile(level: number, index: number): Promise<Uint8Array> {
    const name = `${level}/${index}`;
    let tile = this.#tiles.get(name);
    if (!tile) {
      tile = readTile(this.#source, level, index, tileWidth(level, index, this.#size));
      this.#tiles.set(name, tile);
    }
    return tile;
  }
}

async function readTile(source: TileSource, level: number, index: number, width: number): Promise<Uint8Array> {
  const hashes = await source.tile(level, index, width);
  if (hashes.length !== width * HASH_BYTES) {
    refuse(`${tilePath(level, index, width)} has ${hashes.length} bytes instead of ${width * HASH_BYTES}`);
  }
  return hashes;
}

/** MTH of as many hashes as a power of two, each the root of an equal subtree. */
export function perfectRoot(hashes: Uint8Array): Uint8Array {
  let row: Uint8Array[] = [];
  for (let place = 0; place < hashes.length / HASH_BYTES; place++) row.push(hashAt(hashes, place));
  while (row.length > 1) {
    const above: Uint8Array[] = [];
    for (let i = 0; i < row.length; i += 2) above.push(nodeHash(row[i]!, row[i + 1]!));
    row = above;
  }
  return new Uint8Array(row[0]!);
}

/** Entries as they are served: each after its length, 16 bits. Throws a `LogError` (`log/tile`). */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length < 1 || entries.length > TILE_WIDTH) refuse(`a bundle has 1 to 256 entries, not ${entries.length}`);
  const parts = entries.flatMap((entry) => {
    if (entry.length > ENTRY_BYTES_MOST) refuse(`an entry of ${entry.length} bytes fits no bundle`);
    return [Uint8Array.of(entry.length >> 8, entry.length & 255), entry];
  });
  return new Uint8Array(Buffer.concat(parts));
}

/** The entries of a bundle, 1 to 256. Throws a `LogError` (`log/tile`). */
export function decodeBundle(bytes: Uint8Array): Uint8Array[] {
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (entries.length === TILE_WIDTH) refuse("a bundle of more than 256 entries");
    const begin = at + ENTRY_LENGTH_BYTES;
    if (begin > bytes.length) refuse("a bundle ends within the length of an entry");
    at = begin + bytes[begin - 2]! * 256 + bytes[begin - 1]!;
    if (at > bytes.length) refuse("a bundle ends within an entry");
    entries.push(bytes.slice(begin, at));
  }
  if (entries.length === 0) refuse("a bundle without entries");
  return entries;
}

function refuse(message: string): never {
  throw new LogError("log/tile", message);
}
