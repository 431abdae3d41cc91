/** SQLite's result codes (sqlite.org/rescode.html) as refusals of the store. */
import { StoreError, type StoreErrorCode } from "../errors.ts";

const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const CONSTRAINT = 19;
const NOTADB = 26;
/** The shared index of the log could not grow: on a full disk this comes before SQLITE_FULL. */
const IOERR_SHMSIZE = 4874;
const IOERR_NOMEM = 3082;

const CODES: Readonly<Record<number, StoreErrorCode>> = {
  [BUSY]: "store/unavailable",
  [LOCKED]: "store/unavailable",
  [IOERR]: "store/broken",
  [CORRUPT]: "store/corrupt",
  [FULL]: "store/full",
  [CANTOPEN]: "store/folder",
  [CONSTRAINT]: "store/constraint",
  [NOTADB]: "store/corrupt",
};

export function sqliteError(cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new StoreError(codeOf(cause, message), message, { cause });
}

function codeOf(cause: unknown, message: string): StoreErrorCode {
  const raw = (cause as { rawCode?: unknown }).rawCode;
  if (typeof raw !== "number") return message.includes("Unable to open") ? "store/folder" : "store/statement";
  if (raw === IOERR_SHMSIZE) return "store/full";
  if (raw === IOERR_NOMEM) return "store/unavailable";
  if (raw === READONLY) return "store/statement";
  return CODES[raw & 0xff] ?? "store/statement";
}
