/** What the store promises those who read and write, on either engine. */
import { sql, type Transaction } from "kysely";
import { describe, expect, it } from "vitest";
import { insertRows } from "../../../host/store/bulk.ts";
import { StoreError } from "../../../host/store/errors.ts";
import { countRows, rowCounts } from "../../../host/store/row-counts.ts";
import { openStore, type Tables } from "../../../host/store/store.ts";
import { engines, withStore } from "./engines.ts";
import { deviceRow, insertDevice, licenseRow, ueidOf } from "./rows.ts";

const devicesIn = async (store: { db: Awaited<ReturnType<typeof openStore>>["db"] }) =>
  (await store.db.selectFrom("devices").select(sql<number>`count(*)`.as("count")).executeTakeFirstOrThrow()).count;

describe.each(engines)("the store on $engine", ({ place }) => {
  it("keeps what a transaction wrote when it is opened again", async () => {
    const where = place();
    const written = deviceRow(1, { owner: "Ωmega 😀", state: new Uint8Array(0), license_sequence: 2n ** 62n + 1n });
    const id = await withStore(where, (store) => store.write((tx) => insertDevice(tx, 1, written)));
    await withStore(where, async (store) => {
      const row = await store.db.selectFrom("devices").selectAll().executeTakeFirstOrThrow();
      expect(row).toEqual({ id, ...written });
      expect(row.ueid.constructor).toBe(Uint8Array);
    });
  });

  it("is made only where it may be", async () => {
    const where = place();
    await expect(openStore(where, { mustExist: true })).rejects.toMatchObject({ code: "store/missing" });
    await withStore(where, async () => {});
    const store = await openStore(where, { mustExist: true });
    expect(await rowCounts(store.db)).toMatchObject({ meta: 2, state: 1, devices: 0 });
    expect(await countRows(store)).toBe(3);
    await store.close();
  });

  it("keeps nothing of a transaction that throws, and passes on what it threw", async () => {
    await withStore(place(), async (store) => {
      const wrong = new Error("no");
      const failing = store.write(async (tx) => {
        await insertDevice(tx, 1);
        throw wrong;
      });
      await expect(failing).rejects.toBe(wrong);
      expect(await devicesIn(store)).toBe(0);
      await store.write((tx) => insertDevice(tx, 1));
      expect(await devicesIn(store)).toBe(1);
    });
  });

  it("shows readers nothing of an open transaction, and does not make them wait for it", async () => {
    await withStore(place(), async (store) => {
      await store.write(async (tx) => {
        await insertDevice(tx, 1);
        expect(await devicesIn(store)).toBe(0);
      });
      expect(await devicesIn(store)).toBe(1);
    });
  });

  it("gives a reader's transaction one state of the tables, whatever is committed meanwhile", async () => {
    await withStore(place(), async (store) => {
      const counts = await store.db
        .transaction()
        .setIsolationLevel("repeatable read")
        .execute(async (tx) => {
          const before = await devicesIn({ db: tx });
          await store.write((writing) => insertDevice(writing, 1));
          return [before, await devicesIn({ db: tx })];
        });
      expect(counts).toEqual([0, 0]);
      expect(await devicesIn(store)).toBe(1);
    });
  });

  it("lets nobody write outside of a transaction", async () => {
    await withStore(place(), async (store) => {
      const writing = store.db.insertInto("devices").values(deviceRow(1)).execute();
      await expect(writing).rejects.toMatchObject({ code: "store/statement" });
    });
  });

  it("gives sequences exactly, ids and times as numbers, and refuses a number that it would have to round", async () => {
    await withStore(place(), async (store) => {
      const sequence = 2n ** 63n - 1n;
      await store.write(async (tx) => {
        const id = await insertDevice(tx, 1, { seen_ms: Number.MAX_SAFE_INTEGER });
        await tx.insertInto("licenses").values(licenseRow(id, sequence)).execute();
      });
      const { max } = store.db.fn;
      const row = await store.db
        .selectFrom("licenses")
        .innerJoin("devices", "devices.id", "device_id")
        .select(["device_id", "sequence", "seen_ms"])
        .select(max("sequence").as("last_sequence"))
        .groupBy(["device_id", "sequence", "seen_ms"])
        .executeTakeFirstOrThrow();
      expect(row).toEqual({ device_id: 1, sequence, seen_ms: Number.MAX_SAFE_INTEGER, last_sequence: sequence });
      const rounded = store.db.selectFrom("licenses").select("sequence as newest").execute();
      await expect(rounded).rejects.toMatchObject({ code: "store/value" });
    });
  });

  it.each([
    ["a fraction", { seen_ms: 1.5 }],
    ["an integer that a number does not hold", { seen_ms: 2 ** 53 }],
    ["an integer over 63 bits", { license_sequence: 2n ** 63n }],
    ["text with a NUL", { owner: "a\0b" }],
    ["half a character", { owner: "\ud83d" }],
    ["a truth value", { profile: true }],
    ["an object", { profile: {} }],
    ["a date", { profile: new Date(0) }],
  ])("refuses %s, and goes on", async (_, values) => {
    await withStore(place(), async (store) => {
      const writing = store.write((tx) => insertDevice(tx, 1, values));
      await expect(writing).rejects.toMatchObject({ code: "store/value", class: "program" });
      await store.write((tx) => insertDevice(tx, 1));
      expect(await devicesIn(store)).toBe(1);
    });
  });

  it("says which rule a row breaks: a second of its kind, or one that refers to nothing", async () => {
    await withStore(place(), async (store) => {
      await store.write((tx) => insertDevice(tx, 1));
      const twice = store.write((tx) => insertDevice(tx, 1));
      await expect(twice).rejects.toMatchObject({ code: "store/constraint", message: expect.stringMatching(/ueid/i) });
      const orphan = store.write((tx) => tx.insertInto("licenses").values(licenseRow(99, 1n)).execute());
      await expect(orphan).rejects.toMatchObject({ code: "store/constraint" });
    });
  });

  it("does not commit a transaction that went on after a statement failed as if it had not", async () => {
    await withStore(place(), async (store) => {
      const writing = store.write(async (tx) => {
        await insertDevice(tx, 1);
        await insertDevice(tx, 1).catch(() => {});
        await insertDevice(tx, 2).catch(() => {});
      });
      // SQLite undoes the statement alone; PostgreSQL lets nothing more happen in the transaction.
      if (store.engine === "postgres") await expect(writing).rejects.toBeInstanceOf(StoreError);
      else await writing;
      expect(await devicesIn(store)).toBe(store.engine === "postgres" ? 0 : 2);
    });
  });

  it("refuses what nobody waited for in a transaction, once it commits, rather than keep it on its own", async () => {
    await withStore(place(), async (store) => {
      let refused: Promise<unknown> = Promise.resolve();
      const insertUntilRefused = async (tx: Transaction<Tables>) => {
        for (let number = 0; number < 10_000; number += 1) await insertRows(tx, "devices", [deviceRow(number)]);
      };
      await store.write(async (tx) => {
        refused = insertUntilRefused(tx).catch((error) => error);
        await insertDevice(tx, 99_999);
      });
      expect(await refused).toMatchObject({ code: "store/closed" });
    });
  });

  it("serves many who write at once, each row once", async () => {
    await withStore(place(), async (store) => {
      const ids = await Promise.all(Array.from({ length: 200 }, (_, n) => store.write((tx) => insertDevice(tx, n))));
      expect(new Set(ids).size).toBe(200);
      expect(await devicesIn(store)).toBe(200);
    });
  });

  it("counts up exactly when many change one row that they lock", async () => {
    await withStore(place(), async (store) => {
      const rise = () =>
        store.write(async (tx) => {
          const query = tx.selectFrom("state").select("version").where("id", "=", 1);
          const { version } = await query.$call(store.forUpdate).executeTakeFirstOrThrow();
          await tx
            .updateTable("state")
            .set({ version: version + 1 })
            .where("id", "=", 1)
            .execute();
        });
      await Promise.all(Array.from({ length: 60 }, rise));
      const { version } = await store.db.selectFrom("state").select("version").executeTakeFirstOrThrow();
      expect(version).toBe(60);
    });
  });

  it("waits, on closing, for what is under way, and takes nothing more", async () => {
    const where = place();
    const store = await openStore(where);
    const writes = Array.from({ length: 20 }, (_, n) => store.write((tx) => insertDevice(tx, n)));
    await store.close();
    await Promise.all(writes);
    await expect(store.write((tx) => insertDevice(tx, 99))).rejects.toMatchObject({ code: "store/closed" });
    expect(await withStore(where, devicesIn)).toBe(20);
  });

  it("orders text by its bytes", async () => {
    const owners = ["a", "B", "ä", "Z", "😀", "aa", "_", "\uffee"];
    await withStore(place(), async (store) => {
      await store.write(async (tx) => {
        for (const [number, owner] of owners.entries()) await insertDevice(tx, number, { owner });
      });
      const rows = await store.db.selectFrom("devices").select("owner").orderBy("owner").execute();
      const sorted = [...owners].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(rows.map(({ owner }) => owner)).toEqual(sorted);
    });
  });

  it("finds rows by bytes", async () => {
    await withStore(place(), async (store) => {
      await store.write((tx) => insertDevice(tx, 258));
      const found = store.db.selectFrom("devices").select("id").where("ueid", "=", ueidOf(258)).execute();
      expect(await found).toHaveLength(1);
    });
  });
});
