import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CborMap, type CborValue, decode, encode } from "../../../host/protocol/cbor.ts";
import { Refusal } from "../../../host/protocol/refusal.ts";
import { CODECS } from "./codecs.ts";

const RUNS = 60;

/** The code that `action` is refused with. */
function codeOf(action: () => unknown): number | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return undefined;
}

describe.each(CODECS)("any $name", ({ any, encode: encodeObject, decode: decodeObject, code, optional }) => {
  const claimsOf = (object: unknown) => new Map(decode(encodeObject(object as never)) as CborMap);

  it("comes back from its bytes as it was, and gives the same bytes again", () => {
    fc.assert(
      fc.property(any, (object) => {
        const payload = encodeObject(object as never);
        const again = decodeObject(payload);
        expect(again).toEqual(object);
        expect(Buffer.compare(encodeObject(again as never), payload)).toBe(0);
      }),
      { numRuns: RUNS },
    );
  });

  it("is refused with its own code when a claim is unknown", () => {
    fc.assert(
      fc.property(any, fc.constantFrom(0, 99, 300, -74999, -75999), (object, label) => {
        const claims = claimsOf(object).set(label, 0);
        expect(codeOf(() => decodeObject(encode(claims)))).toBe(code);
      }),
      { numRuns: RUNS },
    );
  });

  it("is refused with its own code when a claim is missing that it must have", () => {
    fc.assert(
      fc.property(any, fc.nat(), (object, pick) => {
        const claims = claimsOf(object);
        const labels = [...claims.keys()].filter((label) => !optional.includes(label as number));
        claims.delete(labels[pick % labels.length]!);
        expect(codeOf(() => decodeObject(encode(claims)))).toBe(code);
      }),
      { numRuns: RUNS },
    );
  });

  it("is refused with its own code when a claim is of the wrong type", () => {
    const wrong: CborValue[] = [false, "text", -1, new Map([["a", 1]]), [true], Uint8Array.of(1)];
    fc.assert(
      fc.property(any, fc.nat(), fc.constantFrom(...wrong), (object, pick, value) => {
        const claims = claimsOf(object);
        const label = [...claims.keys()][pick % claims.size]!;
        const before = claims.get(label);
        fc.pre(typeof before !== typeof value || Array.isArray(before) !== Array.isArray(value));
        fc.pre(!(before instanceof Map && value instanceof Map));
        fc.pre(!(before instanceof Uint8Array && value instanceof Uint8Array));
        claims.set(label, value);
        expect(codeOf(() => decodeObject(encode(claims)))).toBe(code);
      }),
      { numRuns: RUNS },
    );
  });

  it("is refused, never a crash, when its bytes are cut or changed anywhere", () => {
    fc.assert(
      fc.property(any, fc.nat(), fc.integer({ min: 1, max: 255 }), (object, pick, flip) => {
        const payload = encodeObject(object as never);
        const at = pick % payload.length;
        expect(codeOf(() => decodeObject(payload.subarray(0, at)))).toBeGreaterThan(0);
        const changed = Uint8Array.from(payload);
        changed[at]! ^= flip;
        codeOf(() => decodeObject(changed));
      }),
      { numRuns: RUNS },
    );
  });
});
