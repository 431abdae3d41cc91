/** Entries in the order of the log: the subject index is rebuilt from them, and every index entry held against it. */
import { sameBytes } from "../verifier/bytes.ts";
import { decodeEntry, entrySubjects, type LogEntry } from "./entry.ts";
import { LogError } from "./errors.ts";
import { leafHash } from "./merkle.ts";
import { SubjectIndex } from "./subject-index.ts";

export class IndexReplay {
  #index = SubjectIndex.EMPTY;
  #size = 0;
  #indexEntries = 0;
  #endsInIndex = false;

  /** Over all entries so far. */
  get index(): SubjectIndex {
    return this.#index;
  }

  /** Entries so far. */
  get size(): number {
    return this.#size;
  }

  get indexEntries(): number {
    return this.#indexEntries;
  }

  /** Where it stands, to go back to: nothing of it changes any more. */
  copy(): IndexReplay {
    const copy = new IndexReplay();
    copy.#index = this.#index;
    copy.#size = this.#size;
    copy.#indexEntries = this.#indexEntries;
    copy.#endsInIndex = this.#endsInIndex;
    return copy;
  }

  /** The next leaf, with its hash where that is known. Throws a `LogError`: `log/entry-malformed`, `log/index-root`. */
  take(bytes: Uint8Array, hash: Uint8Array = leafHash(bytes)): LogEntry {
    const at = this.#size;
    const [entry, subjects] = named(at, () => {
      const read = decodeEntry(bytes);
      return [read, entrySubjects(read)] as const;
    });
    if (entry.kind === "index") this.#compare(entry.subjects, entry.root);
    for (const key of subjects) this.#index = this.#index.with(key, at, hash);
    this.#indexEntries += entry.kind === "index" ? 1 : 0;
    this.#endsInIndex = entry.kind === "index";
    this.#size += 1;
    return entry;
  }

  /** What every head has to end with. Throws a `LogError` (`log/index-entry`). */
  checkEnd(): void {
    if (!this.#endsInIndex)
      throw new LogError("log/index-entry", `a head of ${this.#size} does not end in an index entry`);
  }

  #compare(subjects: number, root: Uint8Array): void {
    if (subjects === this.#index.count && sameBytes(root, this.#index.root)) return;
    throw new LogError("log/index-root", `leaf ${this.#size} commits to another index than the entries before it make`);
  }
}

function named<T>(at: number, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    throw new LogError(error.code, `leaf ${at}: ${error.message}`, { cause: error });
  }
}
