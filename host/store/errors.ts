/**
 * Every refusal of the store, in one table; docs/store.md lists them. The class says who must act: `wait`, nobody, the
 * same request may succeed later; `operator`, whoever runs the verifier; `program`, whoever wrote the request to the store.
 */
export type StoreErrorClass = "wait" | "operator" | "program";

// biome-ignore format: a table, one row a code
export const STORE_ERRORS = {
  "store/busy": ["wait", "too many requests wait for the store"],
  "store/unavailable": ["wait", "the database does not answer"],
  "store/commit-unknown": ["wait", "the connection was lost while committing: the transaction may be durable or not"],

  "store/folder": ["operator", "this is no folder that the store can use"],
  "store/missing": ["operator", "no store is there"],
  "store/url": ["operator", "this is no URL of a PostgreSQL database"],
  "store/locked": ["operator", "another process has the folder open"],
  "store/full": ["operator", "there is no room left: nothing of the transaction was kept"],
  "store/broken": ["operator", "writing failed, and nothing more is promised: find the cause and start again"],
  "store/corrupt": ["operator", "the database is damaged: run fsck, restore a backup"],
  "store/foreign": ["operator", "the database is not one that this program made"],
  "store/newer": ["operator", "a newer version of this program changed the tables: use that one"],
  "store/not-empty": ["operator", "something is there already, and nothing is overwritten"],
  "store/copy": ["operator", "the backup or export is damaged, or is none"],
  "store/access": ["operator", "the database refuses this user"],

  "store/closed": ["program", "the store is closed"],
  "store/constraint": ["program", "a row contradicts another one"],
  "store/value": ["program", "SQL cannot hold this value exactly"],
  "store/statement": ["program", "the database refuses the statement"],
} as const satisfies Record<string, readonly [StoreErrorClass, string]>;

export type StoreErrorCode = keyof typeof STORE_ERRORS;

export class StoreError extends Error {
  readonly code: StoreErrorCode;
  readonly class: StoreErrorClass;

  /** `detail` says with what; the phrase of the code says what was wrong. */
  constructor(code: StoreErrorCode, detail?: string, options?: ErrorOptions) {
    const [errorClass, phrase] = STORE_ERRORS[code];
    super(detail === undefined ? phrase : `${phrase} (${detail})`, options);
    this.name = "StoreError";
    this.code = code;
    this.class = errorClass;
  }
}
