/**
 * One party key as a file: deterministic CBOR, the seed sealed by AES-256-GCM (NIST SP 800-38D) under a key that scrypt
 * (RFC 7914) makes of the passphrase. All that is not secret is authenticated with it. docs/keys.md draws the form.
 *
 *   ["quiesce-key", 1, header, sealed, checksum]
 *
 * The checksum needs no passphrase: it tells a damaged file from a wrong passphrase. It is no protection; the seal is.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  randomBytes,
  scrypt,
  timingSafeEqual,
} from "node:crypto";
import { Limit } from "../../firmware/protocol/limits.ts";
import { type CborValue, decode, encode } from "../protocol/cbor.ts";
import { ed25519Signer, keyId } from "../protocol/cose-key.ts";
import { KeyError } from "./errors.ts";
import { isLabel } from "./label.ts";

export type StoredStatus = "active" | "retired";

/** What a key file says in the clear. */
export interface KeyHeader {
  /** 8 bytes: `keyId` of the public key. */
  readonly kid: Uint8Array;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly createdSeconds: number;
  /** 1 to 64 bytes of UTF-8 without control characters. */
  readonly label: string;
  readonly status: StoredStatus;
  /** Kid of the key that this one replaces. */
  readonly replaces?: Uint8Array;
}

/** Cost of one guess at the passphrase (RFC 7914 section 2): 128 * r * 2^logN bytes of memory. */
export interface ScryptCost {
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

/** A third of a second and 128 MiB a guess. */
const SCRYPT_COST: ScryptCost = { logN: 17, r: 8, p: 1 };

/** What is read: no file makes a reader spend over 1 GiB, or less than a test may. */
const COST_BOUNDS = { logN: [10, 20], r: [8, 8], p: [1, 4] } as const;

const MAGIC = "quiesce-key";
const VERSION = 1;
export const KEY_FILE_BYTES_MAX = 1024;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const KEY_BYTES = 32;
const CHECK_BYTES = 16;
const TAG_BYTES = 16;
const SEED_BYTES = 32;
const SECONDS_MAX = 2 ** 40;

const Field = {
  KID: 1,
  PUBLIC_KEY: 2,
  CREATED: 3,
  LABEL: 4,
  STATUS: 5,
  REPLACES: 6,
  SCRYPT: 7,
  CHECK: 8,
  NONCE: 9,
} as const;

/** What a guess at the passphrase costs, and the salt that it is stretched with. */
export interface KeyLock {
  readonly cost: ScryptCost;
  readonly salt: Uint8Array;
}

type Stretched = { readonly key: Uint8Array; readonly check: Uint8Array };

/** Stretches a passphrase once per lock, however many files share it, and holds what came of it until it is to forget. */
export class Stretcher {
  readonly #known = new Map<string, Promise<Stretched>>();
  /** What passphrases are told apart by: without it, what stays of their names in memory is worth no guess. */
  readonly #naming = randomBytes(32);

  stretch(passphrase: Uint8Array, lock: KeyLock): Promise<Stretched> {
    const name = this.#nameOf(passphrase, lock);
    let stretched = this.#known.get(name);
    if (!stretched) {
      stretched = stretch(passphrase, lock.salt, lock.cost);
      this.#known.set(name, stretched);
      // A failure, for want of memory, is not remembered: the next may succeed.
      stretched.catch(() => this.#known.delete(name));
    }
    return stretched;
  }

  /** Whether the passphrase is the one of this check. What comes of a wrong one is not kept. */
  async opens(passphrase: Uint8Array, lock: KeyLock, check: Uint8Array): Promise<boolean> {
    const stretched = await this.stretch(passphrase, lock);
    if (timingSafeEqual(stretched.check, check)) return true;
    this.#known.delete(this.#nameOf(passphrase, lock));
    return false;
  }

  /** Wipes what it holds; what is asked for meanwhile is worked out anew. */
  async forget(): Promise<void> {
    const all = [...this.#known.values()];
    this.#known.clear();
    for (const one of await Promise.allSettled(all)) if (one.status === "fulfilled") one.value.key.fill(0);
  }

  #nameOf(passphrase: Uint8Array, { cost: { logN, r, p }, salt }: KeyLock): string {
    const name = createHmac("sha256", this.#naming).update(`${logN} ${r} ${p} ${salt.length} `);
    return name.update(salt).update(passphrase).digest("hex");
  }
}

/** With one of its own, which then forgets, where there is none to share. */
async function stretching<T>(shared: Stretcher | undefined, work: (stretcher: Stretcher) => Promise<T>): Promise<T> {
  if (shared) return work(shared);
  const own = new Stretcher();
  try {
    return await work(own);
  } finally {
    await own.forget();
  }
}

type Opened = { header: KeyHeader; cost: ScryptCost; salt: Uint8Array; check: Uint8Array; nonce: Uint8Array };
type Envelope = { header: Uint8Array; sealed: Uint8Array };

/** Of a file that shares its salt with no other. */
export function newLock(cost: ScryptCost = SCRYPT_COST): KeyLock {
  return { cost, salt: randomBytes(SALT_BYTES) };
}

/** The file's lock, if this passphrase opens it. Throws `KeyError`. */
export async function lockThatOpens(
  bytes: Uint8Array,
  passphrase: Uint8Array,
  stretcher: Stretcher,
): Promise<KeyLock | undefined> {
  const { cost, salt, check } = readHeader(openEnvelope(bytes));
  const lock = { cost, salt };
  return (await stretcher.opens(passphrase, lock, check)) ? lock : undefined;
}

/** The file. A retired key is sealed without its seed. Throws `KeyError` (`keys/label`). */
export async function sealKey(
  header: KeyHeader,
  seed: Uint8Array | undefined,
  passphrase: Uint8Array,
  lock: KeyLock = newLock(),
  stretcher?: Stretcher,
): Promise<Uint8Array> {
  if (!isLabel(header.label)) throw new KeyError("keys/label");
  return stretching(stretcher, async (shared) => sealed(header, seed, lock, await shared.stretch(passphrase, lock)));
}

function sealed(
  header: KeyHeader,
  seed: Uint8Array | undefined,
  { cost, salt }: KeyLock,
  { key, check }: Stretched,
): Uint8Array {
  // One that was wiped already, and is all zeros, would lay the seed open.
  if (!key.some((byte) => byte !== 0)) throw new Error("a key that was wiped seals nothing");
  // Files that share a lock share a key, and no nonce: 64 files of 96 random bits each.
  const nonce = randomBytes(NONCE_BYTES);
  const fields = new Map<number, CborValue>([
    [Field.KID, header.kid],
    [Field.PUBLIC_KEY, header.publicKey],
    [Field.CREATED, header.createdSeconds],
    [Field.LABEL, header.label],
    [Field.STATUS, header.status],
    [Field.SCRYPT, [cost.logN, cost.r, cost.p, salt]],
    [Field.CHECK, check],
    [Field.NONCE, nonce],
  ]);
  if (header.replaces) fields.set(Field.REPLACES, header.replaces);
  const clear = encode(fields);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(authenticated(clear));
  const hidden = Buffer.concat([cipher.update(seed ?? new Uint8Array(0)), cipher.final(), cipher.getAuthTag()]);
  return encode([MAGIC, VERSION, clear, hidden, checksum(clear, hidden)]);
}

/** What the file says in the clear, vouched for by nothing but its checksum. Throws `KeyError`. */
export function readKeyHeader(bytes: Uint8Array): KeyHeader {
  return readHeader(openEnvelope(bytes)).header;
}

/** The header and, unless the key is retired, its seed. The caller wipes the seed. Throws `KeyError`. */
export async function openKey(
  bytes: Uint8Array,
  passphrase: Uint8Array,
  stretcher?: Stretcher,
): Promise<{ header: KeyHeader; seed?: Uint8Array }> {
  const opened = await openSealed(bytes, passphrase, stretcher);
  const { header, seed } = opened;
  if (seed && Buffer.compare(ed25519Signer(seed).publicKey, header.publicKey) !== 0) {
    throw new KeyError("keys/corrupt", "another seed");
  }
  return opened;
}

/** The same, whatever the secret is to the public key: shares of a group's key lie in such files too. */
export async function openSealed(
  bytes: Uint8Array,
  passphrase: Uint8Array,
  stretcher?: Stretcher,
): Promise<{ header: KeyHeader; seed?: Uint8Array }> {
  const envelope = openEnvelope(bytes);
  const { header, cost, salt, check, nonce } = readHeader(envelope);
  const lock = { cost, salt };
  return stretching(stretcher, async (shared) => {
    if (!(await shared.opens(passphrase, lock, check))) throw new KeyError("keys/passphrase");
    const seed = unseal(envelope, (await shared.stretch(passphrase, lock)).key, nonce);
    return header.status === "retired" ? { header } : { header, seed };
  });
}

function unseal({ header, sealed }: Envelope, key: Uint8Array, nonce: Uint8Array): Uint8Array {
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(authenticated(header));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]);
  } catch (cause) {
    throw new KeyError("keys/corrupt", "the seal is broken", { cause });
  }
}

/** The check is as hard to guess from as the seal itself: both take one scrypt a guess. */
function stretch(
  passphrase: Uint8Array,
  salt: Uint8Array,
  { logN, r, p }: ScryptCost,
): Promise<{ key: Buffer; check: Buffer }> {
  const N = 2 ** logN;
  // OpenSSL counts its working space too, so the bound is twice what the blocks take.
  const options = { N, r, p, maxmem: 2 * 128 * r * (N + p) };
  return new Promise((resolve, reject) => {
    scrypt(passphrase, salt, KEY_BYTES + CHECK_BYTES, options, (error, bytes) => {
      if (error) reject(error);
      else resolve({ key: bytes.subarray(0, KEY_BYTES), check: bytes.subarray(KEY_BYTES) });
    });
  });
}

function authenticated(header: Uint8Array): Uint8Array {
  return encode([MAGIC, VERSION, header]);
}

function checksum(header: Uint8Array, sealed: Uint8Array): Uint8Array {
  return createHash("sha256")
    .update(encode([MAGIC, VERSION, header, sealed]))
    .digest();
}

function openEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length > KEY_FILE_BYTES_MAX) throw new KeyError("keys/too-long");
  const fields = decodeOr(bytes);
  if (!Array.isArray(fields) || fields[0] !== MAGIC) throw new KeyError("keys/corrupt", "not a key file");
  if (fields[1] !== VERSION && typeof fields[1] === "number") throw new KeyError("keys/version", `${fields[1]}`);
  const [, version, header, sealed, sum] = fields as readonly CborValue[];
  const isForm = version === VERSION && fields.length === 5 && header instanceof Uint8Array;
  if (!isForm || !(sealed instanceof Uint8Array) || !(sum instanceof Uint8Array)) corrupt("its form");
  if (Buffer.compare(sum, checksum(header, sealed)) !== 0) corrupt("its checksum");
  return { header, sealed };
}

function readHeader({ header, sealed }: Envelope): Opened {
  const fields = decodeOr(header);
  if (!(fields instanceof Map)) return corrupt("its header");
  const replaces = fields.get(Field.REPLACES);
  const known = Object.values(Field).length - (replaces === undefined ? 1 : 0);
  const scryptFields = fields.get(Field.SCRYPT);
  if (fields.size !== known || !Array.isArray(scryptFields) || scryptFields.length !== 4) corrupt("its header");
  const [logN, r, p, salt] = scryptFields as readonly CborValue[];
  const opened: Opened = {
    header: {
      kid: bytesOf(fields.get(Field.KID), Limit.KID_BYTES),
      publicKey: bytesOf(fields.get(Field.PUBLIC_KEY), Limit.PUBLIC_KEY_BYTES),
      createdSeconds: within(fields.get(Field.CREATED), [0, SECONDS_MAX]),
      label: labelOf(fields.get(Field.LABEL)),
      status: statusOf(fields.get(Field.STATUS)),
      ...(replaces !== undefined && { replaces: bytesOf(replaces, Limit.KID_BYTES) }),
    },
    cost: {
      logN: within(logN, COST_BOUNDS.logN),
      r: within(r, COST_BOUNDS.r),
      p: within(p, COST_BOUNDS.p),
    },
    salt: bytesOf(salt, SALT_BYTES),
    check: bytesOf(fields.get(Field.CHECK), CHECK_BYTES),
    nonce: bytesOf(fields.get(Field.NONCE), NONCE_BYTES),
  };
  const { kid, publicKey, status } = opened.header;
  if (Buffer.compare(kid, keyId(publicKey)) !== 0) corrupt("its kid");
  if (sealed.length !== (status === "retired" ? 0 : SEED_BYTES) + TAG_BYTES) corrupt("its seal");
  return opened;
}

function labelOf(value: CborValue | undefined): string {
  return typeof value === "string" && isLabel(value) ? value : corrupt("its label");
}

function statusOf(value: CborValue | undefined): StoredStatus {
  return value === "active" || value === "retired" ? value : corrupt("its status");
}

function bytesOf(value: CborValue | undefined, length: number): Uint8Array {
  return value instanceof Uint8Array && value.length === length ? value : corrupt("the length of a field");
}

function within(value: CborValue | undefined, [min, max]: readonly [number, number]): number {
  return typeof value === "number" && value >= min && value <= max ? value : corrupt("the range of a field");
}

function decodeOr(bytes: Uint8Array): CborValue {
  try {
    return decode(bytes);
  } catch (cause) {
    throw new KeyError("keys/corrupt", "not deterministic CBOR", { cause });
  }
}

function corrupt(what: string): never {
  throw new KeyError("keys/corrupt", what);
}
