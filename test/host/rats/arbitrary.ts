/** Any result of an appraisal, for property tests. */
import fc from "fast-check";
import { type AppraisalCode, REFUSALS } from "../../../host/rats/appraisal-claims.ts";
import { type Ear, earOf, type Judged } from "../../../host/rats/ear.ts";

export const VERIFIER = { developer: "https://quiesce.example", build: "quiesce 0.1.0" };
export const DIGEST = new Uint8Array(32).fill(9);

export const judged = (change: Partial<Judged> = {}): Judged => ({
  evidenceDigest: DIGEST,
  purpose: "license",
  ueid: new Uint8Array(33).fill(1),
  nonce: new Uint8Array(32).fill(2),
  policyIds: ["urn:x-quiesce:policy:site-north"],
  ...change,
});

const codes = (Object.keys(REFUSALS) as AppraisalCode[]).filter((code) => code !== "recovery/not-needed");

export const anyEar: fc.Arbitrary<Ear> = fc
  .record({
    purpose: fc.constantFrom("license" as const, "recovery" as const),
    refusal: fc.constantFrom(undefined, "license/paused" as const, "nonces/mismatch" as const, ...codes),
    ueid: fc.option(fc.uint8Array({ minLength: 33, maxLength: 33 }), { nil: undefined }),
    nonce: fc.option(fc.uint8Array({ minLength: 8, maxLength: 64 }), { nil: undefined }),
    seconds: fc.nat(),
  })
  .map(({ seconds, ...rest }) => earOf(judged(rest), VERIFIER, seconds));
