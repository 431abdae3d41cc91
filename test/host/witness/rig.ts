/** A log for tests of witnesses, and a witness with its own store, by HTTP. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "undici";
import { serviceLogger } from "../../../host/http/logging.ts";
import { type Listening, serve } from "../../../host/http/serve.ts";
import { formatAddCheckpoint } from "../../../host/log/add-checkpoint.ts";
import { buildWitnessApp } from "../../../host/witness/app.ts";
import { type Conflict, WitnessStore } from "../../../host/witness/store.ts";
import { Witness, type WitnessedLog } from "../../../host/witness/witness.ts";
import { type KeyPair, signedCheckpoint, witnessPair } from "../log/keys.ts";
import { MTH, PROOF } from "../log/naive.ts";

export const WITNESS = witnessPair("witness.example/w1");
/** What the clock of a witness shows first. */
export const NOW_SECONDS = 1_800_000_000;

/** A log whose entries are texts; a fork is another one that shares the first of them. */
export class TestLog {
  readonly pair: KeyPair;
  readonly #entries: Uint8Array[];

  constructor(pair: KeyPair, entries: readonly Uint8Array[] = []) {
    this.pair = pair;
    this.#entries = [...entries];
  }

  get size(): number {
    return this.#entries.length;
  }

  get leaves(): readonly Uint8Array[] {
    return this.#entries;
  }

  get origin(): string {
    return this.pair.key.name;
  }

  grow(count: number, what = "entry"): this {
    for (let i = 0; i < count; i++) this.#entries.push(Buffer.from(`${what} ${this.#entries.length}`));
    return this;
  }

  /** Of the first `size` entries, that goes on in its own way. */
  fork(size: number): TestLog {
    return new TestLog(this.pair, this.#entries.slice(0, size));
  }

  root(size = this.size): Uint8Array {
    return MTH(this.#entries.slice(0, size));
  }

  proof(oldSize: number, size = this.size): Uint8Array[] {
    return oldSize === 0 ? [] : PROOF(oldSize, this.#entries.slice(0, size));
  }

  note(size = this.size): Promise<string> {
    return signedCheckpoint(this.pair, { size, root: this.root(size) });
  }

  /** What an honest log sends to a witness that knows the head of `oldSize`. */
  async request(oldSize: number, size = this.size): Promise<string> {
    return formatAddCheckpoint({ oldSize, proof: this.proof(oldSize, size), note: await this.note(size) });
  }
}

export function logOf({ key }: KeyPair): WitnessedLog {
  return { origin: key.name, keys: [key] };
}

export type Answer = { status: number; type: string; text: string };

/** Of a server that a test serves by. */
export const SERVING_LIMITS = {
  connectionsMax: 100,
  headerBytesMax: 16_384,
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 5_000,
  keepAliveTimeoutMs: 5_000,
  shutdownMs: 1_000,
};

/** A witness that listens; whoever made it closes it. */
export class ServedWitness {
  readonly store: WitnessStore;
  readonly conflicts: Conflict[] = [];
  readonly witness: Witness;
  nowSeconds = NOW_SECONDS;
  #listening: Listening | undefined;

  private constructor(folder: string, logs: readonly WitnessedLog[]) {
    this.store = WitnessStore.open(folder);
    this.witness = new Witness({
      key: WITNESS.key,
      signer: WITNESS.signer,
      logs,
      store: this.store,
      nowSeconds: () => this.nowSeconds,
      onConflict: (conflict) => this.conflicts.push(conflict),
    });
  }

  static async start(folder: string, logs: readonly WitnessedLog[]): Promise<ServedWitness> {
    const served = new ServedWitness(folder, logs);
    const app = await buildWitnessApp(served.witness, served.store, { logger: serviceLogger("silent") });
    served.#listening = await serve(app, {
      tcp: { host: "127.0.0.1", port: 0 },
      limits: SERVING_LIMITS,
    });
    return served;
  }

  get url(): string {
    return this.#listening!.addresses[0]!;
  }

  post(body: string | Uint8Array): Promise<Answer> {
    return ask(`${this.url}/add-checkpoint`, "POST", body);
  }

  get(path: string): Promise<Answer> {
    return ask(`${this.url}${path}`, "GET");
  }

  async close(): Promise<void> {
    await this.#listening?.close();
    this.store.close();
  }
}

export async function ask(url: string, method: "GET" | "POST", body?: string | Uint8Array): Promise<Answer> {
  const answer = await request(url, { method, ...(body !== undefined && { body }) });
  return {
    status: answer.statusCode,
    type: String(answer.headers["content-type"]),
    text: await answer.body.text(),
  };
}

/** A folder that is gone when the work is over. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "quiesce-witness-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Closed when the work is over, and its folder gone. */
export function withWitness<T>(
  logs: readonly WitnessedLog[],
  work: (served: ServedWitness, folder: string) => Promise<T>,
): Promise<T> {
  return withFolder(async (folder) => {
    const served = await ServedWitness.start(folder, logs);
    try {
      return await work(served, folder);
    } finally {
      await served.close();
    }
  });
}
