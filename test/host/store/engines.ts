/** The engines that the suite of the store runs on, each with places of its own that are gone afterwards. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll } from "vitest";
import { openStore, type Store, type StorePlace } from "../../../host/store/store.ts";

export const DATABASE_URL = process.env.QUIESCE_TEST_DATABASE_URL ?? "postgres://postgres@127.0.0.1:5432/test";

export interface EngineUnderTest {
  readonly engine: Store["engine"];
  /** A place where no store is yet. */
  place(): StorePlace;
}

const folders: string[] = [];
const schemas: string[] = [];

export const embedded: EngineUnderTest = {
  engine: "sqlite",
  place: () => ({ folder: newFolder() }),
};

const postgres: EngineUnderTest = {
  engine: "postgres",
  place: () => {
    const schema = `store_test_${randomBytes(8).toString("hex")}`;
    schemas.push(schema);
    return { databaseUrl: DATABASE_URL, schema, writersMax: 6, readersMax: 2, applicationName: schema };
  },
};

const postgresIsHere = await answers();
if (!postgresIsHere) {
  process.stderr.write(`no PostgreSQL answers at ${DATABASE_URL}: the store's tests ran on SQLite alone\n`);
}
export const engines: readonly EngineUnderTest[] = postgresIsHere ? [embedded, postgres] : [embedded];

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "quiesce-store-"));
  folders.push(folder);
  return folder;
}

/** A store that is closed when `work` is over. */
export async function withStore<T>(place: StorePlace, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(place);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** For what no store's user could do. */
export async function withPostgres<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: DATABASE_URL });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

afterAll(async () => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  const dropped = schemas.splice(0);
  if (dropped.length === 0) return;
  await withPostgres(async (client) => {
    for (const schema of dropped) await client.query(`drop schema if exists ${schema} cascade`);
  });
});

async function answers(): Promise<boolean> {
  try {
    await withPostgres((client) => client.query("select 1"));
    return true;
  } catch {
    return false;
  }
}
