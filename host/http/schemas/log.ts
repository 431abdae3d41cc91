/** The transparency log: paths of its tiles, which proof is asked for, and what it says of itself. */
import { Type } from "@sinclair/typebox";
import { Closed, Count, Digest, Milliseconds, Seconds } from "./basic.ts";

/** What C2SP tlog-tiles puts behind `tile/`; what is no such path is not found. */
export const TilePath = Closed({
  "*": Type.String({
    description: "`<L>/<N>[.p/<W>]` or `entries/<N>[.p/<W>]`, as C2SP tlog-tiles writes them",
    examples: ["0/x001/234.p/5"],
  }),
});

export const ProofQuery = Closed({
  from: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: "entries of the head that the governor holds; default: none",
    }),
  ),
});

export const Log = Closed({
  origin: Type.String({ description: "what its checkpoints are called by (C2SP tlog-checkpoint)" }),
  vkey: Type.String({ description: "the key that signs them (C2SP signed-note)" }),
  size: Type.Integer({ minimum: 0, description: "entries of the newest published head" }),
  root: Type.Optional(Digest),
  publishedMs: Type.Optional(Milliseconds),
  cosignedSize: Type.Integer({ minimum: 0, description: "of the newest that enough witnesses have cosigned" }),
  witnesses: Type.Array(
    Closed({
      name: Type.String(),
      url: Type.String(),
      vkey: Type.String(),
      size: Count,
      seconds: Type.Optional(Seconds),
      problem: Type.Optional(Type.String({ description: "why the newest try came to nothing" })),
    }),
  ),
});
