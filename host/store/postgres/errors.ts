/**
 * PostgreSQL's error codes (its manual, appendix A) and those of the connection as refusals of the store, with what the
 * store must know to go on: whether the connection is gone, and whether the transaction may be tried again.
 */
import { StoreError, type StoreErrorCode } from "../errors.ts";

export class PostgresError extends StoreError {
  /** The connection is gone, or in no state to be used. */
  readonly isLost: boolean;
  /** The server gave the transaction up for another one. */
  readonly isRepeatable: boolean;

  constructor(
    code: StoreErrorCode,
    detail: string,
    state: { isLost?: boolean; isRepeatable?: boolean },
    cause: unknown,
  ) {
    super(code, detail, { cause });
    this.isLost = state.isLost ?? false;
    this.isRepeatable = state.isRepeatable ?? false;
  }
}

const STATES: Readonly<Record<string, StoreErrorCode>> = {
  "25006": "store/statement",
  "3D000": "store/access",
  "3F000": "store/access",
  "42501": "store/access",
  "53100": "store/full",
  "53200": "store/unavailable",
  "55P03": "store/busy",
  "57014": "store/unavailable",
  "58030": "store/unavailable",
};

const CLASSES: Readonly<Record<string, StoreErrorCode>> = {
  "22": "store/value",
  "23": "store/constraint",
  "28": "store/access",
  XX: "store/corrupt",
};

/** Shut down, crashed, starting, idle for too long in a session or a transaction, too many connections. */
const LOST_STATES = new Set(["57P01", "57P02", "57P03", "57P05", "25P03", "53300"]);
const REPEATABLE_STATES = new Set(["40001", "40P01"]);

export function postgresError(cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  const state = stateOf(cause);
  if (state === undefined || state.startsWith("08") || LOST_STATES.has(state)) {
    return new PostgresError("store/unavailable", detailOf(cause, message), { isLost: true }, cause);
  }
  if (REPEATABLE_STATES.has(state)) return new PostgresError("store/busy", message, { isRepeatable: true }, cause);
  // A table was changed under a prepared statement: a new connection prepares it anew.
  if ((cause as { routine?: unknown }).routine === "RevalidateCachedQuery") {
    return new PostgresError("store/unavailable", message, { isLost: true }, cause);
  }
  const code = STATES[state] ?? CLASSES[state.slice(0, 2)] ?? "store/statement";
  return new PostgresError(code, `${state}: ${message}`, {}, cause);
}

/** The five characters that only the server gives; an error of the connection has none, or a name like ECONNRESET. */
function stateOf(cause: unknown): string | undefined {
  const { code, severity } = cause as { code?: unknown; severity?: unknown };
  return typeof code === "string" && severity !== undefined ? code : undefined;
}

/** An error of several addresses has no message of its own. */
function detailOf(cause: unknown, message: string): string {
  return message || String((cause as { code?: unknown }).code);
}
