/** Base 64 of RFC 4648 section 4, in its one canonical form: with padding, and no bits beside those that are meant. */

/** The bytes, or undefined for a text that is not what these bytes would be written as. */
export function fromBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64");
  // Node skips what is no digit and takes the URL's alphabet too: what it made of the text has to give the text again.
  return bytes.toString("base64") === text ? new Uint8Array(bytes) : undefined;
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
