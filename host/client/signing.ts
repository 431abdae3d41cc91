/** Requests signed by an agent's or a service's own key (RFC 9421): docs/auth.md has the profile. */
import { signRequest } from "../auth/sign.ts";
import type { AsyncSigner } from "../keys/signer.ts";
import type { SignRequest } from "./options.ts";

export function signWith(signer: AsyncSigner, now: () => number = Date.now): SignRequest {
  return (request) => signRequest(request, signer, { nowMs: now() });
}
