/**
 * Packs what verifiers have for a site: agreements, orders, the beacon, a nonce of each verifier for each board, and which
 * intervals they want to see. What waits on the stick already, answers and offline licenses, stays there.
 */
import type { Circle } from "../client/circle.ts";
import { ClientError } from "../client/errors.ts";
import { decodeAgreement } from "../objects/agreement.ts";
import { decodeLicense } from "../objects/license.ts";
import { parseSign } from "../protocol/cose.ts";
import type { OfflineLicenseCall } from "../service/service.ts";
import { hexOf, sameBytes } from "../verifier/bytes.ts";
import { noncesFile, type TravellingNonce } from "./documents.ts";
import { issueOffline } from "./offline-license.ts";
import { packWanted } from "./openings.ts";
import type { Rows } from "./row.ts";
import { BEACON, licenseFile, NONCES, numbered, type Stick } from "./stick.ts";

/** Boards of one site. */
const BOARDS_MAX = 16_384;
const PAGE_MAX = 1_000;
/** Whom rows name that are of no one verifier. */
export const ALL = "verifiers";

export async function packForSite(circle: Circle, stick: Stick, ueids: readonly string[], rows: Rows): Promise<void> {
  const { files } = stick;
  const learnt = await circle.learn();
  for (const { name, error } of learnt) rows.fail(name, "verifier", error);
  await rows.attempt(ALL, "agreements", async () => {
    const agreements = await circle.agreementsAfter(0);
    for (const bytes of agreements) {
      files.set(`agreements/${decodeAgreement(parseSign(bytes).payload).version}.cbor`, bytes);
    }
    rows.add(ALL, "agreements", "done", `${agreements.length}`);
  });
  await rows.attempt(ALL, "orders", async () => {
    const orders = await circle.ordersAfter(0);
    for (const { epoch, bytes } of orders) files.set(`orders/${epoch}.cbor`, bytes);
    rows.add(ALL, "orders", "done", `${orders.length}`);
  });
  await rows.carry(ALL, "beacon", async () => files.set(BEACON, await circle.beacon()));
  const given = new Map<string, readonly TravellingNonce[]>();
  for (const ueid of ueids) {
    const nonces = await noncesFor(circle, ueid, rows);
    if (nonces.length > 0) given.set(ueid, nonces);
  }
  await packWanted(circle, stick, given, rows);
  files.delete(NONCES);
  if (given.size === 0) return;
  files.set(NONCES, noncesFile(given));
  const expiresMs = Math.min(...[...given.values()].flat().map((nonce) => nonce.expiresMs));
  rows.add(ALL, "nonces", "done", `for ${given.size} boards, until ${new Date(expiresMs).toISOString()}`);
}

async function noncesFor({ members }: Circle, ueid: string, rows: Rows): Promise<TravellingNonce[]> {
  const asked = await Promise.all(
    members.map(({ name, client }) =>
      rows.attempt(name, `nonce for ${ueid}`, async () => {
        const { nonce, expiresMs } = await client.nonce(new Uint8Array(Buffer.from(ueid, "hex")));
        return { verifier: name, nonce, expiresMs };
      }),
    ),
  );
  return asked.filter((nonce) => nonce !== undefined);
}

/** The boards that the verifiers have registered for a site, retired ones left out; a verifier that cannot say is a row. */
export async function boardsOfSite({ members }: Circle, site: string, rows: Rows): Promise<string[]> {
  for (const { name, client } of members) {
    const found = await rows.attempt(name, `boards of ${site}`, async () => {
      const ueids: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await client.devices({ site, limit: PAGE_MAX, ...(cursor !== undefined && { cursor }) });
        for (const { ueid, status } of page.items) if (status !== "retired") ueids.push(hexOf(ueid));
        if (ueids.length > BOARDS_MAX) throw new ClientError("client/too-large", `over ${BOARDS_MAX} boards`);
        cursor = page.cursor;
      } while (cursor !== undefined);
      return ueids;
    });
    if (found) return found;
  }
  return [];
}

/** Puts an offline license on the stick, unless one with these terms for these boards waits there. */
export async function packOfflineLicense(
  circle: Circle,
  stick: Stick,
  call: OfflineLicenseCall,
  rows: Rows,
): Promise<void> {
  const what = `offline license for ${call.ueids.map(hexOf).join(",")}`;
  const waiting = numbered(stick, "licenses").find(([, bytes]) => isSuch(bytes, call));
  if (waiting) return rows.add(ALL, what, "known", `license ${waiting[0]} waits on the stick`);
  await rows.attempt(ALL, what, async () => {
    const bytes = await issueOffline(circle, call);
    const { sequence } = decodeLicense(parseSign(bytes).payload);
    stick.files.set(licenseFile(sequence, bytes), bytes);
    rows.add(ALL, what, "done", `license ${sequence}`);
  });
}

function isSuch(bytes: Uint8Array, { ueids, terms }: OfflineLicenseCall): boolean {
  const license = decodeLicense(parseSign(bytes).payload);
  const meant = license.cohort ?? [license.ueid!];
  return (
    meant.length === ueids.length &&
    meant.every((ueid, index) => sameBytes(ueid, ueids[index]!)) &&
    license.ticksMax === terms.ticksMax &&
    license.expirySeconds - license.notBeforeSeconds === terms.windowSeconds &&
    license.budget.size === terms.budget.size &&
    [...terms.budget].every(([engineClass, work]) => license.budget.get(engineClass) === work)
  );
}
