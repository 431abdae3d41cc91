/** docs/log.md against the code: entries and proofs of non-issuance are what its CDDL says, and nothing that it does not. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ObjectType } from "../../firmware/protocol/claims.ts";
import { encodeEntry, type LogEntry } from "../../host/log/entry.ts";
import type { LogErrorCode } from "../../host/log/errors.ts";
import type { HeadProof, NonIssuanceProof } from "../../host/log/non-issuance.ts";
import { encodeNonIssuance } from "../../host/log/non-issuance-file.ts";
import { type CborValue, decode, encode } from "../../host/protocol/cbor.ts";
import { Cddl } from "../cddl/match.ts";

const page = readFileSync(new URL("../../docs/log.md", import.meta.url), "utf8");
const cddl = new Cddl([...page.matchAll(/^```cddl\n(.*?)^```$/gms)].map(([, block]) => block).join("\n"));

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const digest = bytes(32);
const digests = (maxLength: number) => fc.array(digest, { maxLength });
const type = fc.constantFrom(ObjectType.AGREEMENT, ObjectType.LICENSE, ObjectType.ORDER, ObjectType.RECOVERY);
const anyEntry: fc.Arbitrary<LogEntry> = fc.oneof(
  fc.record({ kind: fc.constant("plain" as const), type, message: fc.uint8Array({ minLength: 1, maxLength: 4096 }) }),
  fc.record({ kind: fc.constant("commitment" as const), type, commitment: digest, subjects: digests(32) }),
  fc.record({ kind: fc.constant("index" as const), subjects: fc.maxSafeNat(), root: digest }),
);
const leaf = fc.record({ key: digest, count: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), head: digest });
const steps = fc.array(fc.record({ bit: fc.nat({ max: 255 }), sibling: digest }), { maxLength: 256 });
const anyHead: fc.Arbitrary<HeadProof> = fc.record({
  checkpoint: fc.string(),
  entry: fc.record({ subjects: fc.maxSafeNat(), root: digest }),
  inclusion: digests(53),
  index: fc.oneof(fc.record({ steps }), fc.record({ steps, leaf })),
});
const anyProof: fc.Arbitrary<NonIssuanceProof> = fc.record({
  ueid: bytes(33),
  fromSeconds: fc.maxSafeNat(),
  toSeconds: fc.maxSafeNat(),
  first: anyHead,
  last: anyHead,
  consistency: digests(54),
});

describe.each([
  ["log-entry", anyEntry.map(encodeEntry)],
  ["non-issuance", anyProof.map(encodeNonIssuance)],
])("docs/log.md, %s", (rule, anySent) => {
  it("is what the code writes, with no room for a field more or less, or another type in its place", () => {
    fc.assert(
      fc.property(anySent, fc.nat(), (sent, pick) => {
        expect(cddl.faultOf(sent, rule)).toBeUndefined();
        const fields = decode(sent, { depthMax: 16 }) as readonly CborValue[];
        const place = pick % fields.length;
        const fault = (changed: readonly CborValue[]) => cddl.faultOf(encode(changed), rule);
        expect(fault([...fields, 0])).toBeDefined();
        expect(fault(fields.slice(0, -1))).toBeDefined();
        expect(fault(fields.with(place, true))).toBeDefined();
      }),
      { numRuns: 40 },
    );
  });
});

it("docs/log.md explains every code that the log refuses with", () => {
  const source = readFileSync(new URL("../../host/log/errors.ts", import.meta.url), "utf8");
  const codes = [...source.matchAll(/\| "(log\/[a-z-]+)"/g)].map(([, code]) => code as LogErrorCode);
  expect(codes.length).toBeGreaterThan(15);
  const explained = new Set([...page.matchAll(/`(log\/[a-z-]+)`/g)].map(([, code]) => code));
  expect(codes.filter((code) => !explained.has(code))).toEqual([]);
});
