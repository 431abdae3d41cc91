/** What authentication asks of a store (host/auth/stores.ts), in SQL: any process of the verifier gives the same answer. */
import { createHash } from "node:crypto";
import type { Selectable, Transaction } from "kysely";
import { AuthError } from "../auth/errors.ts";
import { areRoles, type Role } from "../auth/principal.ts";
import type { ClientRecord, ClientStore, ReplayStore, TokenRecord, TokenStore } from "../auth/stores.ts";
import { Batcher, type Result } from "./batcher.ts";
import { StoreError } from "./errors.ts";
import type { Store } from "./store.ts";
import type { ClientsTable, Tables, TokensTable } from "./tables.ts";

export class SqlTokenStore implements TokenStore {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async addToken(record: TokenRecord): Promise<void> {
    const { id, hash, name, createdMs, expiresMs } = record;
    const roles = JSON.stringify(record.roles);
    const row = { id, hash, name, roles, created_ms: createdMs, expires_ms: expiresMs };
    await this.#store.write(async (tx) => {
      await tx
        .insertInto("tokens")
        .values({ ...row, revoked_ms: record.revokedMs ?? null })
        .execute();
    });
  }

  async tokenByHash(hash: Uint8Array): Promise<TokenRecord | undefined> {
    const row = await this.#store.db.selectFrom("tokens").selectAll().where("hash", "=", hash).executeTakeFirst();
    return row && tokenOf(row);
  }

  async tokens(): Promise<readonly TokenRecord[]> {
    const rows = await this.#store.db.selectFrom("tokens").selectAll().orderBy("created_ms").orderBy("id").execute();
    return rows.map(tokenOf);
  }

  async revokeToken(id: string, atMs: number): Promise<boolean> {
    return this.#store.write(async (tx) => {
      const update = tx.updateTable("tokens").set({ revoked_ms: atMs });
      await update.where("id", "=", id).where("revoked_ms", "is", null).execute();
      return (await tx.selectFrom("tokens").select("id").where("id", "=", id).execute()).length > 0;
    });
  }
}

export class SqlClientStore implements ClientStore {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Throws `AuthError` (`auth/client-exists`). */
  async addClient(record: ClientRecord): Promise<void> {
    const { kid, publicKey, name, createdMs } = record;
    const bytes = bytesOf(kid);
    if (!bytes) throw new StoreError("store/value", "a kid that is no hex");
    const row = { kid: bytes, public_key: publicKey, name, roles: JSON.stringify(record.roles) };
    await this.#store.write(async (tx) => {
      const insert = tx
        .insertInto("clients")
        .values({ ...row, created_ms: createdMs, revoked_ms: record.revokedMs ?? null });
      const { numInsertedOrUpdatedRows } = await insert.onConflict((on) => on.doNothing()).executeTakeFirst();
      if (numInsertedOrUpdatedRows === 0n) throw new AuthError("auth/client-exists", kid);
    });
  }

  async client(kid: string): Promise<ClientRecord | undefined> {
    const bytes = bytesOf(kid);
    if (!bytes) return undefined;
    const row = await this.#store.db.selectFrom("clients").selectAll().where("kid", "=", bytes).executeTakeFirst();
    return row && clientOf(row);
  }

  async clients(): Promise<readonly ClientRecord[]> {
    const rows = await this.#store.db.selectFrom("clients").selectAll().orderBy("created_ms").orderBy("kid").execute();
    return rows.map(clientOf);
  }

  async revokeClient(kid: string, atMs: number): Promise<boolean> {
    const at = bytesOf(kid);
    if (!at) return false;
    return this.#store.write(async (tx) => {
      const update = tx.updateTable("clients").set({ revoked_ms: atMs });
      await update.where("kid", "=", at).where("revoked_ms", "is", null).execute();
      return (await tx.selectFrom("clients").select("kid").where("kid", "=", at).execute()).length > 0;
    });
  }
}

interface Asked {
  readonly hash: Uint8Array;
  readonly expiresMs: number;
}

const SIGNATURES_MAX = 256;
const SIGNATURES_WAITING_MAX = 8_192;

/** Signatures that are asked about together are remembered together, in one wait for the disk. */
export class SqlReplayStore implements ReplayStore {
  readonly #batcher: Batcher<Asked, boolean>;

  constructor(store: Store, now: () => number) {
    this.#batcher = new Batcher({
      itemsMax: SIGNATURES_MAX,
      lanes: 1,
      queueMax: SIGNATURES_WAITING_MAX,
      run: (items) => store.write((tx) => remember(store, tx, items, now())),
    });
  }

  seen(keyid: string, nonce: string, expiresMs: number): Promise<boolean> {
    const hash = createHash("sha256").update(`${keyid}/${nonce}`).digest();
    return this.#batcher.ask({ hash, expiresMs });
  }
}

async function remember(
  store: Store,
  tx: Transaction<Tables>,
  items: readonly Asked[],
  nowMs: number,
): Promise<Result<boolean>[]> {
  const newHashes = new Set<string>();
  // In one order everywhere, so that two processes never wait for each other.
  const first = [...new Map(items.toReversed().map((item) => [hexOf(item.hash), item])).entries()];
  for (const [name, { hash, expiresMs }] of first.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto("seen_signatures")
      .values({ hash, expires_ms: expiresMs })
      .onConflict((on) =>
        on.column("hash").doUpdateSet({ expires_ms: expiresMs }).where("seen_signatures.expires_ms", "<", nowMs),
      )
      .executeTakeFirst();
    if (numInsertedOrUpdatedRows === 1n) newHashes.add(name);
  }
  await forget(store, tx, 2 * items.length, nowMs);
  // The first who asks about a signature in this batch may be the first of all.
  return items.map(({ hash }) => ({ ok: true, value: !newHashes.delete(hexOf(hash)) }));
}

/** More than are added, so that what has expired never piles up. */
async function forget(store: Store, tx: Transaction<Tables>, count: number, nowMs: number): Promise<void> {
  const expired = tx.selectFrom("seen_signatures").select("hash").where("expires_ms", "<", nowMs);
  const some = expired.orderBy("expires_ms").limit(count);
  // Other processes forget too: what they are at is left to them.
  const mine = store.engine === "postgres" ? some.forUpdate().skipLocked() : some;
  const hashes = (await mine.execute()).map(({ hash }) => hash);
  if (hashes.length > 0) await tx.deleteFrom("seen_signatures").where("hash", "in", hashes).execute();
}

function tokenOf(row: Selectable<TokensTable>): TokenRecord {
  const { id, hash, name, created_ms, expires_ms, revoked_ms } = row;
  const times = { createdMs: created_ms, expiresMs: expires_ms, revokedMs: revoked_ms ?? undefined };
  return { id, hash, name, roles: rolesOf(row.roles), ...times };
}

function clientOf(row: Selectable<ClientsTable>): ClientRecord {
  const { name, public_key, created_ms, revoked_ms } = row;
  const roles = rolesOf(row.roles);
  const times = { createdMs: created_ms, revokedMs: revoked_ms ?? undefined };
  return { kid: hexOf(row.kid), publicKey: public_key, name, roles, ...times };
}

/** Throws `StoreError` (`store/corrupt`): what cannot be read gives nobody a role. */
function rolesOf(text: string): readonly Role[] {
  let roles: unknown;
  try {
    roles = JSON.parse(text);
  } catch (cause) {
    throw new StoreError("store/corrupt", "roles", { cause });
  }
  if (!Array.isArray(roles) || !areRoles(roles)) throw new StoreError("store/corrupt", "roles");
  return roles;
}

/** None for what is no kid: Node would read as far as it is hex. */
function bytesOf(kid: string): Uint8Array | undefined {
  const bytes = Buffer.from(kid, "hex");
  return hexOf(bytes) === kid ? bytes : undefined;
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}
