/** What PostgreSQL may do to a verifier: cut connections, give transactions up, be full, be away. */
import { randomInt, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { fsck } from "../../../host/store/fsck.ts";
import { openStore, type Store } from "../../../host/store/store.ts";
import { STRUCTURAL_CHECKS } from "../../../host/store/structure.ts";
import { DATABASE_URL, engines, withPostgres, withStore } from "./engines.ts";
import { insertDevice } from "./rows.ts";

const postgres = engines.find(({ engine }) => engine === "postgres");
const CUTS = 40;

const entry = (subject: string) => ({ at_ms: 1, actor: "a", action: "b", subject, outcome: "ok", detail: null });

/** The server raises this error in the transaction. */
const raise = (state: string) => sql.raw(`do $$ begin raise exception 'test' using errcode = '${state}'; end $$`);

describe.skipIf(!postgres)("the store on PostgreSQL", () => {
  const place = () => postgres!.place() as { databaseUrl: string; schema: string; applicationName: string };

  it("keeps each transaction once, whatever connections are cut under load", async () => {
    const where = place();
    await withStore(where, async (store) => {
      let isOver = false;
      const outcomes = new Map<string, string>();
      const lane = async () => {
        while (!isOver) {
          const subject = randomUUID();
          const writing = store.write(async (tx) => {
            await tx.insertInto("audit").values(entry(subject)).execute();
            await tx.updateTable("state").set({ version: sql`version + 1` }).where("id", "=", 1).execute();
          });
          outcomes.set(
            subject,
            await writing.then(
              () => "ok",
              (error: { code: string }) => error.code,
            ),
          );
        }
      };
      const load = Array.from({ length: 8 }, lane);
      await withPostgres(async (client) => {
        for (let cut = 0; cut < CUTS; cut += 1) {
          await delay(randomInt(20));
          await client.query(
            `select pg_terminate_backend(pid) from (select pid from pg_stat_activity
              where application_name = $1 order by random() limit 3) victims`,
            [where.applicationName],
          );
        }
      });
      isOver = true;
      await Promise.all(load);
      const rows = await untilAnswered(() => store.db.selectFrom("audit").select("subject").execute());
      const subjects = rows.map(({ subject }) => subject);
      expect(new Set(subjects).size).toBe(subjects.length);
      const lost = [...outcomes].filter(([subject, outcome]) => outcome === "ok" && !subjects.includes(subject));
      expect(lost).toEqual([]);
      expect(new Set(outcomes.values())).toSatisfy((codes: Set<string>) => {
        return [...codes].every((code) => code === "ok" || code === "store/commit-unknown");
      });
      const { version } = await store.db.selectFrom("state").select("version").executeTakeFirstOrThrow();
      expect(version).toBe(subjects.length);
      for await (const finding of fsck(store, STRUCTURAL_CHECKS)) expect.fail(JSON.stringify(finding));
    });
  });

  it("says that it is not known whether a transaction was kept whose connection was cut while committing", async () => {
    const where = place();
    await withStore(where, async (store) => {
      await store.write(async (tx) => {
        // A trigger that fires at COMMIT, and takes long enough to be struck in it.
        await sql
          .raw(
            "create function wait() returns trigger language plpgsql as $$ begin perform pg_sleep(60); return null; end $$",
          )
          .execute(tx);
        await sql
          .raw(
            "create constraint trigger slow after insert on audit deferrable initially deferred for each row execute function wait()",
          )
          .execute(tx);
      });
      let runs = 0;
      const writing = store.write(async (tx) => {
        runs += 1;
        await tx.insertInto("audit").values(entry("a")).execute();
      });
      const outcome = expect(writing).rejects.toMatchObject({ code: "store/commit-unknown", class: "wait" });
      await withPostgres(async (client) => {
        const cut =
          "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and wait_event = 'PgSleep'";
        while ((await client.query(cut, [where.applicationName])).rowCount === 0) await delay(5);
      });
      await outcome;
      expect(runs).toBe(1);
    });
  });

  it("repeats a transaction whose connection was cut before COMMIT", async () => {
    const where = place();
    await withStore(where, async (store) => {
      let runs = 0;
      const id = await store.write(async (tx) => {
        runs += 1;
        const inserted = await insertDevice(tx, runs);
        if (runs < 3) await cutOwn(tx);
        return inserted;
      });
      expect(runs).toBe(3);
      const rows = await store.db.selectFrom("devices").select("id").execute();
      expect(rows).toEqual([{ id }]);
    });
  });

  it.each(["40001", "40P01"])(
    "repeats a transaction that the server gives up with %s, and stops when time is up",
    async (state) => {
      await withStore({ ...place(), repeatMs: 300 }, async (store) => {
        let runs = 0;
        await store.write(async (tx) => {
          runs += 1;
          await insertDevice(tx, 1);
          if (runs < 4) await raise(state).execute(tx);
        });
        expect(runs).toBe(4);
        const failing = store.write((tx) => raise(state).execute(tx));
        await expect(failing).rejects.toMatchObject({ code: "store/busy" });
      });
    },
  );

  it("resolves a deadlock by itself: both transactions are kept", async () => {
    await withStore(place(), async (store) => {
      const [a, b] = await store.write(async (tx) => [await insertDevice(tx, 1), await insertDevice(tx, 2)]);
      const meet = rendezvous(2);
      const change = (first: number, second: number) =>
        store.write(async (tx) => {
          await tx.updateTable("devices").set({ seen_ms: sql`seen_ms + 1` }).where("id", "=", first).execute();
          await meet();
          await tx.updateTable("devices").set({ seen_ms: sql`seen_ms + 1` }).where("id", "=", second).execute();
        });
      await Promise.all([change(a!, b!), change(b!, a!)]);
      const rows = await store.db.selectFrom("devices").select("seen_ms").execute();
      expect(rows).toEqual([{ seen_ms: 4 }, { seen_ms: 4 }]);
    });
  });

  it.each([
    ["a full disk", "53100", "store/full", "operator"],
    ["too little memory", "53200", "store/unavailable", "wait"],
    ["a lock that others keep", "55P03", "store/busy", "wait"],
    ["a statement that takes too long", "57014", "store/unavailable", "wait"],
    ["a damaged page", "XX001", "store/corrupt", "operator"],
    ["a missing right", "42501", "store/access", "operator"],
    ["a broken rule", "23514", "store/constraint", "program"],
    ["an unknown table", "42P01", "store/statement", "program"],
  ])("says of %s (%s) that it is one: %s", async (_, state, code, errorClass) => {
    await withStore(place(), async (store) => {
      const failing = store.write(async (tx) => {
        await insertDevice(tx, 1);
        await raise(state).execute(tx);
      });
      await expect(failing).rejects.toMatchObject({ code, class: errorClass });
      await store.write((tx) => insertDevice(tx, 2));
      expect(await store.db.selectFrom("devices").select("id").execute()).toHaveLength(1);
    });
  });

  it.each([
    ["is away", "postgres://postgres@127.0.0.1:1/test", "store/unavailable"],
    ["has no such database", DATABASE_URL.replace(/[^/]*$/, "quiesce_no_such_database"), "store/access"],
    ["is named in a URL that is none", "postgres://[", "store/url"],
    ["is another database's", "mysql://root@127.0.0.1/test", "store/url"],
  ])("says so when the server %s", async (_, databaseUrl, code) => {
    await expect(openStore({ databaseUrl, repeatMs: 50 })).rejects.toMatchObject({ code });
  });

  it("takes no schema whose name would be SQL", async () => {
    const opening = openStore({ databaseUrl: DATABASE_URL, schema: 'a"; drop schema public; --' });
    await expect(opening).rejects.toMatchObject({ code: "store/value" });
  });

  it("works for a user who may not change tables, once they are there", async () => {
    const where = place();
    await withStore(where, async () => {});
    const role = `${where.schema}_user`;
    await withPostgres(async (client) => {
      await client.query(`create role ${role} login; grant usage on schema ${where.schema} to ${role};
        grant select, insert, update, delete on all tables in schema ${where.schema} to ${role}`);
    });
    const url = new URL(DATABASE_URL);
    url.username = role;
    try {
      await withStore({ ...where, databaseUrl: url.href }, async (store) => {
        expect(await store.write((tx) => insertDevice(tx, 1))).toBe(1);
        const creating = store.write((tx) => sql`create table t (a bigint)`.execute(tx));
        await expect(creating).rejects.toMatchObject({ code: "store/access" });
      });
    } finally {
      await withPostgres((client) => client.query(`drop owned by ${role}; drop role ${role}`));
    }
  });
});

async function cutOwn(tx: Parameters<Parameters<Store["write"]>[0]>[0]): Promise<void> {
  await sql`select pg_terminate_backend(pg_backend_pid())`.execute(tx);
}

/** Reads are not repeated by the store: a connection that was cut while idle shows at its next use. */
async function untilAnswered<T>(read: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await read();
    } catch (error) {
      if ((error as { code?: string }).code !== "store/unavailable") throw error;
    }
  }
}

function rendezvous(count: number): () => Promise<void> {
  let waiting: (() => void)[] = [];
  let isPast = false;
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (!isPast && waiting.length < count) return;
      isPast = true;
      for (const go of waiting) go();
      waiting = [];
    });
}
