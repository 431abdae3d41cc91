/** Documents about the verifier and for auditors: parties, usage, leak bound, audit trail, time. */
import { Type } from "@sinclair/typebox";
import {
  Choice,
  Closed,
  Count,
  Cursor,
  Digest,
  Kid,
  Milliseconds,
  Named,
  Nonce,
  ObjectBytes,
  PageLimit,
  PageOf,
  U32,
  Work,
  Works,
} from "./basic.ts";
import { BooksRow } from "./devices.ts";

export const About = Closed({
  agreementVersion: U32,
  agreementDigest: Digest,
  parties: Type.Array(
    Closed({
      name: Type.String(),
      kid: Kid,
      here: Type.Boolean({ description: "whether this verifier signs for it" }),
    }),
  ),
  epoch: U32,
  nowMs: Milliseconds,
});

export const Agreements = Closed({ agreements: Type.Array(ObjectBytes("an agreement")) });
export const AgreementVersion = Closed({ version: U32 });
export const AfterVersion = Closed({ after: Type.Optional(U32) });

const USAGE_KEYS = ["owner", "site", "model", "fleet"] as const;
export const UsageQuery = Closed({ by: Type.Optional(Choice(USAGE_KEYS, "what is added up; default: fleet")) });
export const Usage = Closed({
  usage: Type.Array(Closed({ name: Type.String(), devices: Count, rows: Type.Array(Named(BooksRow)) })),
});

export const LeakBound = Closed({
  policy: Type.String(),
  devices: Count,
  groups: Type.Array(Closed({ model: Type.String(), devices: Count, accelerator: Type.Optional(Type.String()) })),
  bound: Type.Optional(
    Closed(
      {
        workByClass: Named(Works),
        operations: Work,
        seconds: Type.Optional(Type.Number({ minimum: 0, description: "absent: nothing bounds the time" })),
      },
      { description: "absent: nothing bounds the work, or the hardware of a model is not known" },
    ),
  ),
});

/** A policy as docs/policy.md describes it. */
export const Policy = Type.Object(
  {},
  { additionalProperties: true, description: "the policy in force: docs/policy.md" },
);

export const AuditQuery = Closed({ cursor: Type.Optional(Cursor), limit: Type.Optional(PageLimit) });
export const Audit = PageOf(
  Closed({
    id: Count,
    atMs: Milliseconds,
    actor: Type.String(),
    action: Type.String(),
    subject: Type.String(),
    outcome: Type.String({ description: '"ok" or the code of the refusal' }),
    detail: Type.Optional(Type.String()),
  }),
);

export const TimeChallenge = Closed({ nonce: Nonce }, { examples: [{ nonce: Nonce.examples[0] }] });
export const Clock = Closed({ nowMs: Milliseconds }, { examples: [{ nowMs: 1_790_000_000_000 }] });
export const Health = Closed({ ok: Type.Boolean() });
