/** Big-endian fields one after the other, written to and read from bytes. */

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
