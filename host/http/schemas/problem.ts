/** The problem document of RFC 9457, as all refusals are told. */
import { Type } from "@sinclair/typebox";
import { CLASS_STATUS } from "../problem-codes.ts";
import { Choice } from "./basic.ts";

export const Problem = Type.Object(
  {
    type: Type.String({ description: "urn:x-quiesce:problem: and the code" }),
    title: Type.String({ description: "what was wrong, the same for each refusal of the code" }),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.String({ description: "what was wrong, and with what" }),
    code: Type.String({ description: "literal code of the refusal", examples: ["evidence/nonce-expired"] }),
    class: Choice(Object.keys(CLASS_STATUS), "who must act: the class decides the status"),
    requestId: Type.String({ description: "what the verifier's log calls this request" }),
  },
  { $id: "Problem", additionalProperties: true, description: "a refusal (RFC 9457)" },
);
