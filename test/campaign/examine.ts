/** A store after a blow: `fsck` finds nothing in it, and all that clients were told of is there, once, as it was told. */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verificationKey } from "../../host/protocol/cose.ts";
import { contentChecks } from "../../host/service/checks/content.ts";
import { fsck } from "../../host/store/fsck.ts";
import { openStore, type Store, type StorePlace } from "../../host/store/store.ts";
import { STRUCTURAL_CHECKS } from "../../host/store/structure.ts";
import { hexOf, sameBytes } from "../../host/verifier/bytes.ts";
import { MANUFACTURER } from "../host/fake-governor.ts";
import type { Ledger } from "./ledger.ts";

const CHECKS = [...STRUCTURAL_CHECKS, ...contentChecks([verificationKey(MANUFACTURER.publicKey)])];

/** `whole`: nobody waits for an answer, so nothing is there of which nobody was told. */
export async function examine(place: StorePlace, ledger: Ledger, whole: boolean): Promise<string[]> {
  if (!("folder" in place)) return examineIn(place, ledger, whole);
  // A copy: what the process that died has left, its log too, is for the next one to put in order.
  const copy = mkdtempSync(join(tmpdir(), "quiesce-campaign-copy-"));
  try {
    cpSync(place.folder, copy, { recursive: true });
    return await examineIn({ folder: copy }, ledger, whole);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function examineIn(place: StorePlace, ledger: Ledger, whole: boolean): Promise<string[]> {
  // What is told of from here on may be younger than the state that is looked at.
  const [licenses, reports] = [new Map(ledger.licenses), new Map(ledger.reports)];
  const store = await openStore(place);
  try {
    const found: string[] = [];
    for await (const { check, table, key, message } of fsck(store, CHECKS)) {
      found.push(`fsck: ${check}: ${table} ${key}: ${message}`);
    }
    const rows = await licenseRows(store);
    for (const [digest, { ueid, sequence, bytes }] of licenses) {
      const row = rows.get(digest);
      if (!row) found.push(`the license ${sequence} of ${ueid} is not there`);
      else if (!sameBytes(row.bytes, bytes)) found.push(`the license ${sequence} of ${ueid} is another one`);
    }
    const kept = await reportRows(store);
    for (const [name, bytes] of reports) {
      const row = kept.get(name);
      if (!row) found.push(`the report ${name} is not there`);
      else if (!sameBytes(row, bytes)) found.push(`the report ${name} is another one`);
    }
    if (whole && rows.size !== licenses.size) found.push(`${rows.size} licenses, where ${licenses.size} were given`);
    if (whole && kept.size !== reports.size) found.push(`${kept.size} reports, where ${reports.size} were taken`);
    return found;
  } finally {
    await store.close();
  }
}

/** By the evidence's digest in hex. */
async function licenseRows({ db }: Store) {
  const rows = await db.selectFrom("licenses").select(["evidence_digest", "bytes"]).execute();
  return new Map(rows.map((row) => [hexOf(row.evidence_digest!), row]));
}

/** By `ueid/sequence`. */
async function reportRows({ db }: Store) {
  const rows = await db
    .selectFrom("reports")
    .innerJoin("devices", "devices.id", "reports.device_id")
    .select(["devices.ueid", "reports.sequence", "reports.bytes"])
    .execute();
  return new Map(rows.map(({ ueid, sequence, bytes }) => [`${hexOf(ueid)}/${sequence}`, bytes]));
}
