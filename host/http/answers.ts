/** How binary objects go out, and licenses that not all have signed yet. */
import type { FastifyReply } from "fastify";
import type { SignedAnswer } from "../service/service.ts";
import { MediaType } from "./media.ts";
import { HttpProblem } from "./problem-codes.ts";
import { asBuffer, base64urlText } from "./wire.ts";

export function sendBytes(reply: FastifyReply, status: number, type: string, bytes: Uint8Array): FastifyReply {
  return reply.code(status).header("content-type", type).send(asBuffer(bytes));
}

/** 201 for a new one, 200 for the one that was given before. Throws the problem that carries a draft. */
export function sendSigned(reply: FastifyReply, answer: SignedAnswer): FastifyReply {
  if (answer.complete) return sendBytes(reply, answer.repeated ? 200 : 201, MediaType.CWT, answer.bytes);
  const { draft, have, need } = answer;
  const members = { draft: base64urlText(draft), have, need };
  throw new HttpProblem("quorum/incomplete", `${have} of ${need}`, { members });
}
