/** A verifier whose agreement has a log: its key, and witnesses that listen, each with a store and a clock of its own. */
import { afterEach } from "vitest";
import { serviceLogger } from "../../../host/http/logging.ts";
import { type Listening, serve } from "../../../host/http/serve.ts";
import { NoteType, noteKey } from "../../../host/log/note.ts";
import type { Agreement, LogTerms } from "../../../host/objects/agreement.ts";
import { type Signer, verificationKey } from "../../../host/protocol/cose.ts";
import { sha256 } from "../../../host/protocol/sha256.ts";
import type { LogHere } from "../../../host/service/log/transparency-log.ts";
import type { StorePlace } from "../../../host/store/store.ts";
import { buildWitnessApp } from "../../../host/witness/app.ts";
import { WitnessStore } from "../../../host/witness/store.ts";
import { Witness } from "../../../host/witness/witness.ts";
import { signerOf } from "../fake-governor.ts";
import { newFolder } from "../store/engines.ts";
import { SERVING_LIMITS } from "../witness/rig.ts";
import { asyncSigner, ServiceWorld, STARTS_MS, type WorldOptions } from "./world.ts";

export const ORIGIN = "north.example/log";
export const LOG_SIGNER = signerOf("log");
export const LOG_KEY = noteKey(ORIGIN, NoteType.ED25519, LOG_SIGNER.publicKey);

/** One that listens, or is away for a while. */
export class LiveWitness {
  readonly name: string;
  readonly signer: Signer;
  readonly key;
  /** Of its cosignatures. */
  nowSeconds: () => number;
  /** What an answer waits for. */
  held: Promise<void> = Promise.resolve();
  readonly #folder = newFolder();
  #port = 0;
  #open: { readonly store: WitnessStore; readonly listening: Listening } | undefined;

  constructor(name: string, nowSeconds: () => number) {
    this.name = name;
    this.signer = signerOf(`witness ${name}`);
    this.key = noteKey(`${name}.example/witness`, NoteType.COSIGNATURE, this.signer.publicKey);
    this.nowSeconds = nowSeconds;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** On the port that it had before. */
  async start(): Promise<this> {
    const store = WitnessStore.open(this.#folder);
    const { key } = this;
    const signer = {
      publicKey: this.signer.publicKey,
      sign: async (message: Uint8Array) => {
        await this.held;
        return this.signer.sign(message);
      },
    };
    const logs = [{ origin: ORIGIN, keys: [LOG_KEY] }];
    const witness = new Witness({ key, signer, logs, store, nowSeconds: () => this.nowSeconds() });
    const app = await buildWitnessApp(witness, store, { logger: serviceLogger("silent") });
    const listening = await serve(app, { tcp: { host: "127.0.0.1", port: this.#port }, limits: SERVING_LIMITS });
    this.#port = Number(new URL(listening.addresses[0]!).port);
    this.#open = { store, listening };
    return this;
  }

  async stop(): Promise<void> {
    await this.#open?.listening.close();
    this.#open?.store.close();
    this.#open = undefined;
  }
}

export interface LoggedOptions extends WorldOptions {
  readonly terms?: Partial<LogTerms>;
  /** Default 3. */
  readonly witnesses?: number;
  readonly signer?: LogHere["signer"];
}

export interface Logged {
  readonly world: ServiceWorld;
  readonly witnesses: readonly LiveWitness[];
  readonly log: LogHere;
  readonly options: WorldOptions;
}

export function logTermsOf(witnesses: readonly LiveWitness[], change: Partial<LogTerms> = {}): LogTerms {
  return {
    commitments: false,
    log: { name: ORIGIN, ...verificationKey(LOG_SIGNER.publicKey) },
    witnesses: witnesses.map(({ key }) => ({ name: key.name, ...verificationKey(key.publicKey) })),
    witnessQuorum: Math.floor(witnesses.length / 2) + 1,
    checkpointSecondsMax: 3600,
    pauseBeforeProof: true,
    ...change,
  };
}

/** Opens such verifiers for one test after the other; each is closed after its test, and so are its witnesses. */
export function loggedOn(place: () => StorePlace) {
  const open: { world?: ServiceWorld; witnesses: readonly LiveWitness[] }[] = [];
  afterEach(async () => {
    for (const { world, witnesses } of open.splice(0)) {
      await world?.close();
      for (const witness of witnesses) await witness.stop();
    }
  });
  return async ({ terms, witnesses: count = 3, signer, ...options }: LoggedOptions = {}): Promise<Logged> => {
    // They are asked as soon as the world opens: a time that no cosignature may have would set them aside for a while.
    let clock = () => Math.floor(STARTS_MS / 1000);
    const names = ["south", "east", "west"].slice(0, count);
    const witnesses = names.map((name) => new LiveWitness(name, () => clock()));
    open.push({ witnesses });
    for (const witness of witnesses) await witness.start();
    const log: LogHere = {
      origin: ORIGIN,
      signer: signer ?? asyncSigner(LOG_SIGNER),
      witnesses: witnesses.map(({ name, url, key }) => ({ name, url, key })),
      backoff: { leastMs: 20, mostMs: 100 },
      link: { timeoutMs: 2000 },
    };
    const agreement: Partial<Agreement> = { log: logTermsOf(witnesses, terms), ...options.agreement };
    const all = { ...options, agreement, log };
    const world = await ServiceWorld.open(place(), all);
    clock = () => Math.floor(world.nowMs / 1000);
    open.push({ world, witnesses: [] });
    return { world, witnesses, log, options: all };
  };
}

export function digestOf(message: Uint8Array): Uint8Array {
  return sha256(message);
}
