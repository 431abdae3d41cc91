/**
 * Entries integrated a second: appended in durable transactions with tree and index, each batch's head signed and durable
 * too; beside the same rows written to the same kind of store in transactions of the same size, and nothing else.
 */
import { randomBytes } from "node:crypto";
import { ObjectType } from "../../../firmware/protocol/claims.ts";
import { encodeEntry } from "../../../host/log/entry.ts";
import { type License, signLicense } from "../../../host/objects/license.ts";
import { ed25519Signer } from "../../../host/protocol/cose.ts";
import { sha256 } from "../../../host/protocol/sha256.ts";
import { LogAppender } from "../../../host/service/log/appender.ts";
import { LogPublisher } from "../../../host/service/log/publisher.ts";
import { type Loggable, TermsBook } from "../../../host/service/log/terms.ts";
import { insertRows } from "../../../host/store/bulk.ts";
import type { Store } from "../../../host/store/store.ts";

/** As many requests as one transaction of the verifier serves at most. */
export const BATCH = 256;
const DEVICES = 512;
const SIGNER = ed25519Signer(new Uint8Array(32).fill(5));
const NO_TERMS = new TermsBook([]);

/** Licenses of some devices in turn, each signed by two parties. */
export function licensesOf(count: number): Loggable[] {
  const parties = [6, 7].map((fill) => ed25519Signer(new Uint8Array(32).fill(fill)));
  const ueids = Array.from({ length: Math.min(count, DEVICES) }, () => Uint8Array.of(1, ...randomBytes(32)));
  return Array.from({ length: count }, (_, i) => {
    const license: License = {
      expirySeconds: 1_800_000_600,
      notBeforeSeconds: 1_800_000_000,
      nonce: new Uint8Array(randomBytes(32)),
      ueid: ueids[i % ueids.length]!,
      agreementDigest: new Uint8Array(32),
      epoch: 0,
      sequence: BigInt(1 + Math.floor(i / ueids.length)),
      budget: new Map([[2, 10n ** 18n]]),
      ticksMax: 86_400_000n,
      svnLeast: 1,
    };
    return { type: ObjectType.LICENSE, bytes: signLicense(license, parties) };
  });
}

/** A log that grows from one call to the next, as a verifier's does. */
export class GrowingLog {
  readonly #store: Store;
  readonly #appender: LogAppender;
  readonly #publisher: LogPublisher;

  constructor(store: Store) {
    this.#store = store;
    this.#appender = new LogAppender(store, (bytes) => new Uint8Array(randomBytes(bytes)));
    const signer = { ...SIGNER, sign: async (message: Uint8Array) => SIGNER.sign(message) };
    this.#publisher = new LogPublisher({
      store,
      origin: "bench.example/log",
      signer,
      clock: Date.now,
      isRolledBack: () => false,
      onHead: () => {},
    });
  }

  /** How many a second. */
  async measure(messages: readonly Loggable[]): Promise<number> {
    const begun = performance.now();
    for (let at = 0; at < messages.length; at += BATCH) {
      const batch = messages.slice(at, at + BATCH);
      const leaves = await this.#store.write((tx) => this.#appender.append(tx, batch, NO_TERMS));
      await this.#publisher.cover(leaves.at(-1)!);
    }
    return (messages.length * 1000) / (performance.now() - begun);
  }
}

/** Rows of entries alone. */
export class PlainRows {
  readonly #store: Store;
  #leaf = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  async measure(messages: readonly Loggable[]): Promise<number> {
    const begun = performance.now();
    for (let at = 0; at < messages.length; at += BATCH) {
      const rows = messages.slice(at, at + BATCH).map(({ type, bytes }) => {
        const entry = encodeEntry({ kind: "plain", type, message: bytes });
        return { leaf: this.#leaf++, digest: sha256(bytes), type, entry, message: null, salt: null };
      });
      await this.#store.write((tx) => insertRows(tx, "log_entries", rows));
    }
    return (messages.length * 1000) / (performance.now() - begun);
  }
}
