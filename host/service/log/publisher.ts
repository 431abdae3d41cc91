/**
 * Signs heads that are committed, and no others: what is read outside of every transaction is durable, and since a tree
 * only grows there is one head of each size, whichever process signs it, and however often. A signed head is durable too
 * before anything that it covers is handed out.
 */
import { KeyError } from "../../keys/errors.ts";
import type { AsyncSigner } from "../../keys/signer.ts";
import { checkpointBody } from "../../log/checkpoint.ts";
import { type NoteKey, NoteType, noteKey } from "../../log/note.ts";
import { receiptToBeSigned } from "../../objects/log-proof.ts";
import { Batcher, type Result } from "../../store/batcher.ts";
import { StoreError } from "../../store/errors.ts";
import type { Store } from "../../store/store.ts";
import { VerifierError } from "../../verifier/errors.ts";
import { isOf, newestHead, writeHead } from "./heads.ts";
import { readTreeHead, type TreeHead } from "./rows.ts";

/** Requests that wait for one head, and that may wait for the next. */
const WAITING_MAX = 16_384;
/** What is asked for by who wants all that is committed by now. */
const EVERYTHING = -1;

export interface PublisherOptions {
  readonly store: Store;
  /** Its name is the log's. */
  readonly origin: string;
  readonly signer: AsyncSigner;
  /** In ms. */
  readonly clock: () => number;
  /** Whether heads were signed that are forgotten here: another of the same size would be a split view. */
  readonly isRolledBack: () => boolean;
  /** Told of every head that is published from here, or was found to be. */
  readonly onHead: () => void;
  /** Told how long each took. */
  readonly observe?: ((seconds: number) => void) | undefined;
}

export class LogPublisher {
  readonly key: NoteKey;
  readonly #options: PublisherOptions;
  readonly #batcher: Batcher<number, void>;
  /** Size of the newest head that is known to be published. */
  #size = 0;

  /** Throws `LogError` (`log/key-malformed`) for a name that no log can have. */
  constructor(options: PublisherOptions) {
    this.#options = options;
    this.key = noteKey(options.origin, NoteType.ED25519, options.signer.publicKey);
    this.#batcher = new Batcher({
      itemsMax: WAITING_MAX,
      lanes: 1,
      queueMax: WAITING_MAX,
      run: (leaves) => this.#run(leaves),
    });
  }

  /** Once a published head covers the leaf, which was committed before. Throws `log/unpublished`, `log/rolled-back`. */
  async cover(leaf: number): Promise<void> {
    if (leaf >= this.#size) await this.#batcher.ask(leaf).catch(unpublished);
  }

  /** Once a published head covers all that is committed by now. Throws `log/unpublished`. */
  async settle(): Promise<void> {
    await this.#batcher.ask(EVERYTHING).catch(unpublished);
  }

  async #run(leaves: readonly number[]): Promise<Result<void>[]> {
    const begun = performance.now();
    const { store, onHead, observe } = this.#options;
    const head = await readTreeHead(store.db);
    const newest = await newestHead(store.db);
    if (head && !(newest && newest.size >= head.size && isOf(newest, this.key))) {
      await this.#publish(head);
      observe?.((performance.now() - begun) / 1000);
    }
    this.#size = Math.max(this.#size, head?.size ?? 0);
    if (head) onHead();
    return leaves.map((leaf) =>
      leaf < this.#size
        ? { ok: true, value: undefined }
        : { ok: false, error: new VerifierError("log/unpublished", `entry ${leaf} is not committed`) },
    );
  }

  async #publish({ size, root }: TreeHead): Promise<void> {
    const { store, signer, clock, origin, isRolledBack } = this.#options;
    if (isRolledBack()) throw new VerifierError("log/rolled-back");
    const [signature, receipt] = await Promise.all([
      signer.sign(Buffer.from(checkpointBody({ origin, size, root }))),
      signer.sign(receiptToBeSigned(root)),
    ]);
    const { publicKey } = this.key;
    const head = { size, root, origin, public_key: publicKey, signature, receipt, published_ms: clock() };
    await store.write((tx) => writeHead(tx, head));
  }
}

/** Whatever of key and store stood in the way: it is not public yet, and asking again will find it. */
function unpublished(cause: unknown): never {
  if (!(cause instanceof StoreError || cause instanceof KeyError)) throw cause;
  throw new VerifierError("log/unpublished", cause.code, { cause });
}
