/**
 * The verifier's transparency log, for whoever completes a message and whoever asks for proof: append within the
 * transaction, publish after it, hand out only then; witnesses cosign meanwhile. docs/log.md describes it as a whole.
 */
import type { Transaction } from "kysely";
import type { AsyncSigner } from "../../keys/signer.ts";
import { formatVkey } from "../../log/note.ts";
import { TILE_WIDTH, tileWidth, treeRoot } from "../../log/tiles.ts";
import type { WitnessClientOptions } from "../../log/witness-client.ts";
import type { LogTerms } from "../../objects/agreement.ts";
import type { Store, Tables } from "../../store/store.ts";
import { sameBytes } from "../../verifier/bytes.ts";
import { VerifierError } from "../../verifier/errors.ts";
import type { LogTile, LogView } from "../service.ts";
import type { Shared, SharedState } from "../shared.ts";
import { LogAppender } from "./appender.ts";
import { backfill } from "./backfill.ts";
import { LogCosigner } from "./cosigner.ts";
import { cosignaturesOn, type Head, isOf, newestCosigned, newestHead, noteOf } from "./heads.ts";
import { KnownHeads } from "./known-heads.ts";
import { cosignedHead, encodeProof, oldestOf, readLogged, termsFor } from "./proofs.ts";
import { LogPublisher } from "./publisher.ts";
import { readEntries, readTreeHead, storedTiles } from "./rows.ts";
import type { Loggable } from "./terms.ts";
import type { Backoff, WitnessHere } from "./witness-seat.ts";

export interface LogHere {
  /** What its checkpoints are called by: C2SP tlog-checkpoint's origin. */
  readonly origin: string;
  readonly signer: AsyncSigner;
  readonly witnesses: readonly WitnessHere[];
  readonly backoff?: Backoff | undefined;
  readonly link?: Pick<WitnessClientOptions, "dispatcher" | "timeoutMs"> | undefined;
  /** Told how long it took to publish a head, in seconds. */
  readonly published?: ((seconds: number) => void) | undefined;
}

export interface LogParts extends LogHere {
  readonly store: Store;
  readonly shared: Shared;
  /** Agreement time in ms. */
  readonly clock: () => number;
  readonly random: (bytes: number) => Uint8Array;
}

/** The longest that whoever asks for a proof waits for witnesses; what they sign later is for the next who asks. */
const COSIGNED_WITHIN_MS = 2_000;

export class TransparencyLog {
  /** What it and the other logs of the agreements were heard to have signed. */
  readonly heads: KnownHeads;
  readonly #parts: LogParts;
  readonly #appender: LogAppender;
  readonly #publisher: LogPublisher;
  readonly #cosigner: LogCosigner;
  /** Of the shared state whose orders and agreements are all published. */
  #sharedVersion = -1;

  constructor(parts: LogParts) {
    const { store, shared, random, origin, signer, witnesses, clock, backoff, link, published } = parts;
    this.#parts = parts;
    this.#appender = new LogAppender(store, random);
    this.#publisher = new LogPublisher({
      store,
      origin,
      signer,
      clock,
      isRolledBack: () => this.#cosigner.isRolledBack,
      onHead: () => this.#cosigner.notice(),
      observe: published,
    });
    this.heads = new KnownHeads({ store, shared, clock, key: this.#publisher.key });
    const quorum = () => this.#quorum();
    this.#cosigner = new LogCosigner({ store, key: this.#publisher.key, witnesses, quorum, backoff, link });
  }

  /** Logs what is there already, and publishes it if it can by now. Throws `StoreError`. */
  async open(): Promise<void> {
    const { store, shared } = this.#parts;
    await backfill(store, await shared.now(), this.#appender);
    await this.#quietly(() => this.#publisher.settle());
  }

  close(): Promise<void> {
    return this.#cosigner.close();
  }

  /**
   * In the transaction that makes the messages whole, as the last thing in it: which leaf each is, for `cover` when it is
   * committed.
   */
  append(tx: Transaction<Tables>, messages: readonly Loggable[], { logTerms }: SharedState): Promise<number[]> {
    return this.#appender.append(tx, messages, logTerms);
  }

  /** Once the leaf is public. Throws `log/unpublished`. */
  async cover(leaf: number | undefined): Promise<void> {
    if (leaf !== undefined) await this.#publisher.cover(leaf);
  }

  /** Once all orders and agreements of this state are public. Throws `log/unpublished`. */
  async coverShared({ version }: SharedState): Promise<void> {
    if (version <= this.#sharedVersion) return;
    await this.#publisher.settle();
    this.#sharedVersion = Math.max(this.#sharedVersion, version);
  }

  /** Of what nobody waits for: it is handed out to nobody yet. */
  publishSoon(): void {
    void this.#quietly(() => this.#publisher.settle());
  }

  /** Whether this is the log of these terms. */
  isOf(terms: LogTerms | undefined): boolean {
    const { name, publicKey } = this.#publisher.key;
    return terms !== undefined && terms.log.name === name && sameBytes(terms.log.publicKey, publicKey);
  }

  /** Of the first so many entries, as of the transaction; undefined where there are fewer. */
  async rootAt(tx: Transaction<Tables>, wanted: bigint): Promise<Uint8Array | undefined> {
    const size = Number(wanted);
    if (!Number.isSafeInteger(size)) return undefined;
    const signed = await tx.selectFrom("log_heads").select("root").where("size", "=", size).executeTakeFirst();
    if (signed) return signed.root;
    const head = await readTreeHead(tx);
    return head && size <= head.size ? treeRoot(storedTiles(tx), size) : undefined;
  }

  /** Throws `log/entry-unknown`, `log/not-agreed`, `log/head-ahead`, `log/not-cosigned`, `log/unpublished`. */
  async proof(digest: Uint8Array, from: number): Promise<Uint8Array> {
    const { store, shared } = this.#parts;
    const entry = await readLogged(store.db, digest);
    const { logTerms } = await shared.now();
    const terms = termsFor(entry, logTerms, this.#publisher.key);
    await this.#publisher.cover(entry.leaf);
    const nowSeconds = this.#parts.clock() / 1000;
    const read = () => cosignedHead(store.db, this.#publisher.key, terms);
    let cosigned = await read();
    const isOld = cosigned && nowSeconds - oldestOf(cosigned) > terms.checkpointSecondsMax / 2;
    if (isOld || !cosigned || cosigned.head.size <= entry.leaf) {
      await within(COSIGNED_WITHIN_MS, this.#cosigner.ask(isOld === true));
      cosigned = await read();
    }
    const isLate = cosigned && nowSeconds - oldestOf(cosigned) > terms.checkpointSecondsMax;
    if (!cosigned || isLate) throw new VerifierError("log/not-cosigned", isLate ? "not lately" : undefined);
    return encodeProof(store.db, entry, cosigned, terms, from);
  }

  async view(): Promise<LogView> {
    const { store } = this.#parts;
    const { key } = this.#publisher;
    const head = await this.#newest();
    const keys = this.#parts.witnesses.map((witness) => witness.key.publicKey);
    const cosigned = await newestCosigned(store.db, key, keys, Math.max(1, await this.#quorum()));
    return {
      origin: key.name,
      vkey: formatVkey(key),
      size: head?.size ?? 0,
      root: head?.root,
      publishedMs: head?.published_ms,
      cosignedSize: cosigned?.head.size ?? 0,
      witnesses: this.#cosigner.views(),
    };
  }

  /** As it is served. Throws `log/unpublished` while there is none. */
  async checkpoint(): Promise<string> {
    const head = await this.#newest();
    if (!head) throw new VerifierError("log/unpublished");
    return noteOf(head, await cosignaturesOn(this.#parts.store.db, head.size));
  }

  /** Of what a published head covers. Throws `log/tile-unknown`. */
  async tile(tile: LogTile): Promise<Uint8Array> {
    const { level, index, width } = tile;
    await this.#checkPublished(tile, level);
    return storedTiles(this.#parts.store.db).tile(level, index, width);
  }

  /** The data of the leaves of a bundle. Throws `log/tile-unknown`. */
  async entries(bundle: Omit<LogTile, "level">): Promise<readonly Uint8Array[]> {
    const { index, width } = bundle;
    await this.#checkPublished(bundle, 0);
    const begin = index * TILE_WIDTH;
    return readEntries(this.#parts.store.db, begin, begin + width);
  }

  async #checkPublished({ index, width }: Omit<LogTile, "level">, level: number): Promise<void> {
    const head = await this.#newest();
    if (width > tileWidth(level, index, head?.size ?? 0)) throw new VerifierError("log/tile-unknown");
  }

  async #newest(): Promise<Head | undefined> {
    const head = await newestHead(this.#parts.store.db);
    return head && isOf(head, this.#publisher.key) ? head : undefined;
  }

  /** Of the terms in force where this is their log; else all witnesses that are known here. */
  async #quorum(): Promise<number> {
    const { agreement } = await this.#parts.shared.now();
    return agreement.log && this.isOf(agreement.log) ? agreement.log.witnessQuorum : this.#parts.witnesses.length;
  }

  /** A signer or a store that is away by now is told to whoever asks next. */
  async #quietly(publish: () => Promise<void>): Promise<void> {
    try {
      await publish();
    } catch (error) {
      if (!(error instanceof VerifierError)) throw error;
    }
  }
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
