/**
 * A cursor over CBOR that has passed `cborCheck` (RFC 8949 section 3), after open-dice: reads never fail one by one.
 * The first error sticks, every later read gives 0 (or the address of zeros), and the caller asks once, at the end.
 * It never reads beyond its input and never loops over more than it, whether the input was checked or not.
 *
 * No allocation: place one by `changetype<Reader>(memory.data(offsetof<Reader>(), 8))` and `begin` it.
 */
import { ErrorCode } from "../protocol/errors";

/** What `bytesOf` and `text` point at after an error: a caller who looks before asking sees 64 zeros. */
const ZEROS_BYTES: i32 = 64;
const zeros: usize = memory.data(ZEROS_BYTES);

@unmanaged
@final
export class Reader {
  /** Address of the next item. */
  at: usize;
  /** Address after the last byte. */
  end: usize;
  /** The first error, or 0. */
  error: i32;
  /** Length in bytes of the string last read; 0 after an error. */
  length: i32;

  begin(ptr: usize, len: i32): void {
    this.at = ptr;
    this.end = ptr + <usize>max(len, 0);
    this.error = ErrorCode.OK;
    this.length = 0;
  }

  /** Keeps the first error and moves the cursor to the end. */
  fail(code: i32): void {
    if (this.error == ErrorCode.OK) this.error = code;
    this.at = this.end;
    this.length = 0;
  }

  /** Major type of the next item (0 to 7), or -1 at the end and after an error. */
  peek(): i32 {
    return this.at < this.end ? <i32>(load<u8>(this.at) >> 5) : -1;
  }

  atEnd(): bool {
    return this.at >= this.end;
  }

  /** The first error; CBOR_TRAILING if something is left. */
  finish(): i32 {
    if (this.error == ErrorCode.OK && this.at < this.end) this.fail(ErrorCode.CBOR_TRAILING);
    return this.error;
  }

  /** Number of items of an array. */
  array(): i32 {
    return this.count(4, 1);
  }

  /** Number of key and value pairs of a map. */
  map(): i32 {
    return this.count(5, 2);
  }

  tag(): u64 {
    return this.argumentOf(6);
  }

  uint(): u64 {
    return this.argumentOf(0);
  }

  /** An integer of either sign; CBOR_TYPE beyond 63 bits. */
  int(): i64 {
    const negative = this.peek() == 1;
    const argument = this.argumentOf(negative ? 1 : 0);
    if (argument > <u64>i64.MAX_VALUE) {
      this.fail(ErrorCode.CBOR_TYPE);
      return 0;
    }
    return negative ? ~(<i64>argument) : <i64>argument;
  }

  /** Address of a byte string in the input; its length is in `length`. */
  bytes(): usize {
    return this.string(2);
  }

  /** Address of a byte string of exactly `len` bytes (at most 64, so that it is readable after an error too). */
  bytesOf(len: i32): usize {
    const ptr = this.string(2);
    if (this.length != len || len > ZEROS_BYTES) {
      this.fail(ErrorCode.CBOR_LENGTH);
      return zeros;
    }
    return ptr;
  }

  /** Address of a text string in the input; its length in bytes is in `length`. */
  text(): usize {
    return this.string(3);
  }

  bool(): bool {
    const initial = this.initial();
    if (initial != 0xf4 && initial != 0xf5) {
      this.fail(ErrorCode.CBOR_TYPE);
      return false;
    }
    this.at += 1;
    return initial == 0xf5;
  }

  /** Whether the next item is null; it stays the next. */
  isNull(): bool {
    return this.initial() == 0xf6;
  }

  nil(): void {
    if (this.isNull()) this.at += 1;
    else this.fail(ErrorCode.CBOR_TYPE);
  }

  /** Passes over one whole item. Each turn takes a byte at least, so the input's length bounds the turns. */
  skip(): void {
    let pending: u64 = 1;
    while (pending > 0 && this.error == ErrorCode.OK) {
      pending -= 1;
      const major = this.peek();
      if (major == 2 || major == 3) this.string(major);
      else if (major == 4) pending += <u64>this.count(4, 1);
      else if (major == 5) pending += (<u64>this.count(5, 2)) << 1;
      else {
        this.argumentOf(major);
        if (major == 6) pending += 1;
      }
    }
  }

  /** The next byte, or -1 at the end. */
  private initial(): i32 {
    return this.at < this.end ? <i32>load<u8>(this.at) : -1;
  }

  /** The argument of the next head, which must be of this major type (section 3). */
  private argumentOf(major: i32): u64 {
    if (this.at >= this.end) {
      this.fail(ErrorCode.CBOR_TRUNCATED);
      return 0;
    }
    const initial = <i32>load<u8>(this.at);
    const info = initial & 31;
    if (initial >> 5 != major || info > 27) {
      this.fail(ErrorCode.CBOR_TYPE);
      return 0;
    }
    const width: usize = info < 24 ? 0 : (<usize>1) << (info - 24);
    if (this.end - this.at <= width) {
      this.fail(ErrorCode.CBOR_TRUNCATED);
      return 0;
    }
    this.at += 1;
    if (width == 0) return <u64>info;
    let argument: u64 = 0;
    for (let i: usize = 0; i < width; i++) argument = (argument << 8) | <u64>load<u8>(this.at + i);
    this.at += width;
    return argument;
  }

  private count(major: i32, itemsEach: u64): i32 {
    const argument = this.argumentOf(major);
    if (argument > <u64>(this.end - this.at) / itemsEach) {
      this.fail(ErrorCode.CBOR_TRUNCATED);
      return 0;
    }
    return <i32>argument;
  }

  /** Moves over `len` bytes and gives their address. */
  private pass(len: u64): usize {
    if (len > <u64>(this.end - this.at)) {
      this.fail(ErrorCode.CBOR_TRUNCATED);
      return zeros;
    }
    const ptr = this.at;
    this.at += <usize>len;
    return ptr;
  }

  private string(major: i32): usize {
    this.length = 0;
    const length = this.argumentOf(major);
    if (this.error != ErrorCode.OK) return zeros;
    const ptr = this.pass(length);
    if (this.error == ErrorCode.OK) this.length = <i32>length;
    return ptr;
  }
}
