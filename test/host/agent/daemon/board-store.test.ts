/** What the agent keeps of a board survives the end of the process, and what is not whole is as if it were not there. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BoardStore } from "../../../../host/agent/daemon/board-store.ts";
import { Circle } from "../../../../host/client/circle.ts";
import { VerifierClient } from "../../../../host/client/client.ts";
import type { ReportAnswer } from "../../../../host/mailbox.ts";
import { decodeUsageReport, reportDigest } from "../../../../host/objects/usage-report.ts";
import { parseSign1 } from "../../../../host/protocol/cose.ts";
import { Rig } from "../../../rig.ts";

let folder: string;
let circle: Circle;
const rig = Rig.open();
const LICENSE = {
  sequence: 7n,
  budget: new Map([[2, 10n ** 20n]]),
  seconds: 3600,
  epoch: 3,
  bootCount: 2,
  uptimeSeconds: 5,
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "quiesce-store-"));
  const client = (port: number) => new VerifierClient({ url: `http://127.0.0.1:${port}` });
  circle = new Circle([
    { name: "north", client: client(1) },
    { name: "south", client: client(2) },
  ]);
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  await circle.close();
  rmSync(folder, { recursive: true });
});

/** What they still write would else come into a folder that is gone. */
const stores: BoardStore[] = [];

async function open(options = {}): Promise<BoardStore> {
  const store = await BoardStore.open(join(folder, "board"), circle, { waitingMax: 3, keep: 4, ...options });
  stores.push(store);
  return store;
}
const files = (kind: string) => readdirSync(join(folder, "board", kind)).map((name) => Number.parseInt(name, 10));
const sequenceOf = ({ report }: ReportAnswer) => decodeUsageReport(parseSign1(report).payload).sequence;

/** The next report of a board, which is never the same. */
function report(): ReportAnswer {
  rig.board.advance(60);
  const { bytes, intervalBytes } = rig.report();
  return { report: bytes, intervals: intervalBytes };
}

async function putSome(store: BoardStore, count: number): Promise<ReportAnswer[]> {
  const reports = Array.from({ length: count }, report);
  for (const one of reports) await store.putReport(one);
  return reports;
}

describe("the agent's store of a board", () => {
  it("has everything again after the process ended, whether or not it was closed", async () => {
    const store = await open();
    const reports = await putSome(store, 2);
    await store.putLicense(LICENSE);
    await store.setDelivered("north", sequenceOf(reports[0]!));
    store.setEnrolled("south", "ab");
    await store.keepLicense(7n, Uint8Array.of(1, 2, 3));
    for (const recovery of [4, 5]) await store.keepRecovery(Uint8Array.of(recovery));
    await store.close();
    const again = await open();
    expect(await again.waiting()).toEqual(reports);
    expect(again.newestReport).toEqual(reportDigest(reports[1]!.report));
    expect(again.license).toEqual(LICENSE);
    expect(again.deliveredTo("north")).toBe(sequenceOf(reports[0]!));
    expect(again.enrolledBy("south")).toBe("ab");
    expect(await again.licenses(0n, 7n)).toEqual([{ sequence: 7n, bytes: Uint8Array.of(1, 2, 3) }]);
    expect(await again.recoveries()).toEqual(
      [4, 5].map((n, i) => ({ number: BigInt(i + 1), bytes: Uint8Array.of(n) })),
    );
  });

  it("has no room when as many wait as may, and room again when enough verifiers have them", async () => {
    const store = await open();
    const reports = await putSome(store, 3);
    expect(store.hasRoom).toBe(false);
    await store.setDelivered("north", sequenceOf(reports[2]!));
    expect(store.hasRoom).toBe(false);
    await store.setDelivered("south", sequenceOf(reports[0]!));
    expect([store.hasRoom, store.waitingCount]).toEqual([true, 2]);
  });

  it("gives each verifier what it lacks, the oldest first, and no more at once than asked for", async () => {
    const store = await open();
    const reports = await putSome(store, 3);
    const first = sequenceOf(reports[0]!);
    expect((await store.after(0n, 2)).map(({ sequence }) => sequence)).toEqual([first, first + 1n]);
    expect((await store.after(first, 9)).map((one) => one.report)).toEqual(reports.slice(1).map((one) => one.report));
    expect(await store.report(first)).toEqual(reports[0]);
    expect(await store.report(first + 9n)).toBeUndefined();
  });

  it("keeps the newest reports when they are delivered, and never drops one that waits", async () => {
    const store = await open({ waitingMax: 100, keep: 2 });
    await putSome(store, 5);
    expect(files("reports")).toHaveLength(5);
    for (const name of ["north", "south"]) await store.setDelivered(name, store.newest);
    await putSome(store, 1);
    expect(files("reports")).toHaveLength(2);
    expect(await store.waiting()).toHaveLength(1);
  });

  it("forgets a branch that a recovery has cut off, and delivers the new one from its beginning", async () => {
    const store = await open();
    const reports = await putSome(store, 2);
    await store.setDelivered("north", sequenceOf(reports[1]!));
    await store.setDelivered("south", sequenceOf(reports[1]!));
    // The same sequence again, as a board would give it after a recovery that set its chain back.
    await store.putReport(reports[0]!);
    expect(store.newest).toBe(sequenceOf(reports[0]!));
    expect(await store.waiting()).toEqual([reports[0]]);
    await store.dropReports();
    expect(await store.waiting()).toEqual([]);
    expect(store.newestReport).toBeUndefined();
    expect(files("reports")).toEqual([]);
  });

  it("does not see what was being written when the process ended", async () => {
    const store = await open();
    const [first] = await putSome(store, 1);
    await store.close();
    writeFileSync(join(folder, "board/reports/00000000000000000099.report.new"), "half");
    writeFileSync(join(folder, "board/board.json.new"), "half");
    writeFileSync(join(folder, "board/reports/notes.txt"), "not ours");
    expect(await (await open()).waiting()).toEqual([first]);
  });

  it("finds out again what a broken record said, and names a report that is damaged", async () => {
    const store = await open();
    const [first] = await putSome(store, 1);
    await store.close();
    for (const text of ["", "{", "[]", '{"version":2}', '{"version":1,"delivered":{"north":"x"},"enrolled":{}}']) {
      writeFileSync(join(folder, "board/board.json"), text);
      const again = await open();
      expect(again.deliveredTo("north")).toBe(0n);
      expect(again.license).toBeUndefined();
    }
    const [name] = readdirSync(join(folder, "board/reports"));
    writeFileSync(join(folder, "board/reports", name!), first!.report.slice(9));
    await expect(open()).rejects.toMatchObject({ code: "agent/state" });
  });

  it("says so where the folder cannot be used", async () => {
    writeFileSync(join(folder, "board"), "a file");
    await expect(open()).rejects.toMatchObject({ code: "agent/state" });
  });
});
