/** Documents of the two rounds of FROST (RFC 9591) between verifiers that hold shares of one key. */
import { type Static, Type } from "@sinclair/typebox";
import { CoseLimit } from "../../../firmware/protocol/cose-labels.ts";
import { Limit } from "../../../firmware/protocol/limits.ts";
import { HOLDERS_MAX } from "../../keys/frost-group.ts";
import { NONCES_MAX } from "../../objects/nonces.ts";
import { Choice, Closed, Kid, Nonce, OBJECT_EXAMPLE, ObjectBytes } from "./basic.ts";

const KID_EXAMPLE = "0123456789abcdef";
const POINT_EXAMPLE = "5a".repeat(Limit.PUBLIC_KEY_BYTES);

function hex32(description: string) {
  const pattern = `^[0-9a-f]{${2 * Limit.PUBLIC_KEY_BYTES}}$`;
  return { ...Type.String({ pattern, description }), examples: [POINT_EXAMPLE] as const };
}

/** Base64 has 4 characters for 3 bytes. */
const MESSAGE_CHARACTERS_MAX = Math.ceil((CoseLimit.SIG_STRUCTURE_BYTES_MAX * 4) / 3);

export const FrostGroupKid = Closed({ group: Kid }, { examples: [{ group: KID_EXAMPLE }] });

export const FrostCommitment = Closed({
  holder: Type.Integer({ minimum: 1, maximum: HOLDERS_MAX, description: "number of the holder" }),
  hiding: hex32("commitment to the hiding nonce, in hex"),
  binding: hex32("commitment to the binding nonce, in hex"),
});

const SHARED = {
  group: Kid,
  message: Type.String({
    pattern: "^[A-Za-z0-9_-]+$",
    maxLength: MESSAGE_CHARACTERS_MAX,
    description: "the Sig_structure (RFC 9052 section 4.4) that the share is for, in base64url without padding",
    examples: [OBJECT_EXAMPLE],
  }),
  commitments: Type.Array(FrostCommitment, { minItems: 2, maxItems: HOLDERS_MAX }),
};
export const FrostShareRequest = Type.Union(
  [
    Closed({
      ...SHARED,
      purpose: Choice(["license", "recovery"], "what the draft is"),
      evidence: ObjectBytes("the evidence that it answers"),
      nonces: Type.Optional(Type.Array(Nonce, { minItems: 1, maxItems: NONCES_MAX })),
      draft: ObjectBytes("the license or recovery with the signatures so far"),
    }),
    Closed({
      ...SHARED,
      purpose: Choice(["order", "offline"], "what the draft is: offline, a license that answers no evidence"),
      draft: ObjectBytes("the order or license with the signatures so far, which was approved at this holder"),
    }),
  ],
  {
    examples: [
      {
        group: KID_EXAMPLE,
        purpose: "order",
        draft: OBJECT_EXAMPLE,
        message: OBJECT_EXAMPLE,
        commitments: [1, 2].map((holder) => ({ holder, hiding: POINT_EXAMPLE, binding: POINT_EXAMPLE })),
      },
    ],
  },
);
export type FrostShareRequest = Static<typeof FrostShareRequest>;

export const FrostShare = Closed({ share: hex32("share of the signature, in hex") });
