/** Reads the diagnostic notation (RFC 8949 section 8) that public examples are written in, as far as they need it. */
import { type CborValue, Tagged } from "../../../host/protocol/cbor.ts";

const TOKEN =
  /\s*(?:\/[^/]*\/\s*)*(?:(h'[0-9a-fA-F\s]*')|("(?:[^"\\]|\\.)*")|(-?\d+)|(true|false|null)|([[\]{}():,]))/y;

/** Throws an `Error` for what it does not know. */
export function parseDiagnostic(text: string): CborValue {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  const end = text.trimEnd().length;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) throw new Error(`not read: ${text.slice(at, at + 40)}`);
    tokens.push(match.slice(1).find((part) => part !== undefined)!);
  }
  const next = () => tokens.shift() ?? "";
  const take = (expected: string) => {
    const token = next();
    if (token !== expected) throw new Error(`${token} instead of ${expected}`);
  };
  /** Items up to the closing bracket, with commas between. */
  const items = <T>(close: string, read: () => T): T[] => {
    const list: T[] = [];
    while (tokens[0] !== close) {
      list.push(read());
      if (tokens[0] === ",") next();
    }
    next();
    return list;
  };
  const value = (): CborValue => {
    const token = next();
    if (token === "[") return items("]", value);
    if (token === "{") {
      return new Map(
        items("}", (): [CborValue, CborValue] => {
          const key = value();
          take(":");
          return [key, value()];
        }),
      );
    }
    if (token.startsWith("h'")) return new Uint8Array(Buffer.from(token.slice(2, -1).replaceAll(/\s/g, ""), "hex"));
    if (token.startsWith('"')) return JSON.parse(token) as string;
    if (/^(?:true|false|null)$/.test(token)) return JSON.parse(token) as boolean | null;
    if (!/^-?\d+$/.test(token)) throw new Error(`${token} is no value`);
    if (tokens[0] !== "(") return Number(token);
    next();
    const tagged = new Tagged(Number(token), value());
    take(")");
    return tagged;
  };
  const whole = value();
  if (tokens.length > 0) throw new Error(`${tokens[0]} is left over`);
  return whole;
}
