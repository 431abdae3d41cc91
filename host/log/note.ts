/**
 * Signed notes (C2SP signed-note): a text, an empty line, and signature lines. What is read here is only of the right
 * form: a note means nothing before the signature of a known key was verified (`signaturesBy`).
 */
import { ed25519Verify } from "../protocol/ed25519.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { LogError } from "./errors.ts";
import { isKeyName, isSameKey, KEY_ID_BYTES, type NoteKey, type NoteSigner, signBy } from "./note-key.ts";

export { formatVkey, type NoteKey, type NoteSigner, NoteType, noteKey, parseVkey } from "./note-key.ts";

/**
 * Bytes of the longest note. The specification asks for 16 signatures at least, of nearly 5 kB each where they resist
 * quantum computers: 107 kB in base64.
 */
export const NOTE_BYTES_MAX = 131_072;
/** Twice what the specification asks for. */
const NOTE_SIGNATURES_MAX = 32;

/** One signature line. */
export interface NoteSignature {
  /** Of the key; it and the id are only a claim. */
  readonly name: string;
  /** 4 bytes. */
  readonly id: Uint8Array;
  /** As the type of the key has it: 64 bytes of a log, 72 of a witness, anything of others. */
  readonly signature: Uint8Array;
}

export interface Note {
  /** The text that is signed, with its final newline. */
  readonly body: string;
  readonly signatures: readonly NoteSignature[];
}

const DASH = "\u2014 ";

/** Throws `LogError` (`log/note-malformed`). */
export function parseNote(text: string): Note {
  if (Buffer.byteLength(text) > NOTE_BYTES_MAX) throw malformed(`a note has at most ${NOTE_BYTES_MAX} bytes`);
  if (!text.isWellFormed()) throw malformed("a note is UTF-8");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u0009\u000b-\u001f]/.test(text)) throw malformed("a note has no control character but newlines");
  const end = text.lastIndexOf("\n\n");
  if (end < 0) throw malformed("an empty line parts the text from the signatures");
  const lines = text.slice(end + 2).split("\n");
  if (lines.pop() !== "" || lines.length === 0) throw malformed("a note ends with a signature line and its newline");
  if (lines.length > NOTE_SIGNATURES_MAX) throw malformed(`a note has at most ${NOTE_SIGNATURES_MAX} signatures`);
  return { body: text.slice(0, end + 1), signatures: lines.map(parseSignatureLine) };
}

/** The note of bytes that came over a wire. Throws `LogError` (`log/note-malformed`). */
export function noteText(bytes: Uint8Array): string {
  if (bytes.length > NOTE_BYTES_MAX) throw malformed(`a note has at most ${NOTE_BYTES_MAX} bytes`);
  return utf8Text(bytes);
}

/** The text of bytes, where a byte order mark is part of it. Throws `LogError` (`log/note-malformed`). */
export function utf8Text(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch (cause) {
    throw new LogError("log/note-malformed", "a note is UTF-8", { cause });
  }
}

/** A byte order mark would be part of what is signed. */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** One line without its newline. Throws `LogError` (`log/note-malformed`). */
export function parseSignatureLine(line: string): NoteSignature {
  const [name, encoded, ...rest] = line.startsWith(DASH) ? line.slice(DASH.length).split(" ") : [];
  if (name === undefined || encoded === undefined || rest.length > 0) {
    throw malformed("a signature line is an em dash, a name and a signature, with one space between each");
  }
  if (!isKeyName(name)) throw malformed("a name that no key can have");
  const bytes = fromBase64(encoded);
  if (!bytes) throw malformed("a signature that is no canonical base64");
  if (bytes.length <= KEY_ID_BYTES) throw malformed("a signature is a key's id and at least one byte");
  return { name, id: bytes.slice(0, KEY_ID_BYTES), signature: bytes.slice(KEY_ID_BYTES) };
}

/** With its newline. */
export function formatSignatureLine({ name, id, signature }: NoteSignature): string {
  return `${DASH}${name} ${toBase64(new Uint8Array([...id, ...signature]))}\n`;
}

/** Throws `LogError` (`log/note-malformed`) for what `parseNote` would refuse. */
export function formatNote(body: string, signatures: readonly NoteSignature[]): string {
  const text = `${body}\n${signatures.map(formatSignatureLine).join("")}`;
  if (parseNote(text).body !== body) throw malformed("the text of a note ends with a newline");
  return text;
}

/** A log's signature over a text, type 1. Throws `LogError` (`log/key-malformed`, `log/signature`). */
export async function signNote(body: string, key: NoteKey, signer: NoteSigner): Promise<NoteSignature> {
  return { name: key.name, id: key.id, signature: await signBy(key, signer, Buffer.from(body)) };
}

/**
 * Every signature of the key, type 1, 64 bytes each: none if it signed nothing. One that claims to be the key's and is
 * not makes the whole note bad. Throws `LogError` (`log/signature`).
 */
export function signaturesBy(key: NoteKey, { body, signatures }: Note): Uint8Array[] {
  const message = Buffer.from(body);
  return signatures.flatMap((one) => {
    if (!isSameKey(key, one)) return [];
    if (ed25519Verify(one.signature, message, key.publicKey)) return [one.signature];
    throw new LogError("log/signature", `the signature of ${key.name} does not hold`);
  });
}

function malformed(what: string): LogError {
  return new LogError("log/note-malformed", what);
}
