/** Bytes, hex and little-endian integers, for the figures of the standards. */

export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

export function ascii(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export function toInteger(bytes: Uint8Array): bigint {
  return BigInt(`0x0${toHex(bytes.toReversed())}`);
}

export function fromInteger(value: bigint, length = 32): Uint8Array {
  return hex(value.toString(16).padStart(2 * length, "0")).reverse();
}
