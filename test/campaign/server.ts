/**
 * A verifier's process that the campaign strikes. Most of a start is loading the program, so it is loaded while another
 * one serves: it says `loaded`, opens the store when it reads a `ServerOrder` as one line of JSON, then prints its
 * address. It is made into one file (program.ts): no `await` at the top.
 */
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { openStore, type Store, type StorePlace } from "../../host/store/store.ts";
import { serveStore } from "../host/serving.ts";

export interface ServerOrder {
  readonly place: StorePlace;
  /** A fault that is put in on purpose: licenses are answered so long before they are durable. */
  readonly commitLateMs?: number;
  /** Another one: they are answered so long before the head that covers them is. */
  readonly publishLateMs?: number;
}

/** However long a client is kept waiting, its nonce stays good: an evidence without an answer is asked again. */
const NONCE_SECONDS = 86_400;

async function main(): Promise<void> {
  process.stdout.write("loaded\n");
  // Ctrl-C on a terminal is for the campaign, which has things to ask yet; without one nobody strikes it any more.
  process.on("SIGINT", () => {});
  process.stdin.on("end", () => process.exit());
  const [line] = (await once(createInterface({ input: process.stdin }), "line")) as [string];
  const { place, commitLateMs, publishLateMs } = JSON.parse(line) as ServerOrder;
  let store = await openStore(place);
  if (commitLateMs !== undefined) store = answeringEarly(store, commitLateMs, newestLicense);
  if (publishLateMs !== undefined) store = answeringEarly(store, publishLateMs, newestHead);
  const running = await serveStore(store, {
    nonceSeconds: NONCE_SECONDS,
  });
  process.stdout.write(`${running.addresses[0]}\n`);
}

/** Where what is newest changes. */
function answeringEarly(store: Store, earlyMs: number, newest: (tx: Store["db"]) => Promise<number>): Store {
  const write: Store["write"] = (work) =>
    new Promise((resolve, reject) => {
      const writing = store.write(async (tx) => {
        const before = await newest(tx);
        const result = await work(tx);
        if (before !== (await newest(tx))) {
          resolve(result);
          await delay(earlyMs);
        }
        return result;
      });
      writing.then(resolve, reject);
    });
  return { engine: store.engine, db: store.db, forUpdate: store.forUpdate, write, close: () => store.close() };
}

async function newestHead(tx: Store["db"]): Promise<number> {
  const row = await tx.selectFrom("log_heads").select("size").orderBy("size", "desc").limit(1).executeTakeFirst();
  return row?.size ?? 0;
}

async function newestLicense(tx: Store["db"]): Promise<number> {
  const row = await tx.selectFrom("licenses").select("id").orderBy("id", "desc").limit(1).executeTakeFirst();
  return row?.id ?? 0;
}

void main();
