/** A tree built leaf by leaf: its root at any time, and its tiles as they become full, in bounded memory. */
import { HASH_BYTES } from "../../log/merkle.ts";
import { perfectRoot, TILE_WIDTH, type Tile, treeRoot } from "../../log/tiles.ts";

export class GrowingTree {
  size = 0;
  /** By level: hashes of the last tile, which is never full. */
  readonly #edge: Uint8Array[][] = [];
  /** By level: how many tiles are full. */
  readonly #fullCounts: number[] = [];
  #full: Tile[] = [];

  push(leaf: Uint8Array): void {
    this.size += 1;
    let hash: Uint8Array | undefined = leaf;
    for (let level = 0; hash !== undefined; level += 1) hash = this.#add(level, hash);
  }

  root(): Promise<Uint8Array> {
    const tile = async (level: number, _index: number, width: number) =>
      this.#hashes(level).subarray(0, width * HASH_BYTES);
    return treeRoot({ tile }, this.size);
  }

  /** Tiles that became full since the last time. */
  takeFull(): Tile[] {
    const full = this.#full;
    this.#full = [];
    return full;
  }

  /** Tiles that are not full. */
  partial(): Tile[] {
    return this.#edge.flatMap((hashes, level) =>
      hashes.length > 0 ? [{ level, index: this.#fullCounts[level]!, hashes: this.#hashes(level) }] : [],
    );
  }

  /** How many tiles it has. */
  get tiles(): number {
    return this.#fullCounts.reduce((sum, count) => sum + count, this.partial().length);
  }

  /** The root of the tile, where the hash has filled it. */
  #add(level: number, hash: Uint8Array): Uint8Array | undefined {
    this.#edge[level] ??= [];
    this.#fullCounts[level] ??= 0;
    this.#edge[level].push(hash);
    if (this.#edge[level].length < TILE_WIDTH) return undefined;
    const hashes = this.#hashes(level);
    this.#full.push({ level, index: this.#fullCounts[level], hashes });
    this.#fullCounts[level] += 1;
    this.#edge[level] = [];
    return perfectRoot(hashes);
  }

  #hashes(level: number): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#edge[level] ?? []));
  }
}
