/**
 * Logs what was signed before there was a log: agreements, then orders, then licenses and recoveries in the order in which
 * they were written down. Some at a time, each batch as any other: what is there already stays, so that a verifier that is
 * killed meanwhile goes on where it was.
 */
import type { Kysely } from "kysely";
import { ObjectType } from "../../../firmware/protocol/claims.ts";
import { decodeLicense } from "../../objects/license.ts";
import { decodeRecovery, recoveryQuorum } from "../../objects/recovery.ts";
import { parseSign } from "../../protocol/cose.ts";
import { rowPages } from "../../store/pages.ts";
import type { Store, Tables } from "../../store/store.ts";
import { AnswerKind } from "../device-state.ts";
import type { SharedState } from "../shared.ts";
import type { LogAppender } from "./appender.ts";
import type { Loggable } from "./terms.ts";

/** In `meta`: that all from before is logged. */
const DONE = "log-begun";

/** Throws `StoreError`. */
export async function backfill(store: Store, shared: SharedState, appender: LogAppender): Promise<void> {
  const done = await store.db.selectFrom("meta").select("key").where("key", "=", DONE).executeTakeFirst();
  if (done) return;
  for await (const messages of wholeMessages(store.db, shared)) {
    await store.write((tx) => appender.append(tx, messages, shared.logTerms));
  }
  await store.write(async (tx) => {
    const mark = { key: DONE, value: new Uint8Array(0) };
    await tx
      .insertInto("meta")
      .values(mark)
      .onConflict((on) => on.column("key").doNothing())
      .execute();
  });
}

/** All that is signed by its whole quorum, some at a time. */
export async function* wholeMessages(db: Kysely<Tables>, shared: SharedState): AsyncGenerator<Loggable[]> {
  for await (const page of rowPages(db, "agreements")) {
    yield page.map(({ bytes }) => ({ type: ObjectType.AGREEMENT, bytes: bytes as Uint8Array }));
  }
  for await (const page of rowPages(db, "orders")) {
    yield page.map(({ bytes }) => ({ type: ObjectType.ORDER, bytes: bytes as Uint8Array }));
  }
  for await (const page of rowPages(db, "licenses", ["kind", "bytes"])) {
    const rows = page as unknown as { kind: number; bytes: Uint8Array }[];
    yield rows.flatMap(({ kind, bytes }) => wholeAnswer(kind, bytes, shared));
  }
}

function wholeAnswer(kind: number, bytes: Uint8Array, { agreementOf }: SharedState): Loggable[] {
  const { payload, signatures } = parseSign(bytes);
  if (kind === AnswerKind.LICENSE || kind === AnswerKind.COMPLETED) {
    const agreement = agreementOf(decodeLicense(payload).agreementDigest);
    const isWhole = agreement && signatures.length >= agreement.quorums.license;
    return isWhole ? [{ type: ObjectType.LICENSE, bytes }] : [];
  }
  const recovery = decodeRecovery(payload);
  const agreement = agreementOf(recovery.agreementDigest);
  const isWhole = agreement && signatures.length >= recoveryQuorum(agreement, recovery);
  return isWhole ? [{ type: ObjectType.RECOVERY, bytes }] : [];
}
