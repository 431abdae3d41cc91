/** A JSON file held against its schema. */
import type { Static, TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { OutputError, type OutputErrorCode } from "./errors.ts";

/** Throws `OutputError` with this code: the first place that does not fit, and what was expected there. */
export function documentOf<T extends TSchema>(
  schema: T,
  bytes: Uint8Array,
  name: string,
  code: OutputErrorCode,
): Static<T> {
  const value = parsed(bytes, name, code);
  const mistake = Value.Errors(schema, value).First();
  if (mistake) throw new OutputError(code, `${name}${mistake.path}: ${mistake.message.toLowerCase()}`);
  return value as Static<T>;
}

function parsed(bytes: Uint8Array, name: string, code: OutputErrorCode): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new OutputError(code, `${name} is not JSON`, { cause });
  }
}
