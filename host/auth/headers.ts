/**
 * The header lines of a request as they came, and the one value that each name has. Where two readers of one request
 * could see two values (a line that stands twice, folded lines, other characters than ASCII), it is refused.
 */
import { AuthError } from "./errors.ts";

export type HeaderLine = readonly [name: string, value: string];

const LINES_MAX = 256;
const CHARACTERS_MAX = 65_536;

/** What this service or HTTP itself reads: a second line of these would be a second meaning. */
const ONCE = new Set([
  "authorization",
  "content-digest",
  "content-encoding",
  "content-length",
  "content-type",
  "host",
  "signature",
  "signature-input",
]);

/** Of Node's `rawHeaders`: names and values by turns. */
export function headerLinesOf(rawHeaders: readonly string[]): HeaderLine[] {
  const lines: HeaderLine[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) lines.push([rawHeaders[i]!, rawHeaders[i + 1]!]);
  return lines;
}

export class RequestHeaders {
  readonly #values = new Map<string, string[]>();

  constructor(lines: readonly HeaderLine[]) {
    let characters = 0;
    for (const [name, value] of lines) characters += name.length + value.length;
    if (lines.length > LINES_MAX || characters > CHARACTERS_MAX) throw new AuthError("auth/headers");
    for (const [name, value] of lines) {
      // In ASCII alone: beyond it there are letters whose lower case is in it (U+212A, the Kelvin sign, gives "k").
      const key = name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
      const values = this.#values.get(key);
      if (values) values.push(value);
      else this.#values.set(key, [value]);
    }
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /**
   * The value of RFC 9421 section 2.1: of each line without the spaces around it, several joined with a comma. `name`
   * is in lower case. Obsolete line folding, which the RFC would have mended, is refused (RFC 9112 section 5.2).
   */
  value(name: string): string | undefined {
    const values = this.#values.get(name);
    if (values === undefined) return undefined;
    if (values.length > 1 && ONCE.has(name)) throw new AuthError("auth/header-twice", name);
    if (values.some((value) => /[^\t\x20-\x7e]/.test(value))) throw new AuthError("auth/header-value", name);
    return values.map((value) => value.trim()).join(", ");
  }
}
