/**
 * The audit trail: who decided what, when. Licenses, recoveries and reports are their own trail (their rows hold what was
 * signed, on which evidence, and what was concluded of it); here is everything else, and every refusal by policy.
 */
import type { Store } from "../store/store.ts";
import { VerifierError } from "../verifier/errors.ts";
import { cursorId } from "./registry.ts";
import type { AuditEntry, Page } from "./service.ts";

const PAGE_DEFAULT = 100;
const PAGE_MAX = 1000;
const TEXT_CHARACTERS_MAX = 400;

/** The newest first. Throws `audit/query`. */
export async function readAudit(store: Store, query: { cursor?: string; limit?: number }): Promise<Page<AuditEntry>> {
  const { cursor, limit = PAGE_DEFAULT } = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_MAX) {
    throw new VerifierError("audit/query", `limit ${limit} is not 1 to ${PAGE_MAX}`);
  }
  const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : cursorId(cursor, "audit/query");
  const rows = await store.db
    .selectFrom("audit")
    .selectAll()
    .where("id", "<", before)
    .orderBy("id", "desc")
    .limit(limit + 1)
    .execute();
  const items = rows
    .slice(0, limit)
    .map(({ at_ms, detail, ...row }) => ({ ...row, atMs: at_ms, detail: detail ?? undefined }));
  return { items, cursor: rows.length > limit ? String(items.at(-1)!.id) : undefined };
}

export async function writeAudit(store: Store, entry: Omit<AuditEntry, "id">): Promise<void> {
  const { atMs, actor, action, subject, outcome, detail } = entry;
  const values = {
    at_ms: atMs,
    actor: text(actor),
    action: text(action),
    subject: text(subject),
    outcome: text(outcome),
    detail: detail === undefined ? null : text(detail),
  };
  await store.write((tx) => tx.insertInto("audit").values(values).execute());
}

/** What a stranger wrote must fit, and must be text to either engine. */
function text(value: string): string {
  return value.slice(0, TEXT_CHARACTERS_MAX).toWellFormed().replaceAll("\0", "�");
}
