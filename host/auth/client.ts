/** Registers whoever signs requests. */
import { isLabel } from "../keys/label.ts";
import { keyId } from "../protocol/cose-key.ts";
import { AuthError } from "./errors.ts";
import { areRoles } from "./principal.ts";
import type { ClientRecord } from "./stores.ts";

const PUBLIC_KEY_BYTES = 32;

export interface NewClient {
  readonly publicKey: Uint8Array;
  readonly name: string;
  readonly roles: readonly string[];
  readonly nowMs: number;
}

export function createClient({ publicKey, name, roles, nowMs }: NewClient): ClientRecord {
  if (publicKey.length !== PUBLIC_KEY_BYTES) throw new AuthError("auth/client-key");
  if (!isLabel(name)) throw new AuthError("auth/name");
  if (!areRoles(roles)) throw new AuthError("auth/roles");
  return { kid: Buffer.from(keyId(publicKey)).toString("hex"), publicKey, name, roles, createdMs: nowMs };
}
