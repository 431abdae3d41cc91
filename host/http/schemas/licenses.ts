/** Documents of nonces, offline licenses, and the outcome of reports. */
import { type Static, Type } from "@sinclair/typebox";
import { Limit } from "../../../firmware/protocol/limits.ts";
import { Choice, Closed, Digest, Milliseconds, Named, Nonce, ObjectBytes, Seconds, U64, Ueid, Works } from "./basic.ts";

export const NonceRequest = Closed({ ueid: Ueid }, { examples: [{ ueid: Ueid.examples[0] }] });
export const NonceAnswer = Closed({ nonce: Nonce, expiresMs: Milliseconds });

export const Terms = Closed({
  budget: Named(Works),
  ticksMax: U64,
  windowSeconds: Type.Integer({ minimum: 1, maximum: 2 ** 32 - 1, description: "from now until it expires" }),
  rate: Type.Optional(Named(Works)),
  drain: Type.Optional(Named(Works)),
});
export type Terms = Static<typeof Terms>;

export const OfflineLicense = Closed(
  {
    ueids: Type.Array(Ueid, { minItems: 1, maxItems: Limit.COHORT_MAX, uniqueItems: true }),
    terms: Terms,
    notBeforeSeconds: Type.Optional(Seconds),
    draft: Type.Optional(ObjectBytes("the license as the parties of other verifiers signed it")),
  },
  {
    examples: [
      {
        ueids: [Ueid.examples[0]],
        terms: { budget: { tensor_bf16: "1000000000000000" }, ticksMax: "3600000", windowSeconds: 86400 },
      },
    ],
  },
);
export type OfflineLicense = Static<typeof OfflineLicense>;

export const EvidenceDigest = Closed({ digest: Digest });
export const DigestPath = Closed({ digest: Digest });

export const ReportResults = Closed({
  results: Type.Array(
    Closed({
      status: Choice(["taken", "repeated", "refused"]),
      sequence: Type.Optional(U64),
      code: Type.Optional(Type.String()),
      message: Type.Optional(Type.String()),
    }),
  ),
});
