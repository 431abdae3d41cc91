/**
 * A folder of encrypted party keys, one file each. Rotation overlaps: the new key names the one that it replaces, which
 * goes on signing until it is retired. So a rotation is one new file, whole or not there, and there is no flag day.
 */
import { randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { ed25519Signer, type LocalSigner } from "../protocol/cose-key.ts";
import { KeyError } from "./errors.ts";
import type { KeyFolder } from "./folder.ts";
import {
  KEY_FILE_BYTES_MAX,
  type KeyHeader,
  type KeyLock,
  lockThatOpens,
  newLock,
  openKey,
  readKeyHeader,
  type ScryptCost,
  Stretcher,
  sealKey,
} from "./key-file.ts";
import { type AsyncSigner, type KeyInfo, type KeySource, kidText } from "./signer.ts";

/** What the folder says of a key. */
export interface StoredKey extends KeyInfo {
  readonly createdSeconds: number;
  /** Kid of the key that this one replaces. */
  readonly replaces?: Uint8Array;
}

const KEYS_MAX = 64;
const SEED_BYTES = 32;
const FILE_NAME = /^[0-9a-f]{16}\.key$/;

export class Keystore {
  readonly #folder: KeyFolder;
  readonly #cost: ScryptCost | undefined;
  readonly #stretcher = new Stretcher();

  /** `cost` is that of the files it writes; each file says its own. */
  constructor(folder: KeyFolder, cost?: ScryptCost) {
    this.#folder = folder;
    this.#cost = cost;
  }

  /** All keys, the oldest first, retired ones too. What a file says is not authenticated before it is unlocked. */
  list(): StoredKey[] {
    const headers = this.#folder.names(FILE_NAME).map((name) => this.#header(name));
    const replaced = new Set(headers.flatMap(({ replaces }) => (replaces ? [kidText(replaces)] : [])));
    return headers
      .map((header) => {
        const isReplaced = header.status === "active" && replaced.has(kidText(header.kid));
        return { ...header, status: isReplaced ? ("retiring" as const) : header.status };
      })
      .sort((a, b) => a.createdSeconds - b.createdSeconds || Buffer.compare(a.kid, b.kid));
  }

  /** A new active key. Throws `KeyError`. */
  create(label: string, passphrase: Uint8Array): Promise<StoredKey> {
    return this.#folder.change(() => this.#add(label, passphrase));
  }

  /**
   * An active key of this seed, for simulations alone, where keys come from the run's seed: what was ever known elsewhere
   * is no party's key. No command leads here. Throws `KeyError`.
   */
  import(label: string, seed: Uint8Array, passphrase: Uint8Array): Promise<StoredKey> {
    if (seed.length !== SEED_BYTES) throw new RangeError(`a seed has ${SEED_BYTES} bytes`);
    return this.#folder.change(() => this.#add(label, passphrase, { seed: Uint8Array.from(seed) }));
  }

  /** A new active key under the same label and passphrase; the old one is retiring from then on. Throws `KeyError`. */
  rotate(kid: Uint8Array, passphrase: Uint8Array): Promise<StoredKey> {
    return this.#folder.change(async () => {
      const old = this.#find(kid);
      if (old.status === "retiring") throw new KeyError("keys/rotated", kidText(kid));
      // Whoever cannot use the old key cannot put another in its place.
      await this.unlock(kid, passphrase);
      return this.#add(old.label, passphrase, { replaces: old.kid });
    });
  }

  /**
   * The key signs no more: its seed is taken out of the file. An active key, which nothing replaces, needs `evenActive`.
   * Throws `KeyError`.
   */
  retire(kid: Uint8Array, passphrase: Uint8Array, evenActive = false): Promise<StoredKey> {
    return this.#folder.change(async () => {
      const { status } = this.#find(kid);
      if (status === "retired") throw new KeyError("keys/retired", kidText(kid));
      if (status === "active" && !evenActive) throw new KeyError("keys/active", kidText(kid));
      const { header, seed } = await this.#open(kid, passphrase);
      seed?.fill(0);
      const retired = { ...header, status: "retired" as const };
      this.#folder.replace(nameOf(kid), await this.#seal(retired, undefined, passphrase));
      return retired;
    });
  }

  /** Throws `KeyError` (`keys/passphrase`, `keys/retired`, `keys/corrupt`, `keys/unknown`). */
  async unlock(kid: Uint8Array, passphrase: Uint8Array): Promise<LocalSigner> {
    const { seed } = await this.#open(kid, passphrase);
    if (seed === undefined) throw new KeyError("keys/retired", kidText(kid));
    const signer = ed25519Signer(seed);
    seed.fill(0);
    return signer;
  }

  /** Wipes what the passphrases were stretched to. */
  forget(): Promise<void> {
    return this.#stretcher.forget();
  }

  async #seal(header: KeyHeader, seed: Uint8Array | undefined, passphrase: Uint8Array): Promise<Uint8Array> {
    return sealKey(header, seed, passphrase, await this.#lock(passphrase), this.#stretcher);
  }

  /**
   * That of the keys which the passphrase opens already: whoever opens the folder stretches it once, not once a key. Who
   * guesses has no less to do, for all of them fall to the same passphrase.
   */
  async #lock(passphrase: Uint8Array): Promise<KeyLock> {
    const lock = newLock(this.#cost);
    const newest = this.list().at(-1);
    if (!newest) return lock;
    const bytes = this.#folder.read(nameOf(newest.kid), KEY_FILE_BYTES_MAX);
    const shared = await lockThatOpens(bytes, passphrase, this.#stretcher);
    return shared && isDeepStrictEqual(shared.cost, lock.cost) ? shared : lock;
  }

  /** Wipes the seed. */
  async #add(
    label: string,
    passphrase: Uint8Array,
    { seed = randomBytes(SEED_BYTES), replaces }: { seed?: Uint8Array; replaces?: Uint8Array } = {},
  ): Promise<StoredKey> {
    if (this.#folder.names(FILE_NAME).length >= KEYS_MAX) throw new KeyError("keys/full", `${KEYS_MAX}`);
    const { kid, publicKey } = ed25519Signer(seed);
    const header = {
      kid,
      publicKey,
      createdSeconds: Math.floor(Date.now() / 1000),
      label,
      status: "active" as const,
      ...(replaces && { replaces }),
    };
    const file = await this.#seal(header, seed, passphrase);
    seed.fill(0);
    this.#folder.create(nameOf(header.kid), file);
    return header;
  }

  async #open(kid: Uint8Array, passphrase: Uint8Array): Promise<{ header: KeyHeader; seed?: Uint8Array }> {
    const name = nameOf(kid);
    if (!this.#folder.has(name)) throw new KeyError("keys/unknown", kidText(kid));
    const bytes = this.#folder.read(name, KEY_FILE_BYTES_MAX);
    try {
      const opened = await openKey(bytes, passphrase, this.#stretcher);
      checkName(name, opened.header);
      return opened;
    } catch (cause) {
      throw withName(name, cause);
    }
  }

  #find(kid: Uint8Array): StoredKey {
    const found = this.list().find((key) => Buffer.compare(key.kid, kid) === 0);
    if (!found) throw new KeyError("keys/unknown", kidText(kid));
    return found;
  }

  #header(name: string): KeyHeader {
    const bytes = this.#folder.read(name, KEY_FILE_BYTES_MAX);
    try {
      const header = readKeyHeader(bytes);
      checkName(name, header);
      return header;
    } catch (cause) {
      throw withName(name, cause);
    }
  }
}

/** The keys of a folder that one passphrase opens, each unlocked once, when it is first asked for. */
export class OpenKeystore implements KeySource {
  readonly #store: Keystore;
  readonly #passphrase: Uint8Array;
  readonly #signers = new Map<string, Promise<LocalSigner>>();

  /** Takes the passphrase over: `close` wipes it. */
  constructor(store: Keystore, passphrase: Uint8Array) {
    this.#store = store;
    this.#passphrase = passphrase;
  }

  async list(): Promise<readonly StoredKey[]> {
    return this.#store.list().filter(({ status }) => status !== "retired");
  }

  async signer(kid: Uint8Array): Promise<AsyncSigner> {
    const name = kidText(kid);
    let unlocking = this.#signers.get(name);
    if (!unlocking) {
      unlocking = this.#store.unlock(kid, this.#passphrase);
      this.#signers.set(name, unlocking);
      // A failure is not remembered: the next may succeed.
      unlocking.catch(() => this.#signers.delete(name));
    }
    const { publicKey, signAsync } = await unlocking;
    return { kid, publicKey, sign: signAsync };
  }

  async close(): Promise<void> {
    this.#passphrase.fill(0);
    this.#signers.clear();
    await this.#store.forget();
  }
}

function nameOf(kid: Uint8Array): string {
  return `${kidText(kid)}.key`;
}

/** A file under another key's name would stand for that key. */
function checkName(name: string, { kid }: KeyHeader): void {
  if (name !== nameOf(kid)) throw new KeyError("keys/corrupt", "the file of another key");
}

/** The same refusal, saying of which file. */
function withName(name: string, cause: unknown): unknown {
  if (!(cause instanceof KeyError)) return cause;
  const { detail } = cause;
  return new KeyError(cause.code, detail === undefined ? name : `${name}: ${detail}`, { cause });
}
