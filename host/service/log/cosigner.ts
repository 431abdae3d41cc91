/**
 * Collects cosignatures on published heads (C2SP tlog-witness). A round is about one head, the newest, so that what the
 * quorum cosigns is the same; it is over when the quorum has, or when all who were asked have answered. Whoever is away is
 * left alone for a while, and holds up nobody.
 */
import { LogError } from "../../log/errors.ts";
import { formatVkey, type NoteKey } from "../../log/note.ts";
import { consistencyProof } from "../../log/tiles.ts";
import type { WitnessClientOptions } from "../../log/witness-client.ts";
import { StoreError } from "../../store/errors.ts";
import type { Store } from "../../store/store.ts";
import { cosignaturesOn, type Head, isOf, newestHead, noteOf, writeCosignature } from "./heads.ts";
import { storedTiles } from "./rows.ts";
import { BACKOFF, type Backoff, type WitnessHere, WitnessSeat, type WitnessView } from "./witness-seat.ts";

export interface CosignerOptions {
  readonly store: Store;
  /** Of the log. */
  readonly key: NoteKey;
  readonly witnesses: readonly WitnessHere[];
  /** How many of them a proof takes. */
  readonly quorum: () => Promise<number>;
  /** Default: `BACKOFF`. */
  readonly backoff?: Backoff | undefined;
  readonly link?: Pick<WitnessClientOptions, "dispatcher" | "timeoutMs"> | undefined;
}

/** A witness says where it stands, and is asked once more from there; that may happen twice where processes race. */
const TRIES_MAX = 3;

export class LogCosigner {
  readonly #options: CosignerOptions;
  readonly #seats: readonly WitnessSeat[];
  #isWanted = false;
  #isRenewal = false;
  #isClosed = false;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #asking = new Set<Promise<unknown>>();
  #isLoaded = false;

  constructor(options: CosignerOptions) {
    this.#options = options;
    const { witnesses, backoff = BACKOFF, link = {} } = options;
    this.#seats = witnesses.map((here) => new WitnessSeat(here, backoff, link));
  }

  /** There may be a newer head. */
  notice(): void {
    if (this.#isClosed || this.#seats.length === 0) return;
    this.#isWanted = true;
    clearTimeout(this.#timer);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      this.#comeBack();
    });
  }

  /** Resolves when the newest head was asked about; `isRenewal`: even of those who have cosigned it. Rejects with nothing. */
  async ask(isRenewal: boolean): Promise<void> {
    if (isRenewal) this.#isRenewal = true;
    this.notice();
    await this.#running;
  }

  views(): WitnessView[] {
    return this.#seats.map(({ here: { name, url, key }, size, seconds, problem }) => ({
      name,
      url,
      vkey: formatVkey(key),
      size,
      ...(seconds !== undefined && { seconds }),
      ...(problem !== undefined && { problem }),
    }));
  }

  /**
   * Whether more than half of the witnesses have seen more of the log than there is: an old backup was put back. One of
   * them alone is not believed, and without them there is no proof anyway.
   */
  get isRolledBack(): boolean {
    return 2 * this.#seats.filter(({ hasSeenMore }) => hasSeenMore).length > this.#seats.length;
  }

  /** Waits for the answers that are under way, each for as long as a request may take. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#running;
    await Promise.all(this.#asking);
  }

  async #run(): Promise<void> {
    while (this.#isWanted && !this.#isClosed) {
      this.#isWanted = false;
      const isRenewal = this.#isRenewal;
      this.#isRenewal = false;
      await this.#round(isRenewal).catch(awayStore);
    }
  }

  async #round(isRenewal: boolean): Promise<void> {
    const { store, key, quorum } = this.#options;
    if (!this.#isLoaded) await this.#load();
    const head = await newestHead(store.db);
    if (!head || !isOf(head, key)) return;
    const nowMs = performance.now();
    const seats = this.#seats.filter((seat) => seat.isFree(nowMs) && (isRenewal || seat.size < head.size));
    if (seats.length === 0) return;
    const need = await quorum();
    let have = isRenewal ? 0 : (await cosignaturesOn(store.db, head.size)).length;
    let left = seats.length;
    await new Promise<void>((resolve, reject) => {
      for (const seat of seats) {
        const asking = this.#ask(seat, head).then((isCosigned) => {
          this.#asking.delete(asking);
          if (isCosigned) have += 1;
          left -= 1;
          if (left === 0 || have >= need) resolve();
          // It was not asked about what came meanwhile.
          if (isCosigned) this.#isWanted = true;
          if (this.#isWanted && this.#running === undefined) this.notice();
        }, reject);
        this.#asking.add(asking);
      }
    });
  }

  /** Whether it cosigned. Rejects with nothing. */
  async #ask(seat: WitnessSeat, head: Head): Promise<boolean> {
    seat.isBusy = true;
    try {
      return await this.#cosigned(seat, head);
    } catch (error) {
      if (!(error instanceof StoreError || error instanceof LogError)) throw error;
      seat.failed(error.code, performance.now());
      return false;
    } finally {
      seat.isBusy = false;
    }
  }

  async #cosigned(seat: WitnessSeat, head: Head): Promise<boolean> {
    const { store } = this.#options;
    let from = Math.min(seat.standsAt, head.size);
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const isProof = from > 0 && from < head.size;
      const proof = isProof ? await consistencyProof(storedTiles(store.db), from, head.size) : [];
      const answer = await seat.client.addCheckpoint(from, proof, noteOf(head, []));
      if (answer.kind === "cosigned") {
        const { seconds, signature } = answer;
        const { publicKey: witness, name } = seat.here.key;
        await store.write((tx) => writeCosignature(tx, { size: head.size, witness, name, seconds, signature }));
        seat.cosigned(head.size, seconds);
        return true;
      }
      if (answer.kind !== "behind") {
        const problem = answer.kind === "away" ? answer.detail : `${answer.status} ${answer.detail}`.trim();
        seat.failed(problem, performance.now());
        return false;
      }
      if (answer.size > head.size) return this.#overtaken(seat, answer.size);
      from = answer.size;
    }
    seat.failed("it says otherwise each time where it stands", performance.now());
    return false;
  }

  /** By another process of this log, which has published more meanwhile; or by a log that this one has forgotten. */
  async #overtaken(seat: WitnessSeat, size: number): Promise<boolean> {
    const newest = await newestHead(this.#options.store.db);
    if (newest && newest.size >= size) {
      // Its cosignature on that may be nowhere: it is asked about that head too.
      seat.standsAt = size;
      seat.hasSeenMore = false;
      this.#isWanted = true;
    } else {
      seat.hasSeenMore = true;
      seat.failed(`log/rolled-back: it has cosigned ${size} entries, and this log has fewer`, performance.now());
    }
    return false;
  }

  async #load(): Promise<void> {
    const { store, key } = this.#options;
    for (const seat of this.#seats) {
      const row = await store.db
        .selectFrom("log_cosignatures")
        .innerJoin("log_heads", "log_heads.size", "log_cosignatures.size")
        .select(["log_cosignatures.size", "seconds"])
        .where("witness", "=", seat.here.key.publicKey)
        .where("origin", "=", key.name)
        .where("public_key", "=", key.publicKey)
        .orderBy("log_cosignatures.size", "desc")
        .limit(1)
        .executeTakeFirst();
      if (row && row.size > seat.size) seat.cosigned(row.size, row.seconds);
    }
    this.#isLoaded = true;
  }

  /** To whoever is left alone for a while. */
  #comeBack(): void {
    const nowMs = performance.now();
    const rests = this.#seats.filter(({ problem }) => problem !== undefined).map((seat) => seat.restMs(nowMs));
    if (this.#isClosed || rests.length === 0) return;
    this.#timer = setTimeout(() => this.notice(), Math.max(1, Math.min(...rests)));
    this.#timer.unref();
  }
}

/** A store that is away, or closed by now, is told by whoever asks it for something: here it is tried again. */
function awayStore(error: unknown): void {
  if (!(error instanceof StoreError)) throw error;
}
