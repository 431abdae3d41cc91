/**
 * Who signs notes: a name, a kind of signature and a public key, and their text form, the vkey (C2SP signed-note,
 * "Verifier keys"). Two kinds of Ed25519 signatures are known here: those of a log over a note, and cosignatures.
 */
import { Limit } from "../../firmware/protocol/limits.ts";
import { ed25519Verify } from "../protocol/ed25519.ts";
import { sha256 } from "../protocol/sha256.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { LogError } from "./errors.ts";

/** Signature type identifier bytes of C2SP signed-note. */
export const NoteType = {
  /** Ed25519 over the note's text. */
  ED25519: 1,
  /** A timestamped cosignature of a checkpoint (C2SP tlog-cosignature). */
  COSIGNATURE: 4,
} as const;
export type NoteType = (typeof NoteType)[keyof typeof NoteType];

export interface NoteKey {
  readonly name: string;
  readonly type: NoteType;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 4 bytes: it finds the key among those that are known, and proves nothing. */
  readonly id: Uint8Array;
}

/** Who signs notes, at once or later: a `Signer` or an `AsyncSigner`. */
export interface NoteSigner {
  readonly publicKey: Uint8Array;
  readonly sign: (message: Uint8Array) => Uint8Array | Promise<Uint8Array>;
}

export const KEY_ID_BYTES = 4;
/** Bytes of the longest name of a key that is known here; what unknown ones are called is bounded by the note alone. */
const NAME_BYTES_MAX = 255;

/** Throws `LogError` (`log/key-malformed`). */
export function noteKey(name: string, type: NoteType, publicKey: Uint8Array): NoteKey {
  if (!isKeyName(name) || Buffer.byteLength(name) > NAME_BYTES_MAX) {
    throw malformed(`a name has 1 to ${NAME_BYTES_MAX} bytes, with no space, plus or control character`);
  }
  if (publicKey.length !== Limit.PUBLIC_KEY_BYTES) throw malformed("an Ed25519 key has 32 bytes");
  const typed = Buffer.from([type, ...publicKey]);
  const id = sha256(Buffer.concat([Buffer.from(`${name}\n`), typed])).slice(0, KEY_ID_BYTES);
  return { name, type, publicKey: publicKey.slice(), id };
}

/** `name+hex(id)+base64(type || key)`. Throws `LogError` (`log/key-malformed`). */
export function parseVkey(text: string): NoteKey {
  // Base 64 has a plus too: only the first two part the text.
  const parts = /^([^+]*)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]*)$/.exec(text);
  if (!parts) throw malformed("a vkey is NAME+ID+KEY: the ID is 8 lowercase hex digits, the key base64");
  const [, name, id, encoded] = parts;
  const material = fromBase64(encoded!);
  if (!material) throw malformed("the key is no canonical base64");
  const type = Object.values(NoteType).find((known) => known === material[0]);
  if (type === undefined) throw malformed("no Ed25519 key, neither of a log (type 1) nor of a witness (type 4)");
  const key = noteKey(name!, type, material.subarray(1));
  if (Buffer.from(key.id).toString("hex") !== id) throw malformed("the ID is not that of the name and the key");
  return key;
}

export function formatVkey({ name, type, publicKey, id }: NoteKey): string {
  return `${name}+${Buffer.from(id).toString("hex")}+${toBase64(new Uint8Array([type, ...publicKey]))}`;
}

/** Non-empty, with no space of Unicode, no plus, no control character, and text that UTF-8 can carry. */
export function isKeyName(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return /^[^\p{White_Space}+\u0000-\u001f]+$/u.test(name) && name.isWellFormed();
}

export function isSameKey(key: NoteKey, { name, id }: Pick<NoteKey, "name" | "id">): boolean {
  return key.name === name && Buffer.compare(key.id, id) === 0;
}

/** 64 bytes of the key's signature over the message. Throws `LogError` (`log/key-malformed`, `log/signature`). */
export async function signBy(key: NoteKey, signer: NoteSigner, message: Uint8Array): Promise<Uint8Array> {
  if (Buffer.compare(signer.publicKey, key.publicKey) !== 0) throw malformed("the signer has another key");
  const signature = await signer.sign(message);
  // A signature that does not hold would make others refuse the whole note.
  if (!ed25519Verify(signature, message, key.publicKey)) throw new LogError("log/signature", "what was signed fails");
  return signature;
}

function malformed(what: string): LogError {
  return new LogError("log/key-malformed", what);
}
