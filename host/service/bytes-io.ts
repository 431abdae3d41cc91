/** Big-endian fields one after the other, written to and read from bytes. */
import { crc32 } from "node:zlib";

const SEAL_BYTES = 4;

/**
 * The bytes and their CRC-32: what only this program reads is signed by nobody, and a bit of it that has flipped is to be
 * found before it is believed.
 */
export function sealed(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(bytes.length + SEAL_BYTES);
  whole.set(bytes);
  new DataView(whole.buffer).setUint32(bytes.length, crc32(bytes));
  return whole;
}

/** A view without the seal. Throws a `RangeError` for bytes that are not as they were sealed. */
export function unsealed(whole: Uint8Array): Uint8Array {
  const length = whole.length - SEAL_BYTES;
  const bytes = whole.subarray(0, Math.max(0, length));
  const seal = new DataView(whole.buffer, whole.byteOffset, whole.byteLength);
  if (length < 0 || seal.getUint32(length) !== crc32(bytes)) throw new RangeError("the bytes are not as they were");
  return bytes;
}

export class ByteWriter {
  #bytes = Buffer.allocUnsafe(1024);
  #at = 0;

  u8(value: number): void {
    this.#at = this.#room(1).writeUInt8(value, this.#at);
  }

  u16(value: number): void {
    this.#at = this.#room(2).writeUInt16BE(value, this.#at);
  }

  u32(value: number): void {
    this.#at = this.#room(4).writeUInt32BE(value, this.#at);
  }

  u64(value: bigint): void {
    this.#at = this.#room(8).writeBigUInt64BE(value, this.#at);
  }

  /** Two's complement, 16 bytes. Throws a `RangeError` for what does not fit. */
  i128(value: bigint): void {
    this.#at = this.#room(8).writeBigInt64BE(value >> 64n, this.#at);
    this.u64(BigInt.asUintN(64, value));
  }

  bytes(value: Uint8Array): void {
    this.#room(value.length).set(value, this.#at);
    this.#at += value.length;
  }

  /** With its length before it, up to 65,535. */
  sized(value: Uint8Array): void {
    this.u16(value.length);
    this.bytes(value);
  }

  optional<T>(value: T | undefined, write: (value: T) => void): void {
    this.u8(value === undefined ? 0 : 1);
    if (value !== undefined) write(value);
  }

  finish(): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(0, this.#at));
  }

  #room(count: number): Buffer {
    if (this.#at + count > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(2 * (this.#bytes.length + count));
      larger.set(this.#bytes.subarray(0, this.#at));
      this.#bytes = larger;
    }
    return this.#bytes;
  }
}

/** Throws a `RangeError` where the bytes end too early or too late. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  u16(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  u64(): bigint {
    return this.#bytes.readBigUInt64BE(this.#take(8));
  }

  i128(): bigint {
    const high = this.#bytes.readBigInt64BE(this.#take(8));
    return (high << 64n) | this.u64();
  }

  /** A copy: it does not keep the whole alive. */
  bytes(count: number): Uint8Array {
    const at = this.#take(count);
    return new Uint8Array(this.#bytes.subarray(at, at + count));
  }

  sized(): Uint8Array {
    return this.bytes(this.u16());
  }

  optional<T>(read: () => T): T | undefined {
    const flag = this.u8();
    if (flag > 1) throw new RangeError(`a flag of ${flag}`);
    return flag === 1 ? read() : undefined;
  }

  list<T>(count: number, read: () => T): T[] {
    return Array.from({ length: count }, read);
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new RangeError(`${this.#bytes.length - this.#at} bytes too many`);
  }

  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw new RangeError("the bytes end too early");
    this.#at += count;
    return at;
  }
}
