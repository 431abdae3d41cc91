/** A log's tiles in memory, grown by the code under test, and short entries to fill it with. */
import { LogError } from "../../../host/log/errors.ts";
import { EMPTY_ROOT, HASH_BYTES } from "../../../host/log/merkle.ts";
import { appendLeaves, type TileSource } from "../../../host/log/tiles.ts";

export class MemoryTree implements TileSource {
  readonly #tiles = new Map<string, Uint8Array>();
  size = 0;
  root = EMPTY_ROOT;

  async append(leaves: readonly Uint8Array[]): Promise<void> {
    const { size, root, tiles } = await appendLeaves(this, this.size, leaves);
    for (const { level, index, hashes } of tiles) this.#tiles.set(`${level}/${index}`, hashes);
    this.size = size;
    this.root = root;
  }

  /** A tile as it was when it had this width: tiles only grow. */
  async tile(level: number, index: number, width: number): Promise<Uint8Array> {
    return this.#tiles.get(`${level}/${index}`)?.slice(0, width * HASH_BYTES) ?? new Uint8Array(0);
  }
}

/** Entries that are told apart by what they say. */
export function entries(count: number, from = 0): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => new Uint8Array(Buffer.from(`entry ${from + i}`)));
}

export function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

/** The code of the `LogError` that `act` throws or rejects with; undefined if it does neither. Others are passed on. */
export async function logCodeOf(act: () => unknown): Promise<string | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    if (error instanceof LogError) return error.code;
    throw error;
  }
}
