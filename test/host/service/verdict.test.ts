/** What is kept of an appraisal is, byte for byte, the attestation result that would be encoded anew. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { POLICY_DEFAULT } from "../../../host/policy/policy.ts";
import { earOf, encodeEar } from "../../../host/rats/ear.ts";
import type { EvidenceItem } from "../../../host/service/evidence-item.ts";
import { verdictOn } from "../../../host/service/verdict.ts";
import { VERIFIER_ERRORS, type VerifierErrorCode } from "../../../host/verifier/errors.ts";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const codes = Object.keys(VERIFIER_ERRORS) as VerifierErrorCode[];

describe("a verdict", () => {
  it("is the same whether it was encoded anew or put into a form", () => {
    fc.assert(
      fc.property(
        fc.record({
          digest: bytes(32),
          device: bytes(32),
          nonce: fc.integer({ min: 8, max: 64 }).chain(bytes),
          purpose: fc.constantFrom("license", "recovery", "appraisal"),
          refusal: fc.option(fc.constantFrom(...codes), { nil: undefined }),
          name: fc.string({ maxLength: 24, unit: "grapheme" }),
          nowMs: fc.integer({ min: 0, max: 2 ** 32 * 1000 - 1 }),
        }),
        ({ digest, device, nonce, purpose, refusal, name, nowMs }) => {
          const ueid = Uint8Array.of(1, ...device);
          const item = { purpose, digest, evidence: { ueid, nonce } } as EvidenceItem;
          const judged = {
            evidenceDigest: digest,
            purpose: purpose === "recovery" ? ("recovery" as const) : ("license" as const),
            ueid,
            nonce,
            refusal,
            policyIds: [`urn:x-quiesce:policy:${name}`],
          };
          const anew = encodeEar(earOf(judged, { developer: "Quiesce", build: "1" }, Math.floor(nowMs / 1000)));
          expect(verdictOn(item, { ...POLICY_DEFAULT, name }, nowMs, refusal)).toEqual(anew);
        },
      ),
    );
  });
});
