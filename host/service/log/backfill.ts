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
import { Refusal } from "../../protocol/refusal.ts";
import type { TableName } from "../../store/columns.ts";
import { keyText, rowPages } from "../../store/pages.ts";
import type { Store, Tables } from "../../store/store.ts";
import { AnswerKind } from "../device-state.ts";
import type { SharedState } from "../shared.ts";
import type { LogAppender } from "./appender.ts";
import type { Loggable } from "./terms.ts";

/** In `meta`: that all from before is logged. */
export const LOG_BEGUN = "log-begun";

/** A whole message, and the row that it stands in. */
export interface StoredMessage extends Loggable {
  readonly table: TableName;
  /** As people read it. */
  readonly key: string;
}

type AgreementOf = SharedState["agreementOf"];

/** Throws `StoreError`. */
export async function backfill(store: Store, shared: SharedState, appender: LogAppender): Promise<void> {
  const done = await store.db.selectFrom("meta").select("key").where("key", "=", LOG_BEGUN).executeTakeFirst();
  if (done) return;
  for await (const messages of wholeMessages(store.db, shared.agreementOf)) {
    await store.write((tx) => appender.append(tx, messages, shared.logTerms));
  }
  await store.write(async (tx) => {
    const mark = { key: LOG_BEGUN, value: new Uint8Array(0) };
    await tx
      .insertInto("meta")
      .values(mark)
      .onConflict((on) => on.column("key").doNothing())
      .execute();
  });
}

/** All that is signed by its whole quorum, some at a time; what cannot be read is passed over. */
export async function* wholeMessages(db: Kysely<Tables>, agreementOf: AgreementOf): AsyncGenerator<StoredMessage[]> {
  for (const [table, type] of [
    ["agreements", ObjectType.AGREEMENT],
    ["orders", ObjectType.ORDER],
  ] as const) {
    for await (const page of rowPages(db, table, ["bytes"])) {
      yield page.map((row) => ({ table, key: keyText(table, row), type, bytes: row.bytes as Uint8Array }));
    }
  }
  const table = "licenses";
  for await (const page of rowPages(db, table, ["kind", "bytes"])) {
    yield page.flatMap((row) => {
      const bytes = row.bytes as Uint8Array;
      const type = wholeAnswer(row.kind as number, bytes, agreementOf);
      return type === undefined ? [] : [{ table, key: keyText(table, row), type, bytes }];
    });
  }
}

/** What it is; undefined for a draft. */
function wholeAnswer(kind: number, bytes: Uint8Array, agreementOf: AgreementOf) {
  try {
    const { payload, signatures } = parseSign(bytes);
    if (kind === AnswerKind.LICENSE || kind === AnswerKind.COMPLETED) {
      const agreement = agreementOf(decodeLicense(payload).agreementDigest);
      return agreement && signatures.length >= agreement.quorums.license ? ObjectType.LICENSE : undefined;
    }
    const recovery = decodeRecovery(payload);
    const agreement = agreementOf(recovery.agreementDigest);
    return agreement && signatures.length >= recoveryQuorum(agreement, recovery) ? ObjectType.RECOVERY : undefined;
  } catch (error) {
    // No license and no recovery: fsck says so.
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
