/** Heads in memory, for whoever runs without a database: an agent, which writes them to a file, and tests. */
import { HEADS_KEPT, type HeadShelf, type HeadSplit, type KnownHead, SPLITS_KEPT } from "./heads.ts";

export class MemoryHeads implements HeadShelf {
  /** By log, each in the order of sizes. */
  readonly #heads = new Map<string, KnownHead[]>();
  readonly #splits: HeadSplit[] = [];

  constructor(heads: readonly KnownHead[] = [], splits: readonly HeadSplit[] = []) {
    for (const head of heads) this.#put(head);
    this.#splits.push(...splits);
  }

  /** Of all logs. */
  get heads(): readonly KnownHead[] {
    return [...this.#heads.values()].flat();
  }

  /** The newest of each log. */
  get newestHeads(): readonly KnownHead[] {
    return [...this.#heads.values()].flatMap((heads) => heads.findLast(({ isLinked }) => isLinked) ?? []);
  }

  get splits(): readonly HeadSplit[] {
    return this.#splits;
  }

  async head(log: string, size: number): Promise<KnownHead | undefined> {
    return this.#heads.get(log)?.find((head) => head.size === size);
  }

  async newest(log: string): Promise<KnownHead | undefined> {
    return this.#heads.get(log)?.findLast(({ isLinked }) => isLinked);
  }

  async put(head: KnownHead): Promise<void> {
    this.#put(head);
  }

  async putSplit(view: HeadSplit): Promise<void> {
    const ofLog = this.#splits.filter(({ log }) => log === view.log);
    if (ofLog.length < SPLITS_KEPT && !ofLog.some((one) => isSameSplit(one, view))) this.#splits.push(view);
  }

  #put(head: KnownHead): void {
    const others = (this.#heads.get(head.log) ?? []).filter(({ size }) => size !== head.size);
    if (!head.isLinked && others.filter(({ isLinked }) => !isLinked).length >= HEADS_KEPT.unlinked) return;
    const all = [...others, head].sort((a, b) => a.size - b.size);
    const kept = new Set(all.filter(({ isLinked }) => isLinked).slice(-HEADS_KEPT.linked));
    this.#heads.set(
      head.log,
      all.filter((one) => !one.isLinked || kept.has(one)),
    );
  }
}

/** The same two heads. */
function isSameSplit(one: HeadSplit, other: HeadSplit): boolean {
  const isSame = one.size === other.size && one.otherSize === other.otherSize;
  return isSame && Buffer.compare(one.root, other.root) === 0 && Buffer.compare(one.otherRoot, other.otherRoot) === 0;
}
