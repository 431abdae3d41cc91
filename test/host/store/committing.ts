/**
 * A process that commits in several lanes until it is killed, and says of each transaction that it is durable.
 * Arguments: the place as JSON, and a name that no other process on the place has.
 */
import { sql } from "kysely";
import { openStore, type StorePlace } from "../../../host/store/store.ts";
import { deviceRow, licenseRow } from "./rows.ts";

const LANES = 6;

const [place, name] = [JSON.parse(process.argv[2]!) as StorePlace, process.argv[3]!];
const store = await openStore(place);
process.stdout.write("open\n");
await Promise.all(Array.from({ length: LANES }, (_, lane) => commitForever(lane)));

async function commitForever(lane: number): Promise<never> {
  for (let round = 0; ; round += 1) {
    const subject = `${name}/${lane}/${round}`;
    // Five rows in four tables: all of them, or none.
    await store.write(async (tx) => {
      const entry = { at_ms: 1, actor: "child", action: "commit", subject, outcome: "ok", detail: null };
      const { id } = await tx.insertInto("audit").values(entry).returning("id").executeTakeFirstOrThrow();
      const newest = deviceRow(id, { license_sequence: 2n, owner: subject });
      const device = await tx.insertInto("devices").values(newest).returning("id").executeTakeFirstOrThrow();
      const licenses = [licenseRow(device.id, 1n), licenseRow(device.id, 2n)];
      await tx.insertInto("licenses").values(licenses).execute();
      await tx.updateTable("state").set({ version: sql`version + 1` }).where("id", "=", 1).execute();
    });
    // To a pipe this is written before it returns (Node.js, "A note on process I/O").
    process.stdout.write(`${subject}\n`);
  }
}
