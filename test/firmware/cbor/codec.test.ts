/** The firmware's reader and writer against the host's values, and against input that was never checked. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { type CborMap, type CborValue, decode, encode, Tagged } from "../../../host/protocol/cbor.ts";
import { cborLike, cborValue, damaged } from "../../host/protocol/cbor-arbitrary.ts";
import { hex } from "../../refusals.ts";
import { loadProbe, type Probe } from "../probe.ts";

let probe: Probe;
beforeAll(async () => {
  probe = await loadProbe();
});

function begin(bytes: Uint8Array): number {
  const [ptr] = probe.put(bytes);
  probe.wasm.readerBegin(ptr!, bytes.length);
  return ptr!;
}

const small = (value: bigint) => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

/** One item by the firmware's reader, as the host would decode it. */
function read(): CborValue {
  const { wasm } = probe;
  switch (wasm.readerPeek()) {
    case 0:
      return small(BigInt.asUintN(64, wasm.readerUint()));
    case 1:
      return small(wasm.readerInt());
    case 2:
      return probe.bytes(wasm.readerBytes(), wasm.readerLength());
    case 3:
      return Buffer.from(probe.bytes(wasm.readerText(), wasm.readerLength())).toString("utf8");
    case 4:
      return Array.from({ length: wasm.readerArray() }, read);
    case 5:
      return new Map(Array.from({ length: wasm.readerMap() }, () => [read(), read()]));
    case 6:
      return new Tagged(small(BigInt.asUintN(64, wasm.readerTag())), read());
  }
  if (wasm.readerIsNull() === 0) return wasm.readerBool() === 1;
  wasm.readerNil();
  return null;
}

/** One value by the firmware's writer; maps in the order of their encodings, as its callers write them. */
function write(value: CborValue, scratch: number): void {
  const { wasm } = probe;
  const place = (bytes: Uint8Array) => {
    new Uint8Array(wasm.memory.buffer).set(bytes, scratch);
    return bytes.length;
  };
  if (value === null) wasm.writerNil();
  else if (typeof value === "boolean") wasm.writerBool(value ? 1 : 0);
  else if (typeof value === "number" || typeof value === "bigint") {
    if (BigInt(value) > 2n ** 63n - 1n) wasm.writerUint(BigInt(value));
    else wasm.writerInt(BigInt(value));
  } else if (typeof value === "string") wasm.writerText(scratch, place(Buffer.from(value)));
  else if (value instanceof Uint8Array) {
    // Both ways of writing one.
    const length = place(value);
    if (length % 2 === 0) wasm.writerBytes(scratch, length);
    else {
      wasm.writerBytesHead(length);
      wasm.writerRaw(scratch, length);
    }
  } else if (value instanceof Tagged) {
    wasm.writerTag(BigInt(value.tag));
    write(value.value, scratch);
  } else if (value instanceof Map) {
    const entries = [...(value as CborMap)].sort(([a], [b]) => Buffer.compare(encode(a), encode(b)));
    wasm.writerMap(entries.length);
    for (const [key, item] of entries) {
      write(key, scratch);
      write(item, scratch);
    }
  } else {
    const items = value as readonly CborValue[];
    wasm.writerArray(items.length);
    for (const item of items) write(item, scratch);
  }
}

/** The firmware's integers have 64 bits with their sign: `int` is for what fits. */
function fitsInt(value: CborValue): boolean {
  if (typeof value === "bigint") return value >= -(2n ** 63n);
  if (Array.isArray(value)) return value.every(fitsInt);
  if (value instanceof Map) return [...value].flat().every(fitsInt);
  return value instanceof Tagged ? fitsInt(value.value) : true;
}

describe("the firmware's CBOR reader", () => {
  test("reads any item as the host decodes it, to the last byte", () => {
    fc.assert(
      fc.property(cborValue.filter(fitsInt), (value) => {
        const bytes = encode(value);
        begin(bytes);
        expect(read()).toEqual(decode(bytes));
        expect(probe.wasm.readerFinish()).toBe(ErrorCode.OK);
      }),
      { numRuns: 1500 },
    );
  });

  test("passes over any item whole", () => {
    fc.assert(
      fc.property(cborValue, cborValue, (first, second) => {
        const bytes = Buffer.concat([encode(first), encode(second)]);
        const ptr = begin(bytes);
        probe.wasm.readerSkip();
        expect(probe.wasm.readerAt() - ptr).toBe(encode(first).length);
        probe.wasm.readerSkip();
        expect(probe.wasm.readerFinish()).toBe(ErrorCode.OK);
      }),
      { numRuns: 1000 },
    );
  });

  test("keeps its first error, gives zeros after it, and reports it at the end", () => {
    const { wasm } = probe;
    begin(hex("83 01 6161 02"));
    expect(wasm.readerArray()).toBe(3);
    expect(wasm.readerUint()).toBe(1n);
    const lost = wasm.readerBytesOf(1);
    expect([wasm.readerError(), wasm.readerLength()]).toEqual([ErrorCode.CBOR_TYPE, 0]);
    expect(probe.bytes(lost, 64)).toEqual(new Uint8Array(64));
    expect([wasm.readerUint(), wasm.readerInt(), wasm.readerTag()]).toEqual([0n, 0n, 0n]);
    expect([wasm.readerArray(), wasm.readerMap(), wasm.readerBool(), wasm.readerIsNull()]).toEqual([0, 0, 0, 0]);
    expect(wasm.readerPeek()).toBe(-1);
    expect(wasm.readerFinish()).toBe(ErrorCode.CBOR_TYPE);
  });

  test("refuses a string of another length, an integer beyond 63 bits, and bytes left over, each with its code", () => {
    const { wasm } = probe;
    const cases: [string, () => unknown, ErrorCode][] = [
      ["43010203", () => wasm.readerBytesOf(4), ErrorCode.CBOR_LENGTH],
      ["43010203", () => wasm.readerBytesOf(3), ErrorCode.OK],
      ["40", () => wasm.readerBytesOf(0), ErrorCode.OK],
      ["01", () => wasm.readerBytesOf(0), ErrorCode.CBOR_TYPE],
      ["430102", () => wasm.readerBytesOf(3), ErrorCode.CBOR_TRUNCATED],
      ["1b8000000000000000", () => wasm.readerInt(), ErrorCode.CBOR_TYPE],
      ["3b8000000000000000", () => wasm.readerInt(), ErrorCode.CBOR_TYPE],
      ["1b8000000000000000", () => wasm.readerUint(), ErrorCode.OK],
      ["20", () => wasm.readerUint(), ErrorCode.CBOR_TYPE],
      ["9a00010000", () => wasm.readerArray(), ErrorCode.CBOR_TRUNCATED],
      ["a201020304", () => wasm.readerMap(), ErrorCode.CBOR_TRAILING],
      ["f6", () => wasm.readerBool(), ErrorCode.CBOR_TYPE],
      ["f5", () => wasm.readerNil(), ErrorCode.CBOR_TYPE],
      ["5bffffffffffffffff00", () => wasm.readerBytes(), ErrorCode.CBOR_TRUNCATED],
      ["", () => wasm.readerSkip(), ErrorCode.CBOR_TRUNCATED],
      ["bbffffffffffffffff0000", () => wasm.readerSkip(), ErrorCode.CBOR_TRUNCATED],
      ["9f00ff", () => wasm.readerSkip(), ErrorCode.CBOR_TYPE],
    ];
    const verdicts = cases.map(([text, act]) => {
      begin(hex(text));
      act();
      return [text, wasm.readerFinish()];
    });
    expect(verdicts).toEqual(cases.map(([text, , code]) => [text, code]));
  });

  test("never leaves its input, whatever it is asked to read from bytes that nobody checked", () => {
    const { wasm } = probe;
    const strings = [() => wasm.readerBytes(), () => wasm.readerText()];
    const others = [
      () => void wasm.readerArray(),
      () => void wasm.readerMap(),
      () => void wasm.readerTag(),
      () => void wasm.readerUint(),
      () => void wasm.readerInt(),
      () => void wasm.readerBool(),
      () => wasm.readerNil(),
      () => wasm.readerSkip(),
    ];
    const acts = fc.array(fc.nat(9), { maxLength: 12 });
    fc.assert(
      fc.property(fc.oneof(cborLike, damaged(cborValue.map(encode))), acts, (bytes, list) => {
        const ptr = begin(bytes);
        for (const index of list) {
          if (index < 2) {
            const at = strings[index]!();
            const length = wasm.readerLength();
            if (length > 0) expect(at >= ptr && at + length <= ptr + bytes.length).toBe(true);
          } else others[index - 2]!();
          const at = wasm.readerAt();
          expect(at >= ptr && at <= ptr + bytes.length).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe("the firmware's CBOR writer", () => {
  const SCRATCH_AT = 8192;

  test("writes any value in the bytes that the host encodes it in", () => {
    fc.assert(
      fc.property(
        cborValue.filter(fitsInt).filter((value) => encode(value).length < SCRATCH_AT),
        (value) => {
          const ptr = probe.wasm.io();
          probe.wasm.writerBegin(ptr, SCRATCH_AT);
          write(value, ptr + SCRATCH_AT);
          const length = probe.wasm.writerFinish();
          expect(Buffer.from(probe.bytes(ptr, length)).toString("hex")).toBe(
            Buffer.from(encode(value)).toString("hex"),
          );
        },
      ),
      { numRuns: 1500 },
    );
  });

  test("says so when a value doesn't fit, and writes nothing beyond its buffer", () => {
    const value = new Map<CborValue, CborValue>([
      [1, "text"],
      [300, Uint8Array.from([1, 2, 3])],
      [-1, [2n ** 40n, true, null, new Tagged(98, 0)]],
    ]);
    const whole = encode(value);
    const ptr = probe.wasm.io();
    for (let size = 0; size <= whole.length; size++) {
      probe.put(new Uint8Array(SCRATCH_AT).fill(0xee));
      probe.wasm.writerBegin(ptr, size);
      write(value, ptr + SCRATCH_AT);
      expect(probe.wasm.writerFinish()).toBe(size === whole.length ? whole.length : -1);
      expect(probe.bytes(ptr + size, 64)).toEqual(new Uint8Array(64).fill(0xee));
    }
  });

  test("takes a negative length or count for what it is: too much", () => {
    const { wasm } = probe;
    const acts = [
      () => wasm.writerBytes(wasm.io(), -1),
      () => wasm.writerText(wasm.io(), -1),
      () => wasm.writerBytesHead(-1),
      () => wasm.writerRaw(wasm.io(), -1),
      () => wasm.writerArray(-1),
      () => wasm.writerMap(-0x80000000),
    ];
    for (const act of acts) {
      wasm.writerBegin(wasm.io(), 100);
      act();
      wasm.writerUint(1n);
      expect(wasm.writerFinish()).toBe(-1);
    }
    wasm.writerBegin(wasm.io(), -5);
    expect(wasm.writerFinish()).toBe(-1);
  });
});
