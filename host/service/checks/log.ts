/**
 * The transparency log, rebuilt from its entries: every leaf says what it should, the index is what index entries commit
 * to, tiles and head follow from the leaves, every head that was ever signed is one of this tree, and what others signed
 * holds. Whatever the store has that is whole is in the log.
 */
import type { Kysely } from "kysely";
import { checkpointBody } from "../../log/checkpoint.ts";
import { encodeCosignature, openCosignature } from "../../log/cosignature.ts";
import { commitmentOf, decodeEntry, entrySubjects, type LogEntry, subjectKey, subjectsOf } from "../../log/entry.ts";
import { EMPTY_ROOT, leafHash } from "../../log/merkle.ts";
import { NoteType, noteKey } from "../../log/note.ts";
import { SubjectIndex } from "../../log/subject-index.ts";
import type { Tile } from "../../log/tiles.ts";
import { receiptToBeSigned } from "../../objects/log-proof.ts";
import { ed25519Verify } from "../../protocol/ed25519.ts";
import { sha256 } from "../../protocol/sha256.ts";
import type { Check } from "../../store/fsck.ts";
import type { Tables } from "../../store/store.ts";
import { hexOf, sameBytes } from "../../verifier/bytes.ts";
import { LOG_BEGUN, wholeMessages } from "../log/backfill.ts";
import { readLeaves, readTreeHead } from "../log/rows.ts";
import { readAgreements } from "./agreements.ts";
import { GrowingTree } from "./growing-tree.ts";
import { readOf } from "./read.ts";
import { type Found, found, type RowOf, rowsOf } from "./rows.ts";

type EntryRow = RowOf<"log_entries">;

export const log: Check = {
  name: "log",
  async *run({ db }) {
    const tree = new GrowingTree();
    const heads = rowsOf(db, "log_heads")[Symbol.asyncIterator]();
    let head = await heads.next();
    let index = SubjectIndex.EMPTY;
    for await (const row of rowsOf(db, "log_entries")) {
      if (row.leaf !== tree.size) {
        yield found("log_entries", row, `entry ${tree.size} does not come before it`);
        return;
      }
      const read = readOf(() => ({ entry: decodeEntry(row.entry), subjects: entrySubjects(decodeEntry(row.entry)) }));
      if ("fault" in read) yield found("log_entries", row, read.fault);
      else {
        for (const message of entryFaults(row, read.value.entry, index)) yield found("log_entries", row, message);
        for (const key of read.value.subjects) index = index.with(key, row.leaf, leafHash(row.entry));
      }
      tree.push(leafHash(row.entry));
      for (; !head.done && head.value.size <= tree.size; head = await heads.next()) {
        yield* headFaults(head.value, head.value.size === tree.size ? await tree.root() : EMPTY_ROOT);
      }
      yield* tileFaults(db, tree.takeFull());
    }
    for (; !head.done; head = await heads.next()) yield found("log_heads", head.value, "the log has fewer entries");
    yield* tileFaults(db, tree.partial());
    yield* stateFaults(db, tree);
    yield* subjectFaults(db, index);
    yield* cosignatureFaults(db);
    yield* missing(db);
  },
};

function* entryFaults(row: EntryRow, entry: LogEntry, index: SubjectIndex): Generator<string> {
  if (entry.kind === "index") {
    const isOf = entry.subjects === index.count && sameBytes(entry.root, index.root);
    if (!isOf) yield "it commits to another index";
    if (row.digest !== null || row.type !== null || row.message !== null || row.salt !== null) yield "it has a message";
    return;
  }
  if (row.type !== entry.type) yield `it is of type ${entry.type}`;
  const isPlain = entry.kind === "plain";
  if ((row.message === null) !== isPlain || (row.salt === null) !== isPlain) yield "a message goes with a commitment";
  const message = isPlain ? entry.message : row.message;
  if (message === null) return;
  if (row.digest === null || !sameBytes(row.digest, sha256(message))) yield "its message has another digest";
  if (isPlain || row.salt === null) return;
  if (!sameBytes(entry.commitment, commitmentOf(row.salt, message))) yield "its message is not what it commits to";
  const subjects = readOf(() => subjectsOf(entry.type, message).map(subjectKey));
  if ("fault" in subjects) yield subjects.fault;
  else if (!sameBytes(Buffer.concat(subjects.value), Buffer.concat([...entry.subjects])))
    yield "it names other subjects";
}

function* headFaults(row: RowOf<"log_heads">, root: Uint8Array): Generator<Found> {
  const { size, origin, public_key: publicKey, signature, receipt } = row;
  if (!sameBytes(row.root, root)) yield found("log_heads", row, "the log never had this root");
  const isSigned = readOf(() => {
    noteKey(origin, NoteType.ED25519, publicKey);
    const body = checkpointBody({ origin, size, root: row.root });
    return ed25519Verify(signature, Buffer.from(body), publicKey);
  });
  if ("fault" in isSigned) yield found("log_heads", row, isSigned.fault);
  else if (!isSigned.value) yield found("log_heads", row, "its signature does not hold");
  if (!ed25519Verify(receipt, receiptToBeSigned(row.root), publicKey)) {
    yield found("log_heads", row, "its receipt's signature does not hold");
  }
}

async function* tileFaults(db: Kysely<Tables>, tiles: readonly Tile[]): AsyncGenerator<Found> {
  for (const { level, index, hashes } of tiles) {
    const row = { level, tile: index };
    const stored = await db
      .selectFrom("log_tiles")
      .select("bytes")
      .where("level", "=", level)
      .where("tile", "=", index)
      .executeTakeFirst();
    if (!stored) yield found("log_tiles", row, "it is missing");
    else if (!sameBytes(stored.bytes, hashes)) yield found("log_tiles", row, "it is not that of the entries");
  }
}

async function* stateFaults(db: Kysely<Tables>, tree: GrowingTree): AsyncGenerator<Found> {
  const head = (await readTreeHead(db)) ?? { size: 0, root: EMPTY_ROOT };
  if (head.size !== tree.size) yield found("log_state", { id: 1 }, `${tree.size} of ${head.size} entries are there`);
  else if (!sameBytes(head.root, await tree.root())) yield found("log_state", { id: 1 }, "its root is another one");
  const count = db.selectFrom("log_tiles").select((eb) => eb.fn.countAll<number | bigint>().as("tiles"));
  const tiles = Number((await count.executeTakeFirstOrThrow()).tiles);
  if (tiles !== tree.tiles) yield found("log_state", { id: 1 }, `${tiles} tiles, where there should be ${tree.tiles}`);
}

async function* subjectFaults(db: Kysely<Tables>, index: SubjectIndex): AsyncGenerator<Found> {
  let subjects = 0;
  for await (const row of rowsOf(db, "log_subjects")) {
    subjects += 1;
    const known = index.get(row.key);
    const isSame = known?.count === row.count && sameBytes(known.head, row.head);
    if (!isSame) yield found("log_subjects", row, "the entries say otherwise of it");
  }
  if (subjects !== index.count) yield found("log_state", { id: 1 }, `${subjects} of ${index.count} subjects are there`);
}

async function* cosignatureFaults(db: Kysely<Tables>): AsyncGenerator<Found> {
  for await (const row of rowsOf(db, "log_cosignatures")) {
    const head = await db.selectFrom("log_heads").selectAll().where("size", "=", row.size).executeTakeFirst();
    if (!head) {
      yield found("log_cosignatures", row, "there is no such head");
      continue;
    }
    const holds = readOf(() => {
      const key = noteKey(row.name, NoteType.COSIGNATURE, row.witness);
      return openCosignature(checkpointBody(head), key, encodeCosignature(row));
    });
    if ("fault" in holds) yield found("log_cosignatures", row, holds.fault);
  }
}

/** Whole messages that are not in the log, of a store that a verifier with a log has opened. */
async function* missing(db: Kysely<Tables>): AsyncGenerator<Found> {
  const begun = await db.selectFrom("meta").select("key").where("key", "=", LOG_BEGUN).executeTakeFirst();
  if (!begun) return;
  const known = await readAgreements(db);
  for await (const messages of wholeMessages(db, (digest) => known.get(hexOf(digest)))) {
    const digests = messages.map(({ bytes }) => sha256(bytes));
    const leaves = await readLeaves(db, digests);
    for (const [i, digest] of digests.entries()) {
      if (leaves.has(hexOf(digest))) continue;
      yield { table: messages[i]!.table, key: messages[i]!.key, message: "it is whole, and not in the log" };
    }
  }
}
