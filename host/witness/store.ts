/**
 * What a witness remembers: of each log the heads that it cosigned, the newest of which counts, and heads that contradict
 * them. One SQLite file in a folder that one process has; every commit is synced before it is answered.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { StoreError } from "../store/errors.ts";
import { SqliteConnection } from "../store/sqlite/connection.ts";
import { FolderLock } from "../store/sqlite/folder-lock.ts";
import { SqliteWriter } from "../store/sqlite/writer.ts";

/** A head that was cosigned. */
export interface CosignedHead {
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** The checkpoint with the log's signatures and the cosignature. */
  readonly note: string;
  /** Of the cosignature. */
  readonly seconds: number;
}

/**
 * `split-view`: two heads of one size, both signed by the log. `empty-root`: a head without leaves that has a root.
 * `unproven`: a head without a proof that it goes on from the known one; whoever sent it may have had no better.
 */
export type ConflictKind = "split-view" | "empty-root" | "unproven";

/** A head that the log signed and the witness did not cosign. */
export interface Conflict {
  readonly origin: string;
  readonly kind: ConflictKind;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** The checkpoint with the log's signatures. */
  readonly note: string;
  /** The one that it contradicts, or that nothing leads from; undefined for `empty-root`. */
  readonly knownNote: string | undefined;
  /** When it came. */
  readonly seconds: number;
}

const FILE = "witness.db";
/** "Qwit": no other program's database has it. */
const APPLICATION_ID = 0x51776974;
const VERSION = 1;
/** Heads of each log that are kept, so that a second head of an older size is seen. */
const HEADS_KEPT = 256;
/** Conflicts of each log that are kept of a kind: the first, since a log that forks may fork for ever. */
const CONFLICTS_MAX: Readonly<Record<ConflictKind, number>> = { "split-view": 64, "empty-root": 4, unproven: 16 };

const TABLES = `
  CREATE TABLE heads (
    origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL, seconds INTEGER NOT NULL,
    PRIMARY KEY (origin, size)) STRICT, WITHOUT ROWID;
  CREATE TABLE conflicts (
    id INTEGER PRIMARY KEY, origin TEXT NOT NULL, kind TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL,
    note TEXT NOT NULL, known_note TEXT, seconds INTEGER NOT NULL, UNIQUE (origin, kind, size, root)) STRICT;
  PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${VERSION};`;

/** Reads what is committed, also while another process serves. */
export class WitnessBooks {
  readonly #connection: SqliteConnection;

  protected constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  /** Throws `StoreError` (`store/missing` where no witness ever ran). */
  static read(folder: string): WitnessBooks {
    if (!existsSync(join(folder, FILE))) throw new StoreError("store/missing", folder);
    return new WitnessBooks(readerOf(folder));
  }

  /** The newest of each log, by origin. */
  heads(): CosignedHead[] {
    return rows(
      this.#connection,
      `SELECT h.* FROM heads h JOIN (SELECT origin, max(size) AS size FROM heads GROUP BY origin) newest
       ON h.origin = newest.origin AND h.size = newest.size ORDER BY h.origin`,
    );
  }

  newestHead(origin: string): CosignedHead | undefined {
    return newestOf(this.#connection, origin);
  }

  /** The one of this size, if it was cosigned and is not too old to be kept. */
  headOf(origin: string, size: number): CosignedHead | undefined {
    return rows(this.#connection, "SELECT * FROM heads WHERE origin = ? AND size = ?", [origin, size])[0];
  }

  /** In the order in which they came. */
  conflicts(): Conflict[] {
    const found = this.#connection.execute<Omit<Conflict, "knownNote"> & { known_note: string | null }>(
      "SELECT origin, kind, size, root, note, known_note, seconds FROM conflicts ORDER BY id",
    );
    return found.rows.map(({ known_note, ...row }) => ({ ...row, knownNote: known_note ?? undefined }));
  }

  /** Whether the conflict is known, or its kind has no room for another. */
  protected isKept({ origin, kind, size, root }: Conflict): boolean {
    const [found] = this.#connection.execute<{ total: number; same: number }>(
      `SELECT count(*) AS total, count(*) FILTER (WHERE size = ? AND root = ?) AS same
       FROM conflicts WHERE origin = ? AND kind = ?`,
      [size, root, origin, kind],
    ).rows;
    return found!.same > 0 || found!.total >= CONFLICTS_MAX[kind];
  }

  close(): void {
    this.#connection.close();
  }
}

export class WitnessStore extends WitnessBooks {
  readonly #lock: FolderLock;
  readonly #writer: SqliteWriter;
  readonly #committed: (seconds: number) => void;

  private constructor(
    lock: FolderLock,
    writer: SqliteWriter,
    reader: SqliteConnection,
    committed: (seconds: number) => void,
  ) {
    super(reader);
    this.#lock = lock;
    this.#writer = writer;
    this.#committed = committed;
  }

  /**
   * Makes folder and tables if they are not there. `committed` is told how long each commit took. Throws `StoreError`
   * (`store/locked` while another process has the folder).
   */
  static open(folder: string, committed: (seconds: number) => void = () => {}): WitnessStore {
    const lock = new FolderLock(folder);
    let writer: SqliteWriter | undefined;
    try {
      writer = new SqliteWriter(join(folder, FILE));
      if (versionOf(writer.connection) === 0) writer.connection.run(`BEGIN IMMEDIATE; ${TABLES} COMMIT`);
      return new WitnessStore(lock, writer, readerOf(folder), committed);
    } catch (error) {
      writer?.connection.close();
      lock.release();
      throw error;
    }
  }

  /**
   * Puts the head in the place of `before`, which must be the log's newest still: what is checked and what is stored are
   * one transaction. Durable once it resolves. Rejects with `StoreError`.
   */
  advance(before: CosignedHead | undefined, head: CosignedHead): Promise<void> {
    const { origin, size, root, note, seconds } = head;
    return this.#write((connection) => {
      const newest = newestOf(connection, origin);
      if (newest?.size !== before?.size || (newest && Buffer.compare(newest.root, before!.root) !== 0)) {
        throw new StoreError("store/constraint", "the newest head is another than the one that was checked");
      }
      if (newest && size < newest.size) throw new StoreError("store/constraint", "a head would be rolled back");
      const write = (sql: string, parameters: readonly unknown[]) => connection.execute(sql, parameters);
      write("INSERT OR REPLACE INTO heads VALUES (?, ?, ?, ?, ?)", [origin, size, root, note, seconds]);
      write(
        `DELETE FROM heads WHERE origin = ? AND size <
         (SELECT size FROM heads WHERE origin = ? ORDER BY size DESC LIMIT 1 OFFSET ${HEADS_KEPT - 1})`,
        [origin, origin],
      );
      // It has its proof now.
      write("DELETE FROM conflicts WHERE origin = ? AND kind = 'unproven' AND size = ? AND root = ?", [
        origin,
        size,
        root,
      ]);
    });
  }

  /** Each once, as long as there is room for its kind. Whether it is new. Rejects with `StoreError`. */
  async keep(conflict: Conflict): Promise<boolean> {
    // Read before anything is written: whoever repeats himself makes no work for the disk.
    if (this.isKept(conflict)) return false;
    const { origin, kind, size, root, note, knownNote, seconds } = conflict;
    await this.#write((connection) => {
      connection.execute(
        `INSERT OR IGNORE INTO conflicts (origin, kind, size, root, note, known_note, seconds)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
        [origin, kind, size, root, note, knownNote ?? null, seconds],
      );
    });
    return true;
  }

  override close(): void {
    super.close();
    this.#writer.connection.close();
    this.#lock.release();
  }

  async #write(work: (connection: SqliteConnection) => void): Promise<void> {
    const connection = await this.#writer.acquire();
    try {
      await this.#writer.begin();
      try {
        work(connection);
      } catch (error) {
        await this.#writer.rollback();
        throw error;
      }
      const begin = performance.now();
      await this.#writer.commit().catch(async (error: unknown) => {
        await this.#writer.rollback();
        throw error;
      });
      this.#committed((performance.now() - begin) / 1000);
    } finally {
      this.#writer.release();
    }
  }
}

/** While a commit runs, the connection that writes is not to be read by. Throws `StoreError`. */
function readerOf(folder: string): SqliteConnection {
  const connection = new SqliteConnection(join(folder, FILE));
  try {
    connection.run("PRAGMA query_only = ON");
    if (versionOf(connection) === 0) throw new StoreError("store/missing", folder);
  } catch (error) {
    connection.close();
    throw error;
  }
  return connection;
}

function rows(connection: SqliteConnection, sql: string, parameters: readonly unknown[] = []): CosignedHead[] {
  return connection.execute<CosignedHead>(sql, parameters).rows;
}

function newestOf(connection: SqliteConnection, origin: string): CosignedHead | undefined {
  return rows(connection, "SELECT * FROM heads WHERE origin = ? ORDER BY size DESC LIMIT 1", [origin])[0];
}

/** 0 of a database without tables. Throws `StoreError` (`store/foreign`, `store/newer`). */
function versionOf(connection: SqliteConnection): number {
  const pragma = (name: string) => Number(Object.values(connection.execute<object>(`PRAGMA ${name}`).rows[0]!)[0]);
  const version = pragma("user_version");
  const tables = connection.execute("SELECT name FROM sqlite_schema").rows.length;
  if (version === 0 && tables === 0) return 0;
  if (pragma("application_id") !== APPLICATION_ID) throw new StoreError("store/foreign", FILE);
  if (version > VERSION) throw new StoreError("store/newer", `version ${version}; this program knows ${VERSION}`);
  return version;
}
