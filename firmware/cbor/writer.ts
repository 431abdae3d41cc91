/**
 * Writes deterministic CBOR (RFC 8949 section 4.2.1) into a buffer, after open-dice: writes never fail one by one.
 * What doesn't fit is left out with everything after it, and the caller asks once, at `finish`.
 * Heads are always the shortest; map keys are the caller's: in bytewise order of their encodings.
 *
 * No allocation: place one by `changetype<Writer>(memory.data(offsetof<Writer>(), 8))` and `begin` it.
 */

@unmanaged
@final
export class Writer {
  start: usize;
  /** Address of the next byte to write. */
  at: usize;
  end: usize;
  overflow: bool;

  begin(ptr: usize, size: i32): void {
    this.start = ptr;
    this.at = ptr;
    this.end = ptr + <usize>max(size, 0);
    this.overflow = size < 0;
  }

  /** Length in bytes of what was written, or -1 if it didn't fit. */
  finish(): i32 {
    return this.overflow ? -1 : <i32>(this.at - this.start);
  }

  uint(value: u64): void {
    this.head(0, value);
  }

  int(value: i64): void {
    if (value < 0) this.head(1, <u64>~value);
    else this.head(0, <u64>value);
  }

  /** The head of a byte string whose content follows by `raw`. */
  bytesHead(len: i32): void {
    this.headOf(2, len);
  }

  bytes(ptr: usize, len: i32): void {
    this.headOf(2, len);
    this.raw(ptr, len);
  }

  text(ptr: usize, len: i32): void {
    this.headOf(3, len);
    this.raw(ptr, len);
  }

  array(count: i32): void {
    this.headOf(4, count);
  }

  map(count: i32): void {
    this.headOf(5, count);
  }

  tag(value: u64): void {
    this.head(6, value);
  }

  bool(value: bool): void {
    this.head(7, value ? 21 : 20);
  }

  nil(): void {
    this.head(7, 22);
  }

  /** Bytes as they are: encoded items, or the content of a string. */
  raw(ptr: usize, len: i32): void {
    const to = this.take(len);
    if (to != 0) memory.copy(to, ptr, <usize>len);
  }

  /** Room for `len` bytes, or 0. */
  private take(len: i32): usize {
    if (this.overflow || len < 0 || <usize>len > this.end - this.at) {
      this.overflow = true;
      return 0;
    }
    const to = this.at;
    this.at += <usize>len;
    return to;
  }

  /** A head that counts bytes or items: a negative count is an overflow of the caller's, not a huge number. */
  private headOf(major: u32, count: i32): void {
    if (count < 0) this.overflow = true;
    else this.head(major, <u64>count);
  }

  private head(major: u32, argument: u64): void {
    const info: u32 =
      argument < 24
        ? <u32>argument
        : argument <= 0xff
          ? 24
          : argument <= 0xffff
            ? 25
            : argument <= 0xffffffff
              ? 26
              : 27;
    const width: i32 = info < 24 ? 0 : 1 << (info - 24);
    const to = this.take(1 + width);
    if (to == 0) return;
    store<u8>(to, (major << 5) | info);
    for (let i: i32 = 0; i < width; i++) store<u8>(to + 1 + i, <u8>(argument >> (8 * <u64>(width - 1 - i))));
  }
}
