/**
 * Appends messages in the transaction that makes them whole: leaves, tiles, subjects and head are durable with them or
 * not at all. A batch ends with one entry that commits to the subject index (host/log/entry.ts).
 *
 * The index is kept in memory, as of the newest heads that were computed here. None of them is believed for having been
 * computed: a transaction goes on from the one whose size and root the store has, which tells that it was committed;
 * where another process has appended, or a transaction was taken back, it catches up from the store.
 */
import type { Transaction } from "kysely";
import {
  commitmentOf,
  decodeEntry,
  encodeEntry,
  entrySubjects,
  SALT_BYTES,
  subjectKey,
  subjectsOf,
} from "../../log/entry.ts";
import { EMPTY_ROOT, HASH_BYTES, leafHash } from "../../log/merkle.ts";
import { SubjectIndex } from "../../log/subject-index.ts";
import { appendLeaves, type Tile, type TileSource } from "../../log/tiles.ts";
import { sha256 } from "../../protocol/sha256.ts";
import { insertRows, putRows } from "../../store/bulk.ts";
import { StoreError } from "../../store/errors.ts";
import type { Store, Tables } from "../../store/store.ts";
import { hexOf, sameBytes } from "../../verifier/bytes.ts";
import {
  LOG_STATE_ID,
  lockLog,
  readEntries,
  readLeaves,
  readSubjects,
  readTreeHead,
  storedTiles,
  type TreeHead,
} from "./rows.ts";
import type { Loggable, TermsBook } from "./terms.ts";

/** A head with all that the next batch goes on from. */
interface Known extends TreeHead {
  readonly index: SubjectIndex;
  /** By level: the last tile. */
  readonly edge: ReadonlyMap<number, Tile>;
}

/** Heads that are remembered: some may come to nothing. */
const KNOWN_MAX = 4;
/** With more entries than this to catch up on, the index is read anew. */
const FOLLOWED_MAX = 4096;
const ENTRIES_READ_MAX = 256;
const EMPTY: Known = { size: 0, root: EMPTY_ROOT, index: SubjectIndex.EMPTY, edge: new Map() };

export class LogAppender {
  readonly #store: Pick<Store, "engine">;
  readonly #random: (bytes: number) => Uint8Array;
  /** Newest last. */
  readonly #known: Known[] = [];
  /** The newest that the store had. */
  #base: Known = EMPTY;

  constructor(store: Pick<Store, "engine">, random: (bytes: number) => Uint8Array) {
    this.#store = store;
    this.#random = random;
  }

  /**
   * Which leaf each message is, once the transaction is committed. One that is there already is that leaf: a retry adds
   * nothing. To be called last in a transaction (`lockLog`). Throws `StoreError` (`store/corrupt`).
   */
  async append(tx: Transaction<Tables>, messages: readonly Loggable[], terms: TermsBook): Promise<number[]> {
    if (messages.length === 0) return [];
    const digests = messages.map(({ bytes }) => sha256(bytes));
    let leaves = await readLeaves(tx, digests);
    if (digests.some((digest) => !leaves.has(hexOf(digest)))) {
      await lockLog(this.#store, tx);
      // What others appended while this one waited is there now.
      if (this.#store.engine === "postgres") leaves = await readLeaves(tx, digests);
      const added = new Map<string, Draft>();
      for (const [i, digest] of digests.entries()) {
        if (!leaves.has(hexOf(digest))) added.set(hexOf(digest), { ...messages[i]!, digest });
      }
      if (added.size > 0)
        for (const [name, leaf] of await this.#add(tx, [...added.values()], terms)) leaves.set(name, leaf);
    }
    return digests.map((digest) => leaves.get(hexOf(digest))!);
  }

  /** Reads the index, so that the first request does not wait for it. */
  async open(tx: Transaction<Tables>): Promise<void> {
    const head = await readTreeHead(tx);
    if (head) this.#base = await this.#at(tx, head);
  }

  async #add(tx: Transaction<Tables>, drafts: readonly Draft[], terms: TermsBook): Promise<Map<string, number>> {
    const before = await this.#at(tx, (await readTreeHead(tx)) ?? EMPTY);
    const rows = drafts.map((draft, i) => ({ leaf: before.size + i, ...this.#row(draft, terms) }));
    const changed = new Map<string, Uint8Array>();
    let { index } = before;
    const hashes = rows.map(({ leaf, entry, subjects }) => {
      const hash = leafHash(entry);
      for (const key of subjects) {
        index = index.with(key, leaf, hash);
        changed.set(hexOf(key), key);
      }
      return hash;
    });
    const seal = encodeEntry({ kind: "index", subjects: index.count, root: index.root });
    const sealed = {
      leaf: before.size + rows.length,
      digest: null,
      type: null,
      entry: seal,
      message: null,
      salt: null,
    };
    const source = edgeOf(before, storedTiles(tx));
    const { size, root, tiles } = await appendLeaves(source, before.size, [...hashes, leafHash(seal)]);
    // First what every append changes: two that a database runs as if each were alone are told apart by it.
    await putRows(tx, "log_state", [{ id: LOG_STATE_ID, size, root }]);
    await insertRows(tx, "log_entries", [...rows.map(({ subjects, ...row }) => row), sealed]);
    await putRows(
      tx,
      "log_tiles",
      tiles.map((tile) => ({ level: tile.level, tile: tile.index, bytes: tile.hashes })),
    );
    await putRows(
      tx,
      "log_subjects",
      [...changed.values()].map((key) => ({ key, ...index.get(key)! })),
    );
    this.#remember({ size, root, index, edge: edgeAfter(before, tiles) });
    return new Map(rows.map(({ digest, leaf }) => [hexOf(digest), leaf]));
  }

  /** In the form that the governor of the message will hold it to. */
  #row({ type, bytes, digest }: Draft, terms: TermsBook) {
    const subjects = unique(subjectsOf(type, bytes).map(subjectKey));
    if (!terms.of({ type, bytes })?.commitments) {
      const entry = encodeEntry({ kind: "plain", type, message: bytes });
      return { digest, type, entry, message: null, salt: null, subjects };
    }
    const salt = this.#random(SALT_BYTES);
    const keys = subjectsOf(type, bytes).map(subjectKey);
    const entry = encodeEntry({ kind: "commitment", type, commitment: commitmentOf(salt, bytes), subjects: keys });
    return { digest, type, entry, message: bytes, salt, subjects };
  }

  async #at(tx: Transaction<Tables>, head: TreeHead): Promise<Known> {
    if (head.size === 0) return EMPTY;
    const isHead = (one: Known) => one.size === head.size && sameBytes(one.root, head.root);
    const known = this.#known.findLast(isHead) ?? (isHead(this.#base) ? this.#base : undefined);
    const found = known ?? { ...head, index: await this.#indexAt(tx, head.size), edge: new Map() };
    this.#base = found;
    return found;
  }

  /** Of the first entries: from what is here, or anew. The last of them must say the same of it. */
  async #indexAt(tx: Transaction<Tables>, size: number): Promise<SubjectIndex> {
    const more = size - this.#base.size;
    const isNear = more >= 0 && more <= FOLLOWED_MAX;
    const index = isNear ? await followed(tx, this.#base, size) : SubjectIndex.from(await readSubjects(tx));
    const [last] = await readEntries(tx, size - 1, size);
    const entry = decodeEntry(last!);
    const isSame = entry.kind === "index" && entry.subjects === index.count && sameBytes(entry.root, index.root);
    if (!isSame) throw new StoreError("store/corrupt", `the index of the log's ${size} entries`);
    return index;
  }

  #remember(head: Known): void {
    this.#known.push(head);
    if (this.#known.length > KNOWN_MAX) this.#known.shift();
  }
}

type Draft = Loggable & { readonly digest: Uint8Array };

async function followed(tx: Transaction<Tables>, from: Known, size: number): Promise<SubjectIndex> {
  let { index } = from;
  for (let begin = from.size; begin < size; begin += ENTRIES_READ_MAX) {
    const entries = await readEntries(tx, begin, Math.min(size, begin + ENTRIES_READ_MAX));
    for (const [i, entry] of entries.entries()) {
      const hash = leafHash(entry);
      for (const key of entrySubjects(decodeEntry(entry))) index = index.with(key, begin + i, hash);
    }
  }
  return index;
}

/** The tiles at the right edge, which every append reads, from memory. */
function edgeOf({ edge }: Known, stored: TileSource): TileSource {
  return {
    tile: async (level, index, width) => {
      const tile = edge.get(level);
      const bytes = width * HASH_BYTES;
      return tile?.index === index && tile.hashes.length >= bytes
        ? tile.hashes.subarray(0, bytes)
        : stored.tile(level, index, width);
    },
  };
}

function edgeAfter({ edge }: Known, tiles: readonly Tile[]): Map<number, Tile> {
  const after = new Map(edge);
  for (const tile of tiles) if (tile.index >= (after.get(tile.level)?.index ?? 0)) after.set(tile.level, tile);
  return after;
}

function unique(keys: readonly Uint8Array[]): Uint8Array[] {
  return [...new Map(keys.map((key) => [hexOf(key), key])).values()];
}
