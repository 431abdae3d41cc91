/**
 * A log proof from whichever verifier keeps the log. All are asked at once, so that nobody's silence delays it; what comes
 * must be a proof by its form. Whether it holds, the governor sees.
 */
import { decodeLogProof } from "../objects/log-proof.ts";
import { Refusal } from "../protocol/refusal.ts";
import type { CircleMember } from "./circle.ts";
import { ClientError } from "./errors.ts";
import { codeOf, settleOne } from "./settle.ts";

/** What a verifier says of a message that its log has nothing of, or that is not for its log. */
const NOT_KEPT: readonly string[] = ["log/entry-unknown", "log/not-agreed"];

/** The first that comes. Rejects with what stands in the way at the one that keeps the log, if any says so. */
export function logProofOfAny(members: readonly CircleMember[], digest: Uint8Array, from: number): Promise<Uint8Array> {
  return Promise.any(members.map((member) => logProofOf(member, digest, from))).catch(({ errors }: AggregateError) => {
    throw errors.find((error) => !NOT_KEPT.includes(codeOf(error))) ?? errors[0];
  });
}

async function logProofOf(member: CircleMember, digest: Uint8Array, from: number): Promise<Uint8Array> {
  const { value, error } = await settleOne(member, ({ client }) => client.logProof(digest, from));
  if (error) throw error;
  try {
    decodeLogProof(value!);
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    throw new ClientError("client/answer", `${member.name} gave no log proof`, { cause });
  }
  return value!;
}
