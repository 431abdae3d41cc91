/**
 * A verifier's machine: the service as it ships over its SQLite store, the key of one party, a clock that is a little off. It
 * crashes between two requests, before a commit or just after one; what was committed is all that it finds again.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { POLICY_DEFAULT } from "../../host/policy/policy.ts";
import { type Signer, verificationKey } from "../../host/protocol/cose.ts";
import { createService } from "../../host/service/create.ts";
import type { VerifierService } from "../../host/service/service.ts";
import { StoreError } from "../../host/store/errors.ts";
import { openStore, type Store } from "../../host/store/store.ts";
import type { Random } from "../../sim-board/random.ts";
import { CLOCK, signerOf } from "../rig.ts";
import { MANUFACTURER } from "./board-host.ts";
import type { Simulation } from "./simulation.ts";

export interface VerifierParts {
  readonly name: string;
  readonly folder: string;
  readonly signer: Signer;
  /** Whether the time authority's key is here. */
  readonly tellsTime: boolean;
  readonly agreement: Uint8Array;
  /** SHA-256 of the governor image that may run. */
  readonly measurement: Uint8Array;
  /** A verifier that is planted to fail: what it committed is lost with a crash. */
  readonly forgets?: boolean;
}

/** Where in a write the machine goes down. */
export type Doom = "before" | "after";

/** 2026-01-01T00:00:00Z, as for the boards. */
const START_MS = 1_767_225_600_000;
const DOWN_MS_MAX = 60_000;
const CLOCK_OFF_MS_MAX = 250;
const CLOCK_PPM_MAX = 50;

export class VerifierHost {
  readonly name: string;
  readonly #sim: Simulation;
  readonly #parts: VerifierParts;
  readonly #random: Random;
  readonly #clock: () => number;
  #service: VerifierService | undefined;
  #doom: Doom | undefined;
  #isDead = false;

  constructor(parts: VerifierParts, sim: Simulation) {
    this.name = parts.name;
    this.#sim = sim;
    this.#parts = parts;
    this.#random = sim.random.stream(parts.name);
    const offMs = this.#random.below(2 * CLOCK_OFF_MS_MAX + 1) - CLOCK_OFF_MS_MAX;
    const ppm = this.#random.below(2 * CLOCK_PPM_MAX + 1) - CLOCK_PPM_MAX;
    if (ppm !== 0) sim.count("clocks that drift");
    this.#clock = () => START_MS + offMs + Math.floor(sim.nowMs * (1 + ppm / 1e6));
  }

  /** Undefined while it is down. */
  get service(): VerifierService | undefined {
    return this.#service;
  }

  async start(): Promise<void> {
    if (this.#service) return;
    const { signer, tellsTime, agreement, measurement } = this.#parts;
    this.#isDead = false;
    const store = await openStore({ folder: join(this.#parts.folder, this.name) });
    const settings = {
      policy: POLICY_DEFAULT,
      references: {
        manufacturers: [verificationKey(MANUFACTURER.publicKey)],
        measurements: [{ digest: measurement, svnLeast: 0 }],
      },
      models: new Map(),
      registration: { owner: "operator", site: "hall" },
    };
    this.#service = await createService(this.#doomed(store), {
      settings: () => settings,
      partySigners: [asynchronous(signer)],
      timeSigners: tellsTime ? [asynchronous(CLOCK)] : [],
      verdictSigner: asynchronous(signerOf(`verdicts of ${this.name}`)),
      clock: this.#clock,
      random: (count) => this.#random.bytes(count),
      agreement,
    });
  }

  /** What it answers. Undefined where it is down, or goes down over it: nobody learns what came of it. */
  async serve<T>(ask: (service: VerifierService) => Promise<T>): Promise<{ readonly value: T } | undefined> {
    const service = this.#service;
    if (!service) return undefined;
    try {
      const value = await ask(service);
      return this.#isDead ? undefined : { value };
    } catch (error) {
      if (this.#isDead) return undefined;
      throw error;
    } finally {
      if (this.#isDead) await this.#goDown("verifier crashes in a commit");
    }
  }

  /** Now, with whatever is not durable. */
  crash(): Promise<void> {
    return this.#goDown("verifier crashes");
  }

  /** It will go down in its next write: nothing of it is kept, or all, and in both cases nobody is told. */
  doom(when: Doom): void {
    if (this.#service) this.#doom = when;
  }

  /** No more crashes, and up within the next moment. */
  async calm(): Promise<void> {
    this.#doom = undefined;
    await this.start();
  }

  async stop(): Promise<void> {
    const service = this.#service;
    this.#service = undefined;
    await service?.close();
  }

  async #goDown(how: "verifier crashes" | "verifier crashes in a commit"): Promise<void> {
    if (!this.#service) return;
    this.#sim.count(how);
    this.#doom = undefined;
    await this.stop();
    if (this.#parts.forgets) rmSync(join(this.#parts.folder, this.name), { recursive: true });
    this.#sim.after(this.#random.below(DOWN_MS_MAX), `${this.name} starts`, () => this.start());
  }

  #doomed(store: Store): Store {
    const write: Store["write"] = async (work) => {
      const doom = this.#doom;
      if (doom === undefined) return store.write(work);
      this.#doom = undefined;
      await store.write(async (tx) => {
        await work(tx);
        this.#isDead = true;
        if (doom === "before") throw new StoreError("store/unavailable");
      });
      throw new StoreError("store/unavailable");
    };
    return { engine: store.engine, db: store.db, forUpdate: store.forUpdate, write, close: () => store.close() };
  }
}

function asynchronous({ kid, publicKey, sign }: Signer) {
  return { kid, publicKey, sign: async (message: Uint8Array) => sign(message) };
}
