/** CBOR for people: diagnostic notation (RFC 8949 section 8; `<<>>` for embedded items, RFC 8610 appendix G.3). */
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { type CborValue, cborCheck, decode, Tagged } from "./cbor.ts";

const LINE_MAX = 100;

/** One item of the profile in diagnostic notation, indented where a line gets long. Throws a `Refusal`. */
export function diagnose(bytes: Uint8Array): string {
  return item(decode(bytes), "");
}

function item(value: CborValue, indent: string): string {
  if (value === null) return "null";
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object") return String(value);
  if (value instanceof Uint8Array) {
    return isEmbedded(value) ? `<<${item(decode(value), indent)}>>` : `h'${Buffer.from(value).toString("hex")}'`;
  }
  if (value instanceof Tagged) return `${value.tag}(${item(value.value, indent)})`;
  const inner = `${indent}  `;
  if (value instanceof Map) {
    const pairs = [...(value as ReadonlyMap<CborValue, CborValue>)];
    return group(
      "{",
      "}",
      pairs.map(([key, entry]) => `${item(key, inner)}: ${item(entry, inner)}`),
      indent,
    );
  }
  return group(
    "[",
    "]",
    (value as readonly CborValue[]).map((entry) => item(entry, inner)),
    indent,
  );
}

function group(open: string, close: string, items: string[], indent: string): string {
  const line = `${open}${items.join(", ")}${close}`;
  if (!line.includes("\n") && line.length + indent.length <= LINE_MAX) return line;
  return `${open}\n${items.map((text) => `${indent}  ${text}`).join(",\n")}\n${indent}${close}`;
}

/** A string that is itself a whole array, map or tagged item, as protected headers and payloads are. */
function isEmbedded(bytes: Uint8Array): boolean {
  const major = (bytes[0] ?? 0) >> 5;
  return major >= 4 && major <= 6 && bytes.length > 1 && cborCheck(bytes) === ErrorCode.OK;
}
