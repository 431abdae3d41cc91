/**
 * The witness itself (C2SP tlog-witness): judges a checkpoint by what it remembers of the log, remembers it, and cosigns.
 * Requests for one log are judged one after the other, from the first look to the commit, so that no head is rolled back.
 */
import { hash } from "node:crypto";
import { type AddCheckpoint, parseAddCheckpoint } from "../log/add-checkpoint.ts";
import { type CheckpointNote, ownNote } from "../log/checkpoint.ts";
import { signCosignature } from "../log/cosignature.ts";
import { LogError, type LogErrorCode } from "../log/errors.ts";
import { EMPTY_ROOT, verifyConsistency } from "../log/merkle.ts";
import { formatSignatureLine, type NoteKey, type NoteSigner, utf8Text } from "../log/note.ts";
import { StoreError } from "../store/errors.ts";
import type { Conflict, ConflictKind, CosignedHead, WitnessStore } from "./store.ts";

/** A log that is witnessed. */
export interface WitnessedLog {
  readonly origin: string;
  /** Type 1, at least one: any of them signs its checkpoints. */
  readonly keys: readonly NoteKey[];
}

export interface WitnessOptions {
  /** Type 4. */
  readonly key: NoteKey;
  readonly signer: NoteSigner;
  readonly logs: readonly WitnessedLog[];
  readonly store: WitnessStore;
  /** Of cosignatures. */
  readonly nowSeconds: () => number;
  /** Told of each conflict that was not known. */
  readonly onConflict?: (conflict: Conflict) => void;
}

/** What is answered: `text` is the body, whole. */
export type WitnessReply =
  | { readonly status: 200; readonly text: string; readonly head: CosignedHead }
  /** `text` is the size of the newest cosigned head. */
  | { readonly status: 409; readonly text: string }
  | { readonly status: 400 | 403 | 404 | 422; readonly code: LogErrorCode; readonly text: string };

/** Requests that may wait for one log. */
const WAITING_MAX = 256;

type Request = AddCheckpoint & { readonly checkpoint: CheckpointNote };

export class Witness {
  readonly key: NoteKey;
  readonly #options: WitnessOptions;
  readonly #logs: ReadonlyMap<string, WitnessedLog>;
  readonly #queues = new Map<string, { waiting: number; last: Promise<unknown> }>();
  /** Origins by the SHA-256 that stands for them in an address. */
  readonly #byHash: ReadonlyMap<string, string>;

  constructor(options: WitnessOptions) {
    this.key = options.key;
    this.#options = options;
    this.#logs = new Map(options.logs.map((log) => [log.origin, log]));
    this.#byHash = new Map(options.logs.map(({ origin }) => [hash("sha256", origin, "hex"), origin]));
  }

  get logs(): readonly WitnessedLog[] {
    return this.#options.logs;
  }

  /** A request as it came. Rejects with `StoreError` and `KeyError`: nothing was cosigned then. */
  async addCheckpoint(body: Uint8Array): Promise<WitnessReply> {
    let request: Request;
    try {
      request = parseAddCheckpoint(utf8Text(body));
    } catch (error) {
      return refusal(400, error);
    }
    const { checkpoint } = request;
    const log = this.#logs.get(checkpoint.origin);
    if (!log) return refusal(404, new LogError("log/origin", "no log of this origin is witnessed here"));
    let signed: string;
    try {
      signed = ownNote(checkpoint, log.keys);
    } catch (error) {
      return refusal(403, error);
    }
    if (request.oldSize > checkpoint.size) {
      return refusal(400, new LogError("log/request-malformed", "the old size is beyond the checkpoint's"));
    }
    return this.#inTurn(log.origin, () => this.#judge(request, signed));
  }

  /** The newest cosigned checkpoint of the log whose origin has this SHA-256, in lower-case hex. */
  checkpoint(originHash: string): string | undefined {
    const origin = this.#byHash.get(originHash);
    return origin === undefined ? undefined : this.#options.store.newestHead(origin)?.note;
  }

  /** In the order of the specification. `signed` is the checkpoint with the log's signatures alone. */
  async #judge({ oldSize, proof, checkpoint }: Request, signed: string): Promise<WitnessReply> {
    const { origin, size, root } = checkpoint;
    const { store } = this.#options;
    const newest = store.newestHead(origin);
    // Whatever else is wrong with the request: two heads of one size speak for themselves.
    const other = store.headOf(origin, size);
    const isFork = other !== undefined && Buffer.compare(other.root, root) !== 0;
    const keep = (kind: ConflictKind, knownNote: string | undefined) =>
      this.#keep({ origin, kind, size, root, note: signed, knownNote, seconds: this.#options.nowSeconds() });
    if (isFork) await keep("split-view", other.note);
    const newestSize = newest?.size ?? 0;
    if (oldSize !== newestSize) return { status: 409, text: `${newestSize}\n` };
    if (size === 0 && Buffer.compare(root, EMPTY_ROOT) !== 0) {
      await keep("empty-root", undefined);
      return refusal(422, new LogError("log/consistency", "the root of no leaves is the hash of nothing"));
    }
    if (isFork) return refusal(422, new LogError("log/split-view", "another head of this size was cosigned"));
    if (!goesOn(newest, checkpoint, proof)) {
      if (newest && newest.size > 0 && size > newest.size) await keep("unproven", newest.note);
      return refusal(422, new LogError("log/consistency", "the proof does not hold"));
    }
    return this.#cosign(newest, checkpoint, signed);
  }

  async #cosign(
    newest: CosignedHead | undefined,
    { origin, size, root, body }: CheckpointNote,
    signed: string,
  ): Promise<WitnessReply> {
    const { key, signer, store, nowSeconds } = this.#options;
    const seconds = nowSeconds();
    const line = formatSignatureLine(await signCosignature(body, key, signer, seconds));
    const head = { origin, size, root, note: signed + line, seconds };
    await store.advance(newest, head);
    return { status: 200, text: line, head };
  }

  async #keep(conflict: Conflict): Promise<void> {
    if (await this.#options.store.keep(conflict)) this.#options.onConflict?.(conflict);
  }

  async #inTurn<T>(origin: string, work: () => Promise<T>): Promise<T> {
    const queue = this.#queues.get(origin) ?? { waiting: 0, last: Promise.resolve() };
    this.#queues.set(origin, queue);
    if (queue.waiting >= WAITING_MAX) throw new StoreError("store/busy", "requests for this log");
    queue.waiting += 1;
    const turn = queue.last.then(work);
    queue.last = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      queue.waiting -= 1;
    }
  }
}

/** Whether the proof leads from the newest head to the checkpoint. The empty tree leads to all, without a proof. */
function goesOn(
  newest: CosignedHead | undefined,
  { size, root }: CheckpointNote,
  proof: readonly Uint8Array[],
): boolean {
  if (newest === undefined || newest.size === 0) return proof.length === 0;
  return verifyConsistency(newest.size, size, newest.root, root, proof);
}

function refusal(status: 400 | 403 | 404 | 422, error: unknown): WitnessReply {
  if (!(error instanceof LogError)) throw error;
  return { status, code: error.code, text: `${error.code}: ${error.message}\n` };
}
