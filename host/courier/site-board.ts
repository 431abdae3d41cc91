/** A board of a site: a way to its mailbox, what it is called, and what the site keeps of it. */
import type { BoardDriver, BoardPort } from "../agent/driver.ts";
import { Mailbox } from "../mailbox.ts";
import type { Info } from "../objects/evidence.ts";
import { hexOf } from "../verifier/bytes.ts";
import { KeptBoard } from "./kept.ts";
import type { Rows } from "./row.ts";

export interface SiteBoard {
  readonly name: string;
  readonly port: BoardPort;
  readonly mailbox: Mailbox<"async">;
  readonly kept: KeptBoard;
  readonly ueid: string;
  readonly info: Info;
}

/** Visits the boards one after the other; what stands in the way to one of them is a row. Rejects with a `DriverError`. */
export async function visitBoards(
  driver: BoardDriver,
  keepFolder: string,
  rows: Rows,
  visit: (board: SiteBoard) => Promise<void>,
): Promise<void> {
  for (const name of await driver.list()) {
    const port = driver.open(name);
    try {
      const mailbox = new Mailbox<"async">(port.exchange);
      await rows.attempt(name, "board", async () => {
        const info = await mailbox.info();
        const ueid = hexOf(info.ueid);
        await visit({ name, port, mailbox, kept: new KeptBoard(keepFolder, ueid), ueid, info });
      });
    } finally {
      port.close();
    }
  }
}
