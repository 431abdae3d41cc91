/** Agreements: the first by all its parties, each later one by the amend quorum of the one before. */
import type { Kysely } from "kysely";
import { type Agreement, decodeAgreement, verifyAgreement } from "../../objects/agreement.ts";
import { parseSign } from "../../protocol/cose.ts";
import { sha256 } from "../../protocol/sha256.ts";
import type { Check } from "../../store/fsck.ts";
import type { Tables } from "../../store/store.ts";
import { hexOf, sameBytes } from "../../verifier/bytes.ts";
import { readOf } from "./read.ts";
import { found, rowsOf } from "./rows.ts";

export const agreements: Check = {
  name: "agreements",
  async *run({ db }) {
    let before: Agreement | undefined;
    for await (const row of rowsOf(db, "agreements")) {
      const verified = readOf(() => verifyAgreement(row.bytes, before));
      if ("fault" in verified) yield found("agreements", row, verified.fault);
      const read = readOf(() => {
        const { payload } = parseSign(row.bytes);
        return { agreement: decodeAgreement(payload), digest: sha256(payload) };
      });
      if ("fault" in read) continue;
      const { agreement, digest } = read.value;
      if (!sameBytes(digest, row.digest)) yield found("agreements", row, "its digest is another");
      if (agreement.version !== row.version) yield found("agreements", row, `it is of version ${agreement.version}`);
      before = agreement;
    }
    if (before === undefined && (await db.selectFrom("devices").select("id").limit(1).execute()).length > 0) {
      yield found("agreements", { version: 1 }, "there is none, and there are devices");
    }
  },
};

/** Those that can be read, by their digest in hex, oldest first. As many as the service keeps in memory. */
export async function readAgreements(db: Kysely<Tables>): Promise<ReadonlyMap<string, Agreement>> {
  const known = new Map<string, Agreement>();
  for await (const { bytes } of rowsOf(db, "agreements")) {
    const read = readOf(() => {
      const { payload } = parseSign(bytes);
      return [hexOf(sha256(payload)), decodeAgreement(payload)] as const;
    });
    if ("value" in read) known.set(...read.value);
  }
  return known;
}
