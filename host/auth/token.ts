/**
 * Bearer tokens of people: `qst_` and 48 characters of base64url, which are 32 random bytes and their CRC-32. The check
 * finds a typing error before any store is asked, and lets whoever looks for leaked secrets know one for sure.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";
import { isLabel } from "../keys/label.ts";
import { AuthError } from "./errors.ts";
import { areRoles } from "./principal.ts";
import type { TokenRecord, TokenStore } from "./stores.ts";

const PREFIX = "qst_";
const SECRET_BYTES = 32;
const CHECK_BYTES = 4;
const ID_HEX_DIGITS = 16;
const DAY_MS = 86_400_000;
export const TOKEN_LIFETIME_DAYS_MAX = 366;

export interface NewToken {
  readonly name: string;
  readonly roles: readonly string[];
  readonly expiresMs: number;
  readonly nowMs: number;
}

/** The token is for its owner and is shown once; the record is for the store. */
export function createToken({ name, roles, expiresMs, nowMs }: NewToken): { token: string; record: TokenRecord } {
  if (!isLabel(name)) throw new AuthError("auth/name");
  if (!areRoles(roles)) throw new AuthError("auth/roles");
  const lifetimeMs = expiresMs - nowMs;
  if (!(lifetimeMs > 0 && lifetimeMs <= TOKEN_LIFETIME_DAYS_MAX * DAY_MS)) throw new AuthError("auth/token-lifetime");
  const token = tokenOf(randomBytes(SECRET_BYTES));
  const hash = tokenHash(token);
  const id = hash.toString("hex").slice(0, ID_HEX_DIGITS);
  return { token, record: { id, hash, name, roles, createdMs: nowMs, expiresMs } };
}

function tokenOf(secret: Buffer): string {
  const check = Buffer.alloc(CHECK_BYTES);
  check.writeUInt32BE(crc32(secret));
  return PREFIX + Buffer.concat([secret, check]).toString("base64url");
}

/** Whether it has the form of a token and its check is right. */
export function isToken(text: string): boolean {
  if (!/^qst_[A-Za-z0-9_-]{48}$/.test(text)) return false;
  const secret = Buffer.from(text.slice(PREFIX.length), "base64url").subarray(0, SECRET_BYTES);
  return tokenOf(secret) === text;
}

/** Enough for 256 random bits: nobody can guess them, so the hash need not be slow. */
function tokenHash(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/**
 * The token of an `Authorization` header: RFC 6750 section 2.1, the scheme's name in any case (RFC 9110 section 11.1).
 * No refusal repeats what was sent: it may be a secret of another kind.
 */
export function bearerToken(authorization: string): string {
  const token = /^bearer +([A-Za-z0-9._~+/-]{1,512}=*)$/i.exec(authorization)?.[1];
  if (token === undefined) throw new AuthError("auth/authorization");
  return token;
}

export async function verifyToken(
  token: string,
  tokens: Pick<TokenStore, "tokenByHash">,
  nowMs: number,
): Promise<TokenRecord> {
  if (!isToken(token)) throw new AuthError("auth/token-malformed");
  const hash = tokenHash(token);
  const record = await tokens.tokenByHash(hash);
  // A store may look a hash up in a way that its answers' times tell of; of the token they tell nothing.
  if (record?.hash.length !== hash.length || !timingSafeEqual(record.hash, hash)) {
    throw new AuthError("auth/token-unknown");
  }
  if (record.revokedMs !== undefined) throw new AuthError("auth/token-revoked", record.id);
  if (nowMs >= record.expiresMs) throw new AuthError("auth/token-expired", record.id);
  return record;
}
