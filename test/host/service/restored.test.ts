/** A verifier that was put back from a backup has forgotten what it did since, and does not do it otherwise. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { decodeLicense } from "../../../host/objects/license.ts";
import { parseSign } from "../../../host/protocol/cose.ts";
import { backupFolder, restoreFolder } from "../../../host/store/sqlite/backup.ts";
import { BF16 } from "../fake-governor.ts";
import { newFolder } from "../store/engines.ts";
import { codeOf, ServiceWorld } from "./world.ts";

const sequenceOf = (bytes: Uint8Array) => decodeLicense(parseSign(bytes).payload).sequence;

it("gives no sequence twice, answers no nonce of before, and learns from its agents what it forgot", async () => {
  const [folder, restored] = [newFolder(), join(newFolder(), "restored")];
  const before = await ServiceWorld.open({ folder });
  const device = before.device();
  await before.service.enrol(device.endorsement(), device.certificate());
  device.install(await before.license(device));
  const file = join(newFolder(), "backup");
  await backupFolder(folder, file, before.nowMs);
  const forgotten = await before.license(device);
  device.work(BF16, 100n);
  const report = device.report();
  await before.service.reports([report]);
  const old = await before.evidence(device);
  await before.close();

  await restoreFolder(file, restored, before.nowMs + 1);
  const world = await ServiceWorld.open({ folder: restored });
  before.nowMs += 2000;
  world.nowMs = before.nowMs;
  expect(await codeOf(world.service.license({ evidence: old }))).toBe("evidence/nonce-unknown");
  expect(await world.service.reports([report])).toMatchObject([{ status: "taken" }]);
  const first = await world.license(device);
  expect(sequenceOf(first)).toBeGreaterThan(sequenceOf(forgotten));
  expect(sequenceOf(await world.license(device))).toBe(sequenceOf(first) + 1n);

  device.install(forgotten);
  device.work(BF16, 200n);
  expect(await world.service.reports([device.report()])).toMatchObject([{ status: "taken" }]);
  expect(await codeOf(world.license(device))).toBe("evidence/license-unknown");
  await world.service.importLicense(forgotten);
  await world.license(device);
  const { licensed, reported } = (await world.service.books(device.ueid))[BF16]!;
  expect([licensed, reported]).toEqual([300n, 300n]);
  await world.close();
});
