/**
 * Gossip: heads of the agreements' logs that agents and other verifiers show this one, compared with each other and, where
 * the log is kept here, with the log itself. docs/witness.md, "Gossip".
 */
import type { Transaction } from "kysely";
import { parseAddCheckpoint } from "../../log/add-checkpoint.ts";
import { LogError } from "../../log/errors.ts";
import { type HeadOutcome, type KnownHead, linkByTiles, offerHead, originOf } from "../../log/heads.ts";
import { formatVkey, type NoteKey } from "../../log/note.ts";
import type { Store, Tables } from "../../store/store.ts";
import { sameBytes } from "../../verifier/bytes.ts";
import { VerifierError, type VerifierErrorCode } from "../../verifier/errors.ts";
import type { HeadAnswer, HeadsView, HeadView } from "../service.ts";
import type { Shared } from "../shared.ts";
import { type Head, isOf, newestHead, noteOf } from "./heads.ts";
import { readTreeHead, storedTiles } from "./rows.ts";
import { knownHead, newestKnown, SqlHeads, splitViews, unlinkedHeads } from "./sql-heads.ts";

export interface KnownHeadsParts {
  readonly store: Store;
  readonly shared: Shared;
  /** Of the log that is kept here. */
  readonly key: NoteKey;
  /** Agreement time in ms. */
  readonly clock: () => number;
}

const CODES: Readonly<Partial<Record<LogError["code"], VerifierErrorCode>>> = {
  "log/request-malformed": "log/head-malformed",
  "log/note-malformed": "log/head-malformed",
  "log/checkpoint-malformed": "log/head-malformed",
  "log/origin": "log/head-unknown",
  "log/signature": "log/head-signature",
  "log/consistency": "log/head-path",
};

export class KnownHeads {
  readonly #parts: KnownHeadsParts;

  constructor(parts: KnownHeadsParts) {
    this.#parts = parts;
  }

  /** A head in the form of `add-checkpoint` (C2SP tlog-witness). Throws `log/head-…`. */
  async offer(text: string): Promise<HeadAnswer> {
    const { store, shared, clock } = this.#parts;
    const logs = (await shared.now()).logTerms.logs;
    return told(async () => {
      const { note, oldSize, proof } = parseAddCheckpoint(text);
      return store.write(async (tx) => {
        const shelf = new SqlHeads(tx, clock());
        await this.#showOwn(tx, shelf, logs);
        const outcome = await offerHead(shelf, logs, note, { oldSize, proof });
        return answerOf(await this.#link(tx, shelf, logs, outcome), shelf);
      });
    });
  }

  /** Of each log the newest, then those that no path leads to yet; and all split views. */
  async view(): Promise<HeadsView> {
    const { store, shared, clock } = this.#parts;
    const { logs } = (await shared.now()).logTerms;
    if (await this.#isOwnNew(logs)) {
      await store.write((tx) => this.#showOwn(tx, new SqlHeads(tx, clock()), logs));
    }
    const heads: HeadView[] = [];
    for (const log of logs.map(formatVkey)) {
      const newest = await newestKnown(store.db, log);
      for (const head of [...(newest ? [newest] : []), ...(await unlinkedHeads(store.db, log))]) {
        heads.push(viewOf(head));
      }
    }
    const found = await splitViews(store.db);
    return { heads, splitViews: found.map((view) => ({ ...view, origin: originOf(view.log) })) };
  }

  /** Whether the newest head of the log that is kept here is not among those that are known. */
  async #isOwnNew(logs: readonly NoteKey[]): Promise<boolean> {
    const { store } = this.#parts;
    const own = this.#own(logs);
    const head = own && (await newestHead(store.db));
    if (!head || !isOf(head, own)) return false;
    return !isSame(await knownHead(store.db, formatVkey(own), head.size), head);
  }

  /** The log's own newest head is one of those that are compared. */
  async #showOwn(tx: Transaction<Tables>, shelf: SqlHeads, logs: readonly NoteKey[]): Promise<void> {
    const own = this.#own(logs);
    const head = own && (await newestHead(tx));
    if (!head || !isOf(head, own)) return;
    const log = formatVkey(own);
    // Another root of the same size is a split view, and larger ones may be another's tree.
    if (isSame(await shelf.head(log, head.size), head)) return;
    const newest = await shelf.newest(log);
    const link = newest && (await linkByOwn(tx, newest.size, head));
    await offerHead(shelf, logs, noteOf(head, []), link);
  }

  /** Where the log is kept here, its tiles say what leads to a smaller head; a larger one is another's to prove. */
  async #link(
    tx: Transaction<Tables>,
    shelf: SqlHeads,
    logs: readonly NoteKey[],
    outcome: HeadOutcome,
  ): Promise<HeadOutcome> {
    const own = this.#own(logs);
    if (outcome.kind !== "older" || own === undefined || outcome.head.log !== formatVkey(own)) return outcome;
    const link = await linkByOwn(tx, outcome.head.size, outcome.newest);
    if (!link) return outcome;
    const linked = await offerHead(shelf, logs, outcome.newest.note, link);
    return linked.kind === "known" ? { kind: "known", head: { ...outcome.head, isLinked: true } } : linked;
  }

  #own(logs: readonly NoteKey[]): NoteKey | undefined {
    const own = formatVkey(this.#parts.key);
    return logs.find((key) => formatVkey(key) === own);
  }
}

/** Undefined where the own tree says nothing: it has fewer leaves than the head, which others were shown, or is of another. */
async function linkByOwn(tx: Transaction<Tables>, oldSize: number, head: KnownHead | Head) {
  const tree = await readTreeHead(tx);
  if (tree === undefined || tree.size < head.size) return undefined;
  try {
    return await linkByTiles(storedTiles(tx), oldSize, head);
  } catch (error) {
    // What is wrong with the own tiles is for fsck to say; whoever shows a head has no part in it.
    if (error instanceof LogError && error.code === "log/tile") return undefined;
    throw error;
  }
}

function isSame(known: KnownHead | undefined, { root }: Head): boolean {
  return known !== undefined && sameBytes(known.root, root);
}

async function answerOf(outcome: HeadOutcome, shelf: SqlHeads): Promise<HeadAnswer> {
  const log = outcome.kind === "split" ? outcome.view.log : outcome.head.log;
  const newest = await shelf.newest(log);
  const answer = { origin: originOf(log), size: newest?.size ?? 0 };
  if (outcome.kind !== "split") return { ...answer, outcome: outcome.kind };
  return { ...answer, outcome: "split-view" };
}

function viewOf(head: KnownHead): HeadView {
  return { ...head, origin: originOf(head.log) };
}

async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const code = cause instanceof LogError ? CODES[cause.code] : undefined;
    if (code === undefined) throw cause;
    throw new VerifierError(code, (cause as LogError).message, { cause });
  }
}
