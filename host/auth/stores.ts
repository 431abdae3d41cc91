/** What authentication asks of a store. SQL answers it in a service, memory in tests. */
import type { Role } from "./principal.ts";

/** A person's token: its hash, never itself. */
export interface TokenRecord {
  /** The first 8 bytes of the hash in hex: what people revoke it by, and what an audit trail shows. */
  readonly id: string;
  /** SHA-256 of the token's text. */
  readonly hash: Uint8Array;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly createdMs: number;
  readonly expiresMs: number;
  /** Once it is there the token is revoked, whatever the time. */
  readonly revokedMs?: number | undefined;
}

export interface TokenStore {
  addToken(record: TokenRecord): Promise<void>;
  tokenByHash(hash: Uint8Array): Promise<TokenRecord | undefined>;
  tokens(): Promise<readonly TokenRecord[]>;
  /** Whether there is such a token. The first time stands. */
  revokeToken(id: string, atMs: number): Promise<boolean>;
}

/** An agent, another verifier or another program, by the key that it signs requests with. */
export interface ClientRecord {
  /** 16 lower-case hex digits: `keyId` of the public key. */
  readonly kid: string;
  readonly publicKey: Uint8Array;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly createdMs: number;
  /** Once it is there the key is revoked, whatever the time. */
  readonly revokedMs?: number | undefined;
}

export interface ClientStore {
  /** Refuses (`auth/client-exists`) a kid that is there, revoked or not: a key that was revoked never comes back. */
  addClient(record: ClientRecord): Promise<void>;
  client(kid: string): Promise<ClientRecord | undefined>;
  clients(): Promise<readonly ClientRecord[]>;
  /** Whether there is such a client. The first time stands. */
  revokeClient(kid: string, atMs: number): Promise<boolean>;
}

export interface ReplayStore {
  /**
   * Remembers the nonce until then and says whether it was there already, in one step: of two at once, one sees
   * `false`. What it answers is durable first.
   */
  seen(keyid: string, nonce: string, expiresMs: number): Promise<boolean>;
}
