/**
 * Looks through one state of a store for what should not be. A check is a name and a generator of findings, so that any
 * number of rows, and of findings, takes bounded memory. structure.ts has the checks that SQL alone can make; what the
 * bytes in the rows say is for those who can read them.
 */
import { StoreError } from "./errors.ts";
import { inSnapshot, type Snapshot } from "./snapshot.ts";
import type { Store } from "./store.ts";

export interface Finding {
  /** Name of the check. */
  readonly check: string;
  /** Empty where it is about no table. */
  readonly table: string;
  /** Of the row, as far as there is one. */
  readonly key: string;
  readonly message: string;
}

export interface Check {
  readonly name: string;
  readonly run: (snapshot: Snapshot) => AsyncIterable<Omit<Finding, "check">>;
}

/**
 * In the order of the checks. What cannot be read is a finding too, and ends its check. Throws `StoreError` where nobody
 * can say how the store is, since the database does not answer.
 */
export function fsck(store: Store, checks: readonly Check[]): AsyncGenerator<Finding> {
  return inSnapshot(store, async function* (snapshot) {
    for (const { name, run } of checks) {
      try {
        for await (const finding of run(snapshot)) yield { check: name, ...finding };
      } catch (error) {
        if (!(error instanceof StoreError) || error.class === "wait") throw error;
        yield { check: name, table: "", key: "", message: `it cannot go on: ${error.message}` };
      }
    }
  });
}
