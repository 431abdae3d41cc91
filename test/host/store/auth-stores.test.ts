/** The stores of authentication in SQL give the answers of those in memory, and keep them. */
import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { MemoryClientStore, MemoryTokenStore } from "../../../host/auth/memory.ts";
import type { ClientRecord, TokenRecord } from "../../../host/auth/stores.ts";
import { SqlClientStore, SqlReplayStore, SqlTokenStore } from "../../../host/store/auth-stores.ts";
import type { Store } from "../../../host/store/store.ts";
import { engines, withStore } from "./engines.ts";

const token = (id: string): TokenRecord => ({
  id,
  hash: new Uint8Array(Buffer.from(id.padEnd(32, "\0"))),
  name: `person ${id}`,
  roles: ["admin", "auditor"],
  createdMs: 1,
  expiresMs: 2,
  revokedMs: undefined,
});
const client = (kid: string): ClientRecord => ({
  kid,
  publicKey: new Uint8Array(32).fill(3),
  name: "agent",
  roles: ["agent"],
  createdMs: 5,
  revokedMs: undefined,
});
const KID = "4d5820fa2865825d";
const signaturesIn = async ({ db }: Store) => (await db.selectFrom("seen_signatures").selectAll().execute()).length;

describe.each(engines)("authentication on $engine", ({ place }) => {
  it("finds tokens by their hash, lists them, and revokes each once for good", async () => {
    await withStore(place(), async (store) => {
      const memory = new MemoryTokenStore();
      for (const tokens of [new SqlTokenStore(store), memory]) {
        for (const id of ["a", "b"]) await tokens.addToken(token(id));
        expect(await tokens.tokenByHash(token("a").hash)).toEqual(token("a"));
        expect(await tokens.tokenByHash(token("c").hash)).toBeUndefined();
        expect(await tokens.revokeToken("b", 7)).toBe(true);
        expect(await tokens.revokeToken("b", 8)).toBe(true);
        expect(await tokens.revokeToken("c", 8)).toBe(false);
        expect(await tokens.tokens()).toEqual([token("a"), { ...token("b"), revokedMs: 7 }]);
      }
    });
  });

  it("finds clients by their kid, takes none twice, not even a revoked one, and revokes each once for good", async () => {
    await withStore(place(), async (store) => {
      for (const clients of [new SqlClientStore(store), new MemoryClientStore()]) {
        await clients.addClient(client(KID));
        expect(await clients.client(KID)).toEqual(client(KID));
        expect(await clients.revokeClient(KID, 7)).toBe(true);
        expect(await clients.revokeClient(KID, 8)).toBe(true);
        await expect(clients.addClient(client(KID))).rejects.toMatchObject({ code: "auth/client-exists" });
        expect(await clients.clients()).toEqual([{ ...client(KID), revokedMs: 7 }]);
        for (const other of ["", "00", `${KID}00`, `${KID}zz`, KID.toUpperCase(), "' or 1=1 --"]) {
          expect(await clients.client(other)).toBeUndefined();
          expect(await clients.revokeClient(other, 9)).toBe(false);
        }
      }
    });
  });

  it("gives nobody a role whose roles cannot be read", async () => {
    await withStore(place(), async (store) => {
      const tokens = new SqlTokenStore(store);
      await tokens.addToken(token("a"));
      for (const roles of ["admin", "[]", '["owner"]', '{"0":"admin"}', '["admin","admin"]']) {
        await store.write((tx) => tx.updateTable("tokens").set({ roles }).execute());
        await expect(tokens.tokenByHash(token("a").hash)).rejects.toMatchObject({ code: "store/corrupt" });
      }
    });
  });

  it("sees a signature a second time, even after it was opened again, until it has expired", async () => {
    const where = place();
    let nowMs = 1_000;
    await withStore(where, async (store) => {
      const replays = new SqlReplayStore(store, () => nowMs);
      expect(await replays.seen(KID, "n", 2_000)).toBe(false);
      expect(await replays.seen(KID, "n", 2_000)).toBe(true);
      expect(await replays.seen(KID, "m", 2_000)).toBe(false);
      expect(await replays.seen("0000000000000000", "n", 2_000)).toBe(false);
    });
    await withStore(where, async (store) => {
      const replays = new SqlReplayStore(store, () => nowMs);
      nowMs = 2_000;
      expect(await replays.seen(KID, "n", 3_000)).toBe(true);
      nowMs = 2_001;
      expect(await replays.seen(KID, "n", 3_000)).toBe(false);
      expect(await replays.seen(KID, "n", 3_000)).toBe(true);
    });
  });

  it("lets one of many who ask at once be the first, whatever process they ask", async () => {
    const where = place();
    await withStore(where, async (store) => {
      const ask = async (other: Store) => {
        const replays = [store, other].map((one) => new SqlReplayStore(one, () => 0));
        const nonces = Array.from({ length: 300 }, (_, index) => `${index % 60}`);
        const answers = await Promise.all(nonces.map((nonce, index) => replays[index % 2]!.seen(KID, nonce, 9)));
        expect(answers.filter((seen) => !seen)).toHaveLength(60);
        expect(await signaturesIn(store)).toBe(60);
      };
      if (store.engine === "sqlite") await ask(store);
      else await withStore(where, ask);
    });
  });

  it("forgets what has expired as new ones come, so that they do not pile up", async () => {
    await withStore(place(), async (store) => {
      let nowMs = 0;
      const replays = new SqlReplayStore(store, () => nowMs);
      const ask = (prefix: string, count: number, expiresMs: number) =>
        Promise.all(Array.from({ length: count }, (_, index) => replays.seen(KID, `${prefix}${index}`, expiresMs)));
      await ask("old", 100, 10);
      nowMs = 11;
      await ask("new", 50, 99);
      expect(await signaturesIn(store)).toBe(50);
      const { rows } = await sql<{ least: number }>`select min(expires_ms) as least from seen_signatures`.execute(
        store.db,
      );
      expect(rows[0]!.least).toBe(99);
    });
  });
});
