/** Bodies that only hosts exchange: requests for licenses, batches of reports, and the nonce of several verifiers. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import {
  decodeLicenseRequest,
  encodeLicenseRequest,
  LICENSE_REQUEST_BOUNDS,
} from "../../../host/objects/license-request.ts";
import { combinedNonce } from "../../../host/objects/nonces.ts";
import {
  decodeReportBatch,
  encodeReportBatch,
  REPORT_BATCH_BOUNDS,
  REPORT_BATCH_MAX,
} from "../../../host/objects/report-batch.ts";
import { type CborValue, encode } from "../../../host/protocol/cbor.ts";
import { codeOf } from "../../refusals.ts";
import { cborLike, damaged } from "../protocol/cbor-arbitrary.ts";
import { anyLicenseCall, anyReportBatch, someNonces } from "./arbitrary.ts";

const bytes = (length: number, fill = 7) => new Uint8Array(length).fill(fill);
const work = bytes(16);

describe("a request for a license", () => {
  const terms = (entries: [CborValue, CborValue][]): CborValue =>
    new Map<CborValue, CborValue>([[1, new Map([[0, work]])], [2, 1], [3, 1], ...entries]);
  const request = (entries: [CborValue, CborValue][]) =>
    encode(new Map<CborValue, CborValue>([[1, bytes(9)], ...entries]));

  it("of the least size is evidence and nothing else", () => {
    expect(Buffer.from(encodeLicenseRequest({ evidence: bytes(2) })).toString("hex")).toBe("a101420707");
  });

  it("may say that nothing drains, which is not the same as saying nothing of the drain", () => {
    const call = { evidence: bytes(9), terms: { budget: new Map([[0, 1n]]), ticksMax: 1n, windowSeconds: 1 } };
    const none = encodeLicenseRequest({ ...call, terms: { ...call.terms, drain: new Map() } });
    expect(decodeLicenseRequest(none).terms?.drain).toEqual(new Map());
    expect(decodeLicenseRequest(encodeLicenseRequest(call)).terms?.drain).toBeUndefined();
  });

  it("takes two messages of the longest kind", () => {
    const call = { evidence: bytes(4096), draft: bytes(4096), nonces: [bytes(32)] };
    expect(decodeLicenseRequest(encodeLicenseRequest(call))).toMatchObject(call);
  });

  // biome-ignore format: a table
  const REFUSED: [string, ErrorCode, Uint8Array][] = [
    ["nothing", ErrorCode.CBOR_TRUNCATED, new Uint8Array(0)],
    ["an array", ErrorCode.CBOR_TYPE, encode([0, bytes(9)])],
    ["no evidence", ErrorCode.CBOR_TYPE, encode(new Map([[3, bytes(9)]]))],
    ["empty evidence", ErrorCode.CBOR_TYPE, encode(new Map([[1, bytes(0)]]))],
    ["evidence over a message", ErrorCode.CBOR_TYPE, encode(new Map([[1, bytes(4097)]]))],
    ["over 16 KiB", ErrorCode.CBOR_LENGTH, bytes(LICENSE_REQUEST_BOUNDS.bytesMax + 1, 0)],
    ["more items than it can have", ErrorCode.CBOR_LENGTH, request([[4, new Array<number>(200).fill(0)]])],
    ["an empty list of nonces", ErrorCode.CBOR_TYPE, request([[4, []]])],
    ["nine nonces", ErrorCode.CBOR_TYPE, request([[4, Array.from({ length: 9 }, (_, i) => bytes(32, i))]])],
    ["a nonce twice", ErrorCode.CBOR_TYPE, request([[4, [bytes(32), bytes(32)]]])],
    ["a short nonce", ErrorCode.CBOR_TYPE, request([[4, [bytes(31)]]])],
    ["terms without a budget", ErrorCode.CBOR_TYPE, request([[2, new Map([[2, 1], [3, 1]])]])],
    ["terms with an empty budget", ErrorCode.CBOR_TYPE, request([[2, new Map<number, CborValue>([[1, new Map()], [2, 1], [3, 1]])]])],
    ["terms with an empty rate", ErrorCode.CBOR_TYPE, request([[2, terms([[4, new Map()]])]])],
    ["terms with a rate in bytes", ErrorCode.CBOR_TYPE, request([[2, terms([[4, new Map([[0, work]])]])]])],
    ["terms with a class that does not exist", ErrorCode.CBOR_TYPE, request([[2, terms([[5, new Map([[12, work]])]])]])],
    ["terms with something unknown", ErrorCode.CBOR_TYPE, request([[2, terms([[6, 0]])]])],
    ["something unknown", ErrorCode.CBOR_TYPE, request([[5, 0]])],
    ["a byte after it", ErrorCode.CBOR_TRAILING, Buffer.concat([request([]), Uint8Array.of(0)])],
  ];
  it.each(REFUSED)("is refused with %s", (_name, code, body) => {
    expect(codeOf(() => decodeLicenseRequest(body))).toBe(code);
  });

  it("is read or refused, never a crash, whatever its bytes are", () => {
    fc.assert(
      fc.property(fc.oneof(cborLike, damaged(anyLicenseCall.map(encodeLicenseRequest))), (body) => {
        codeOf(() => decodeLicenseRequest(body));
      }),
      { numRuns: 500 },
    );
  });
});

describe("a batch of reports", () => {
  it("comes back from its bytes as it was, in its order", () => {
    fc.assert(
      fc.property(anyReportBatch, (items) => {
        expect(decodeReportBatch(encodeReportBatch(items))).toEqual(items);
      }),
    );
  });

  it("takes 256 reports of the longest kind with all their intervals", () => {
    const items = Array.from({ length: REPORT_BATCH_MAX }, () => ({ report: bytes(4096), intervals: bytes(832) }));
    const body = encodeReportBatch(items);
    expect(body.length).toBeGreaterThan(REPORT_BATCH_BOUNDS.bytesMax / 2);
    expect(decodeReportBatch(body)).toHaveLength(items.length);
  });

  const item: CborValue = [bytes(9), null];
  // biome-ignore format: a table
  const REFUSED: [string, ErrorCode, Uint8Array][] = [
    ["nothing", ErrorCode.CBOR_TRUNCATED, new Uint8Array(0)],
    ["no report", ErrorCode.CBOR_TYPE, encode([])],
    ["257 reports", ErrorCode.CBOR_LENGTH, encode(new Array(REPORT_BATCH_MAX + 1).fill(item))],
    ["257 things that are shorter", ErrorCode.CBOR_TYPE, encode(new Array(REPORT_BATCH_MAX + 1).fill(0))],
    ["a map", ErrorCode.CBOR_TYPE, encode(new Map([[0, item]]))],
    ["a report that is not in an array of two", ErrorCode.CBOR_TYPE, encode([bytes(9)])],
    ["one thing too many in an item", ErrorCode.CBOR_TYPE, encode([[bytes(9), null, null]])],
    ["one thing too few in an item", ErrorCode.CBOR_TYPE, encode([[bytes(9)]])],
    ["an empty report", ErrorCode.CBOR_TYPE, encode([[bytes(0), null]])],
    ["a report over a message", ErrorCode.CBOR_TYPE, encode([[bytes(4097), null]])],
    ["more intervals than a report has", ErrorCode.CBOR_TYPE, encode([[bytes(9), bytes(833)]])],
    ["intervals that are no string", ErrorCode.CBOR_TYPE, encode([[bytes(9), false]])],
    ["over 2 MiB", ErrorCode.CBOR_LENGTH, bytes(REPORT_BATCH_BOUNDS.bytesMax + 1, 0)],
    ["a byte after it", ErrorCode.CBOR_TRAILING, Buffer.concat([encode([item]), Uint8Array.of(0)])],
  ];
  it.each(REFUSED)("is refused with %s", (_name, code, body) => {
    expect(codeOf(() => decodeReportBatch(body))).toBe(code);
  });

  it("is read or refused, never a crash, whatever its bytes are", () => {
    fc.assert(
      fc.property(fc.oneof(cborLike, damaged(anyReportBatch.map(encodeReportBatch))), (body) => {
        codeOf(() => decodeReportBatch(body));
      }),
      { numRuns: 500 },
    );
  });
});

describe("one nonce for several verifiers", () => {
  it("is the hash that the protocol writes down", () => {
    const [low, high] = [bytes(32, 1), bytes(32, 2)];
    const hash = createHash("sha256").update("quiesce/1/nonces").update(low).update(high).digest();
    expect(Buffer.from(combinedNonce([high, low]))).toEqual(hash);
  });

  it("is the same in whatever order the nonces came", () => {
    fc.assert(
      fc.property(someNonces, fc.nat(), (nonces, by) => {
        const turned = [...nonces.slice(by % nonces.length), ...nonces.slice(0, by % nonces.length)].reverse();
        expect(combinedNonce(turned)).toEqual(combinedNonce(nonces));
      }),
    );
  });

  it("is another when a nonce is left out, added or changed", () => {
    fc.assert(
      fc.property(someNonces, fc.nat(), fc.nat({ max: 255 }), (nonces, pick, bit) => {
        const combined = Buffer.from(combinedNonce(nonces));
        const at = pick % nonces.length;
        const changed = nonces.map((nonce) => Uint8Array.from(nonce));
        changed[at]![bit >> 3]! ^= 1 << (bit & 7);
        fc.pre(new Set(changed.map((nonce) => Buffer.from(nonce).toString("hex"))).size === changed.length);
        expect(combined.equals(combinedNonce(changed))).toBe(false);
        expect(combined.equals(nonces[at]!)).toBe(false);
        if (nonces.length > 1) expect(combined.equals(combinedNonce(nonces.toSpliced(at, 1)))).toBe(false);
      }),
    );
  });

  it("is refused of no nonce, of nine, of one that stands twice and of one that is not 32 bytes", () => {
    const lists = [[], Array.from({ length: 9 }, (_, i) => bytes(32, i)), [bytes(32), bytes(32)], [bytes(33)]];
    expect(lists.map((list) => codeOf(() => combinedNonce(list)))).toEqual(lists.map(() => ErrorCode.CBOR_TYPE));
  });
});
