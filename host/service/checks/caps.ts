/** What caps are counted by: scopes that `scopeKey` of host/policy/verdict.ts could have written. */
import type { Check } from "../../store/fsck.ts";
import { readOf } from "./read.ts";
import { found, rowsOf } from "./rows.ts";

export const caps: Check = {
  name: "caps",
  async *run({ db }) {
    for await (const row of rowsOf(db, "cap_usage")) {
      const scope = readOf(() => JSON.parse(row.scope) as unknown);
      if (!("value" in scope) || !isScope(scope.value)) yield found("cap_usage", row, "there is no such scope");
    }
  },
};

const PER: readonly unknown[] = ["party", "site", "model", "fleet"];

function isScope(scope: unknown): boolean {
  if (!Array.isArray(scope) || scope.length !== 3) return false;
  const [per, name, period] = scope as unknown[];
  const isPeriod = period === "ever" || (Number.isSafeInteger(period) && (period as number) > 0);
  return PER.includes(per) && typeof name === "string" && isPeriod;
}
