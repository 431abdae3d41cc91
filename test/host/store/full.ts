/** Rows in every table of a store. */
import type { Store } from "../../../host/store/store.ts";
import { insertDevice, licenseRow, reportRow } from "./rows.ts";

const bytes = (...values: number[]) => new Uint8Array(values);

/** This many devices, each with licenses and reports that belong together. */
export async function fill(store: Store, devices: number): Promise<void> {
  await store.write(async (tx) => {
    await tx
      .insertInto("agreements")
      .values({ version: 1, digest: bytes(1), bytes: bytes(1, 2) })
      .execute();
    await tx.updateTable("state").set({ version: 5 }).execute();
    await tx
      .insertInto("meta")
      .values({ key: "nonces", value: bytes(9, 9) })
      .execute();
    for (let number = 1; number <= devices; number += 1) {
      const id = await insertDevice(tx, number, {
        owner: `owner "${number % 3}"\n`,
        profile: number % 2 ? "training" : null,
        license_sequence: 2n ** 60n,
        report_sequence: 2n,
        state: bytes(number % 256),
      });
      await tx
        .insertInto("endorsements")
        .values({ device_id: id, bytes: bytes(5) })
        .execute();
      const kid = new Uint8Array(8);
      new DataView(kid.buffer).setUint32(4, number);
      const key = { kid, device_id: id, public_key: bytes(1), measurement: bytes(), bytes: bytes(3), added_ms: 4 };
      await tx.insertInto("certificates").values(key).execute();
      const digest = new Uint8Array(32).fill(number % 256);
      digest[0] = number >> 8;
      const licenses = [licenseRow(id, 2n ** 60n - 1n), { ...licenseRow(id, 2n ** 60n), evidence_digest: digest }];
      await tx.insertInto("licenses").values(licenses).execute();
      const wanted = { opening_index: 3, totals_before: bytes(1) };
      const reports = [
        { ...reportRow(id, 1n), ...wanted },
        { ...reportRow(id, 2n), intervals: bytes(1, 0) },
      ];
      await tx.insertInto("reports").values(reports).execute();
    }
    const verdict = { evidence_digest: bytes(7), device_id: 1, judged_ms: 2, claims: bytes(1) };
    await tx.insertInto("verdicts").values(verdict).execute();
    await tx
      .insertInto("orders")
      .values({ epoch: 1, digest: bytes(1), bytes: bytes(2), active_ms: 3 })
      .execute();
    const draft = { epoch: 2, quorum: 2, approvals: '["A","Ö"]', bytes: bytes(1), created_ms: 5, active_ms: null };
    const groups = { group_approvals: '["A","B"]', group_shares: '["A"]' };
    await tx
      .insertInto("drafts")
      .values({ ...draft, ...groups })
      .execute();
    const slot = { owner: "o", site: "s", model: "m" };
    const usage = [1, 0].map((number) => ({ ...slot, slot: number, devices: number, sums: bytes(1) }));
    await tx.insertInto("usage").values(usage).execute();
    await tx
      .insertInto("cap_usage")
      .values({ scope: "fleet", bucket_seconds: 60, units: 2n ** 62n })
      .execute();
    const person = { name: "n", roles: '["admin"]', created_ms: 1, revoked_ms: null };
    await tx
      .insertInto("tokens")
      .values({ ...person, id: "a", hash: bytes(1), expires_ms: 2 })
      .execute();
    await tx
      .insertInto("clients")
      .values({ ...person, kid: bytes(1), public_key: bytes(2) })
      .execute();
    await tx
      .insertInto("seen_signatures")
      .values({ hash: bytes(1), expires_ms: 2 })
      .execute();
    const entry = { at_ms: 1, actor: "a", action: "b", subject: "", outcome: "ok", detail: null };
    await tx.insertInto("audit").values(entry).execute();
  });
}
