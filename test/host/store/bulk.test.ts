/** Many rows at once are the rows that one by one would be. */
import fc from "fast-check";
import type { Insertable } from "kysely";
import { describe, expect, it } from "vitest";
import { insertRows, updateRows } from "../../../host/store/bulk.ts";
import type { DevicesTable } from "../../../host/store/tables.ts";
import { engines, withStore } from "./engines.ts";
import { deviceRow, insertDevice, licenseRow } from "./rows.ts";

const text = fc.string({ unit: "binary", maxLength: 20 }).map((value) => value.replaceAll("\0", ""));
const awkward = fc.constantFrom("", "NULL", "null", '{"a"}', "a,b", 'q"uote', "back\\slash", "{}", " ");
const integer = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const sequence = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
const bytes = fc.uint8Array({ maxLength: 40 });

const device = (number: number) =>
  fc
    .record({
      owner: fc.oneof(text, awkward),
      profile: fc.oneof(text, awkward, fc.constant(null)),
      seen_ms: integer,
      license_sequence: sequence,
      state: bytes,
    })
    .map((values) => deviceRow(number, values));
const devices = fc
  .integer({ min: 0, max: 12 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, n) => device(n))));

describe.each(engines)("many rows at once on $engine", ({ place }) => {
  it("are inserted and changed as they are given, text and bytes of any kind", async () => {
    await withStore(place(), async (store) => {
      const inserted = fc.asyncProperty(devices, devices, async (rows, changes) => {
        await store.write(async (tx) => {
          await tx.deleteFrom("devices").execute();
          await insertRows(tx, "devices", rows);
        });
        const stored = await store.db.selectFrom("devices").selectAll().orderBy("id").execute();
        expect(stored.map(({ id, ...row }) => row)).toEqual(rows);
        const changed = changes.slice(0, rows.length).map((row, index) => ({ id: stored[index]!.id, ...row }));
        await store.write((tx) => updateRows(tx, "devices", "id", changed));
        const after = await store.db.selectFrom("devices").selectAll().orderBy("id").execute();
        expect(after).toEqual([...changed, ...stored.slice(changed.length)]);
      });
      await fc.assert(inserted, { numRuns: 40 });
    });
  });

  it("are all there or none: one wrong row undoes the transaction", async () => {
    await withStore(place(), async (store) => {
      const id = await store.write((tx) => insertDevice(tx, 1));
      const rows = [licenseRow(id, 1n), licenseRow(id, 2n), licenseRow(id, 1n)];
      const writing = store.write((tx) => insertRows(tx, "licenses", rows));
      await expect(writing).rejects.toMatchObject({ code: "store/constraint" });
      expect(await store.db.selectFrom("licenses").selectAll().execute()).toEqual([]);
    });
  });

  it("refuse a value that SQL cannot hold, wherever it stands", async () => {
    await withStore(place(), async (store) => {
      const rows: Insertable<DevicesTable>[] = [deviceRow(1), deviceRow(2, { owner: "a\0" }), deviceRow(3)];
      const writing = store.write((tx) => insertRows(tx, "devices", rows));
      await expect(writing).rejects.toMatchObject({ code: "store/value" });
    });
  });

  it("may be more than a statement has parameters", async () => {
    await withStore(place(), async (store) => {
      const rows = Array.from({ length: 12_000 }, (_, number) => deviceRow(number));
      await store.write((tx) => insertRows(tx, "devices", rows));
      const newest = await store.db.selectFrom("devices").selectAll().orderBy("id", "desc").limit(1).execute();
      expect(newest).toMatchObject([{ id: 12_000, ueid: rows.at(-1)!.ueid }]);
    });
  });
});
