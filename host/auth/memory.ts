/** The stores of authentication in memory: for tests, and for a service that keeps nothing. */
import { AuthError } from "./errors.ts";
import type { ClientRecord, ClientStore, ReplayStore, TokenRecord, TokenStore } from "./stores.ts";

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

export class MemoryTokenStore implements TokenStore {
  readonly #byHash = new Map<string, TokenRecord>();

  async addToken(record: TokenRecord): Promise<void> {
    this.#byHash.set(hexOf(record.hash), record);
  }

  async tokenByHash(hash: Uint8Array): Promise<TokenRecord | undefined> {
    return this.#byHash.get(hexOf(hash));
  }

  async tokens(): Promise<readonly TokenRecord[]> {
    return [...this.#byHash.values()];
  }

  async revokeToken(id: string, atMs: number): Promise<boolean> {
    for (const [key, record] of this.#byHash) {
      if (record.id !== id) continue;
      this.#byHash.set(key, { ...record, revokedMs: record.revokedMs ?? atMs });
      return true;
    }
    return false;
  }
}

export class MemoryClientStore implements ClientStore {
  readonly #byKid = new Map<string, ClientRecord>();

  async addClient(record: ClientRecord): Promise<void> {
    if (this.#byKid.has(record.kid)) throw new AuthError("auth/client-exists", record.kid);
    this.#byKid.set(record.kid, record);
  }

  async client(kid: string): Promise<ClientRecord | undefined> {
    return this.#byKid.get(kid);
  }

  async clients(): Promise<readonly ClientRecord[]> {
    return [...this.#byKid.values()];
  }

  async revokeClient(kid: string, atMs: number): Promise<boolean> {
    const record = this.#byKid.get(kid);
    if (record === undefined) return false;
    this.#byKid.set(kid, { ...record, revokedMs: record.revokedMs ?? atMs });
    return true;
  }
}

export class MemoryReplayStore implements ReplayStore {
  readonly #expiresMs = new Map<string, number>();
  readonly #now: () => number;
  readonly #entriesMax: number;

  constructor(now: () => number, entriesMax = 100_000) {
    this.#now = now;
    this.#entriesMax = entriesMax;
  }

  async seen(keyid: string, nonce: string, expiresMs: number): Promise<boolean> {
    const key = `${keyid}/${nonce}`;
    const nowMs = this.#now();
    if ((this.#expiresMs.get(key) ?? Number.NEGATIVE_INFINITY) >= nowMs) return true;
    if (this.#expiresMs.size >= this.#entriesMax) this.#forget(nowMs);
    // To forget one that still counts would let it in again.
    if (this.#expiresMs.size >= this.#entriesMax) throw new AuthError("auth/replay-store-full");
    this.#expiresMs.set(key, expiresMs);
    return false;
  }

  #forget(nowMs: number): void {
    for (const [key, expiresMs] of this.#expiresMs) if (expiresMs < nowMs) this.#expiresMs.delete(key);
  }
}
