/** Gathers the quorum of a license that answers no evidence, verifier after verifier, and lets the others know of it. */
import { type Circle, CircleError, type MemberFailure } from "../client/circle.ts";
import { isFailure } from "../client/settle.ts";
import type { OfflineLicenseCall } from "../service/service.ts";

/** Rejects with what the only failure was, or a `CircleError` that names all. */
export async function issueOffline({ members }: Circle, call: OfflineLicenseCall): Promise<Uint8Array> {
  const failures: MemberFailure[] = [];
  let draft: Uint8Array | undefined;
  let whole: Uint8Array | undefined;
  for (const { name, client } of members) {
    try {
      // One that is whole is shown to the verifiers that were not needed: reports will speak of it.
      const answer = await client.offlineLicense({ ...call, draft: whole ?? draft });
      if (answer.complete) whole ??= answer.bytes;
      else draft = answer.draft;
    } catch (error) {
      if (!isFailure(error)) throw error;
      failures.push({ name, error });
    }
  }
  if (whole) return whole;
  if (draft === undefined && failures.length === 1) throw failures[0]!.error;
  throw new CircleError(draft === undefined ? "no signatures" : "too few signatures", failures);
}
