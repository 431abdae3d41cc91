/** A monitor of a real verifier's log, over HTTP, with witnesses that listen: what was licensed is seen, and nothing else. */
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { ObjectType } from "../../../firmware/protocol/claims.ts";
import { audit } from "../../../host/log/audit.ts";
import { fsck } from "../../../host/log/fsck.ts";
import { keysOfTerms } from "../../../host/log/log-keys.ts";
import { leafHash } from "../../../host/log/merkle.ts";
import { Mirror } from "../../../host/log/mirror.ts";
import { Monitor } from "../../../host/log/monitor.ts";
import { proveNonIssuance, verifyNonIssuance } from "../../../host/log/non-issuance.ts";
import { HttpSource } from "../../../host/log/source.ts";
import { inclusionProof } from "../../../host/log/tiles.ts";
import { verifyTlogProof } from "../../../host/log/tlog-proof.ts";
import { eventually } from "../eventually.ts";
import { makeRig } from "../http/rig.ts";
import { loggedOn } from "../service/logged-world.ts";
import { embedded } from "../store/engines.ts";
import { logCodeOf } from "./tree.ts";

const HOUR_MS = 3_600_000;
const logged = loggedOn(embedded.place);
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function monitored(commitments: boolean) {
  const { world } = await logged({ terms: { commitments } });
  const { app } = await makeRig({ behind: world.service });
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const source = new HttpSource({ url: `http://127.0.0.1:${port}/log` });
  const folder = mkdtempSync(join(tmpdir(), "quiesce-verifier-log-"));
  closing.push(
    () => rmSync(folder, { recursive: true }),
    () => app.close(),
    () => source.close(),
  );
  const keys = keysOfTerms(world.agreement.log!);
  const monitor = await Monitor.open({ source, folder, keys });
  /** Until the newest head has its cosignatures, and then an hour more. */
  const hour = async () => {
    await eventually(async () => expect((await monitor.follow()).checkpoint.cosignatures).toHaveLength(3));
    world.nowMs += HOUR_MS;
  };
  return { world, monitor, keys, folder, hour };
}

describe.each([false, true])("a verifier's log, with commitments: %s", (commitments) => {
  it("is followed, audited, proved by, and says for whom nothing was issued", async () => {
    const { world, keys, folder, hour } = await monitored(commitments);
    const begun = Math.floor(world.nowMs / 1000);
    const [one, other] = [await world.enrolled("one"), await world.enrolled("other")];
    await hour();
    const license = await world.license(one);
    await hour();
    await world.license(other);
    await hour();
    const mirror = await Mirror.open(folder, keys);
    expect(mirror.size).toBe(6);

    const { rows } = await audit(mirror.leaves(), { ueid: one.ueid }, [world.agreement]);
    const found = rows.map(({ index, type, named }) => [index, type, named]);
    expect(found).toEqual([
      [0, ObjectType.AGREEMENT, false],
      [2, ObjectType.LICENSE, true],
    ]);
    expect(rows.map(({ holds }) => holds)).toEqual(commitments ? [undefined, undefined] : [true, true]);

    const entries: Uint8Array[] = [];
    for await (const { bytes } of mirror.leaves()) entries.push(bytes);
    expect(Buffer.from(entries[2]!).includes(Buffer.from(license))).toBe(!commitments);
    const proof = { index: 2, path: await inclusionProof(mirror, 2, 6), checkpoint: mirror.head!.note };
    expect(verifyTlogProof(proof, leafHash(entries[2]!), keys).size).toBe(6);

    const range = (from: number, to: number) => ({ fromSeconds: begun + from * 3600, toSeconds: begun + to * 3600 });
    const prove = (ueid: Uint8Array, from: number, to: number) => proveNonIssuance(mirror, keys, ueid, range(from, to));
    expect(verifyNonIssuance(await prove(one.ueid, 1, 2), keys)).toMatchObject({ count: 1 });
    expect(verifyNonIssuance(await prove(other.ueid, 0, 1), keys)).toMatchObject({ count: 0 });
    expect(await logCodeOf(() => prove(one.ueid, 0, 1))).toBe("log/issued");
    expect(await logCodeOf(() => prove(other.ueid, 0, 2))).toBe("log/issued");
    expect(await logCodeOf(() => prove(other.ueid, 0, 3))).toBe("log/range");
    const checked = await fsck({ folder, keys });
    expect(checked).toMatchObject({ entries: 6, indexEntries: 3, subjects: 2 });
    expect(checked.broken).toBeUndefined();
  });
});
