/**
 * COSE signatures that are made and judged elsewhere: on another thread, in another process. So many can be under way at
 * one time. The messages are those of `cose.ts`, and so is what is refused.
 */
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { isTooLong, type Sign1Message, sign1Structure } from "./cose.ts";
import { ed25519VerifyAsync, ed25519VerifyManyAsync } from "./cose-key.ts";
import { Refusal } from "./refusal.ts";

/** Whether the signature of a message that was taken apart holds. Rejects with a `Refusal` (`COSE_SIGNATURE`). */
export async function checkSign1(message: Sign1Message, publicKey: Uint8Array, aad: Uint8Array): Promise<void> {
  const structure = sign1Structure(message.protectedBytes, aad, message.payload);
  if (!isTooLong(structure) && (await ed25519VerifyAsync(message.signature, structure, publicKey))) return;
  throw new Refusal(ErrorCode.COSE_SIGNATURE, "the signature does not hold");
}

/** Whether the signatures of messages that were taken apart hold, in order. */
export async function sign1sHold(
  messages: readonly { readonly message: Sign1Message; readonly publicKey: Uint8Array }[],
  aad: Uint8Array,
): Promise<boolean[]> {
  const items = messages.map(({ message: { signature, protectedBytes, payload }, publicKey }) => ({
    signature,
    message: sign1Structure(protectedBytes, aad, payload),
    publicKey,
  }));
  const verdicts = await ed25519VerifyManyAsync(items);
  return items.map(({ message }, i) => verdicts[i]! && !isTooLong(message));
}
