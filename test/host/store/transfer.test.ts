/** A store moves from one engine to the other and back, whole or not at all. */
import { setImmediate as turn } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TABLE_NAMES } from "../../../host/store/columns.ts";
import { openStore, type Store } from "../../../host/store/store.ts";
import { exportStore, importStore } from "../../../host/store/transfer.ts";
import { embedded, engines, withStore } from "./engines.ts";
import { fill } from "./full.ts";
import { insertDevice } from "./rows.ts";

async function textOf(store: Store): Promise<string> {
  let text = "";
  for await (const lines of exportStore(store)) text += lines;
  return text;
}
const piecesOf = (text: string, bytes: number) => {
  const all = Buffer.from(text);
  return (async function* () {
    for (let at = 0; at < all.length; at += bytes) yield all.subarray(at, at + bytes);
  })();
};
const whole = (text: string) => piecesOf(text, 2 ** 20);
const line = (text: string, index: number) => text.split("\n").at(index)!;

const exported = await withStore(embedded.place(), async (store) => {
  await fill(store, 300);
  return textOf(store);
});

describe.each(engines)("an export of a store on $engine", ({ place }) => {
  it("has every table, and comes out of any engine as it went in", async () => {
    expect(TABLE_NAMES.filter((table) => !exported.includes(`{"table":"${table}","columns":[`))).toEqual([]);
    await withStore(place(), async (store) => {
      const { rows } = await importStore(store, piecesOf(exported, 1_000));
      expect(rows).toBe(exported.trimEnd().split("\n").length - TABLE_NAMES.length - 2);
      const again = await textOf(store);
      expect(again).toBe(exported);
      await withStore(embedded.place(), async (back) => {
        await importStore(back, whole(again));
        expect(await textOf(back)).toBe(exported);
      });
    });
  });

  it("lets the new store go on where the old one was: the next rows have the next numbers", async () => {
    await withStore(place(), async (store) => {
      await importStore(store, whole(exported));
      expect(await store.write((tx) => insertDevice(tx, 999))).toBe(301);
    });
  });

  it("is of one state, whatever is written meanwhile", async () => {
    await withStore(place(), async (store) => {
      await importStore(store, whole(exported));
      const lines: string[] = [];
      for await (const piece of exportStore(store)) {
        lines.push(piece);
        if (lines.length % 4 === 0) await store.write((tx) => insertDevice(tx, 10_000 + lines.length));
        await turn();
      }
      expect(lines.join("")).toBe(exported);
    });
  });

  it("goes into an empty store only", async () => {
    await withStore(place(), async (store) => {
      await store.write((tx) => insertDevice(tx, 1));
      await expect(importStore(store, whole(exported))).rejects.toMatchObject({ code: "store/not-empty" });
    });
    await withStore(place(), async (store) => {
      await store.write((tx) => tx.updateTable("state").set({ version: 1 }).execute());
      await expect(importStore(store, whole(exported))).rejects.toMatchObject({ code: "store/not-empty" });
    });
  });

  let empty: Store;
  beforeAll(async () => {
    empty = await openStore(place());
  });
  afterAll(() => empty.close());

  const last = line(exported, -2);
  const damaged: [string, string, string][] = [
    ["of nothing", "", "store/copy"],
    ["of something else", '{"format":"x"}\n', "store/copy"],
    ["of a newer program", exported.replace(/"schemaVersion":\d+/, '"schemaVersion":1000'), "store/newer"],
    ["that is cut within a line", exported.slice(0, 5_000), "store/copy"],
    ["that is cut after a line", exported.slice(0, exported.indexOf("\n", 5_000) + 1), "store/copy"],
    ["without its end", exported.slice(0, -last.length - 1), "store/copy"],
    ["that goes on", `${exported}[]\n`, "store/copy"],
    ["with one letter changed", exported.replace('"site"', '"sita"'), "store/copy"],
    ["with a row less", exported.replace(/\n\["fleet".*?\n/, "\n"), "store/copy"],
    ["with a table less", exported.replace(/\{"table":"audit".*?\n/, ""), "store/copy"],
    ["with a value too many", exported.replace('["fleet",', '["fleet",1,'), "store/copy"],
    ["with text for a number", exported.replace('["fleet",60', '["fleet","sixty"'), "store/copy"],
    ["with a fraction", exported.replace('["fleet",60', '["fleet",60.5'), "store/copy"],
    ["with bytes that are no base64url", exported.replace('"AQI"', '"AQ+"'), "store/copy"],
    ["with bytes in two ways", exported.replace('"AQI"', '"AQJ"'), "store/copy"],
    ["with a row twice", exported.replace(/(\["fleet".*?\n)/, "$1$1"), "store/constraint"],
    ["with a line that never ends", exported.replace('["fleet"', `["${"x".repeat(17 * 2 ** 20)}`), "store/copy"],
  ];
  it.each(damaged)("%s is refused, and nothing of it is kept", async (_, text, code) => {
    expect(text).not.toBe(exported);
    const before = await textOf(empty);
    await expect(importStore(empty, whole(text))).rejects.toMatchObject({ code });
    expect(await textOf(empty)).toBe(before);
  });
});

describe("a store that was never filled", () => {
  it("can be moved too", async () => {
    const store = await openStore(embedded.place());
    const text = await textOf(store);
    await store.close();
    await withStore(embedded.place(), async (other) => {
      await importStore(other, whole(text));
      expect(await textOf(other)).toBe(text);
    });
  });
});
