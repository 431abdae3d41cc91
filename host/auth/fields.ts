/**
 * Structured fields of HTTP, RFC 9651 (it replaces RFC 8941): dictionaries of items and inner lists with strings,
 * integers, booleans and byte sequences, which is all that signatures and digests need. Stricter than the RFC where it
 * lets two texts mean one thing: a key that stands twice, leading zeros and base64 without padding are refused.
 * https://www.rfc-editor.org/rfc/rfc9651
 */
import { AuthError, type AuthErrorCode } from "./errors.ts";

export type BareItem = string | number | boolean | Uint8Array;
export type FieldParameters = ReadonlyMap<string, BareItem>;
export type Item = { readonly value: BareItem; readonly parameters: FieldParameters };
export type InnerList = { readonly items: readonly Item[]; readonly parameters: FieldParameters };
export type Dictionary = ReadonlyMap<string, Item | InnerList>;

export const FIELD_CHARACTERS_MAX = 4096;
const MEMBERS_MAX = 8;
const ITEMS_MAX = 32;
const PARAMETERS_MAX = 16;
const KEY_CHARACTERS_MAX = 64;
const STRING_CHARACTERS_MAX = 256;
const BYTES_MAX = 1024;
/** RFC 9651 section 3.3.1: what fits an IEEE 754 double. */
const INTEGER_DIGITS_MAX = 15;

export function isInnerList(member: Item | InnerList): member is InnerList {
  return "items" in member;
}

/** RFC 9651 section 4.2.2. `name` is the field's, for the refusal. Throws an `AuthError` and nothing else. */
export function parseDictionary(text: string, name: string): Dictionary {
  return new Cursor(text, name).dictionary();
}

class Cursor {
  readonly #text: string;
  readonly #name: string;
  #at = 0;

  constructor(text: string, name: string) {
    this.#text = text;
    this.#name = name;
    if (text.length > FIELD_CHARACTERS_MAX) throw new AuthError("auth/field-length", name);
    const stray = text.search(/[^\t\x20-\x7e]/);
    if (stray < 0) return;
    this.#at = stray;
    this.#refuse("auth/field-character");
  }

  dictionary(): Dictionary {
    const members = new Map<string, Item | InnerList>();
    this.#match(/ */y);
    if (this.#isAtEnd()) this.#refuse("auth/field-empty");
    for (;;) {
      const key = this.#newKey(members, MEMBERS_MAX);
      members.set(key, this.#take("=") ? this.#member() : { value: true, parameters: this.#parameters() });
      this.#match(/[ \t]*/y);
      if (this.#isAtEnd()) return members;
      if (!this.#take(",")) this.#refuse("auth/field-separator");
      this.#match(/[ \t]*/y);
      if (this.#isAtEnd()) this.#refuse("auth/field-separator");
    }
  }

  #member(): Item | InnerList {
    return this.#take("(") ? this.#innerList() : this.#item();
  }

  #innerList(): InnerList {
    const items: Item[] = [];
    for (;;) {
      this.#match(/ */y);
      if (this.#take(")")) return { items, parameters: this.#parameters() };
      if (this.#isAtEnd()) this.#refuse("auth/field-list");
      if (items.length === ITEMS_MAX) this.#refuse("auth/field-count");
      items.push(this.#item());
      if (!/[ )]/.test(this.#next())) this.#refuse("auth/field-list");
    }
  }

  #item(): Item {
    return { value: this.#bareItem(), parameters: this.#parameters() };
  }

  #parameters(): FieldParameters {
    const parameters = new Map<string, BareItem>();
    while (this.#take(";")) {
      this.#match(/ */y);
      const key = this.#newKey(parameters, PARAMETERS_MAX);
      parameters.set(key, this.#take("=") ? this.#bareItem() : true);
    }
    return parameters;
  }

  #newKey(taken: ReadonlyMap<string, unknown>, countMax: number): string {
    if (taken.size === countMax) this.#refuse("auth/field-count");
    const key = this.#match(/[a-z*][a-z0-9_.*-]*/y);
    if (key === undefined || key.length > KEY_CHARACTERS_MAX) this.#refuse("auth/field-key");
    if (taken.has(key)) this.#refuse("auth/field-key-twice");
    return key;
  }

  #bareItem(): BareItem {
    const next = this.#next();
    if (next === '"') return this.#string();
    if (next === ":") return this.#bytes();
    if (/[-0-9]/.test(next)) return this.#integer();
    const flag = this.#match(/\?[01]/y);
    return flag === undefined ? this.#refuse("auth/field-type") : flag === "?1";
  }

  #string(): string {
    const quoted = this.#match(/"(?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"/y);
    if (quoted === undefined) this.#refuse("auth/field-string");
    const value = quoted.slice(1, -1).replace(/\\(.)/g, "$1");
    return value.length > STRING_CHARACTERS_MAX ? this.#refuse("auth/field-string") : value;
  }

  #integer(): number {
    const digits = this.#match(/0|-?[1-9][0-9]*/y);
    // A point would make it a decimal, a digit after 0 a second writing of the same number.
    if (this.#next() === ".") this.#refuse("auth/field-type");
    if (digits === undefined || digits.replace("-", "").length > INTEGER_DIGITS_MAX || /[0-9]/.test(this.#next())) {
      this.#refuse("auth/field-integer");
    }
    return Number(digits);
  }

  #bytes(): Uint8Array {
    const base64 = this.#match(/:[A-Za-z0-9+/]*={0,2}:/y)?.slice(1, -1);
    if (base64 === undefined) this.#refuse("auth/field-bytes");
    const bytes = Buffer.from(base64, "base64");
    // Written again it is the same: so there is one text for each value, with its padding and no idle bits.
    if (bytes.length > BYTES_MAX || bytes.toString("base64") !== base64) this.#refuse("auth/field-bytes");
    return new Uint8Array(bytes);
  }

  #next(): string {
    return this.#text.charAt(this.#at);
  }

  #isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  #take(character: string): boolean {
    if (this.#next() !== character) return false;
    this.#at++;
    return true;
  }

  #match(sticky: RegExp): string | undefined {
    sticky.lastIndex = this.#at;
    const found = sticky.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #refuse(code: AuthErrorCode): never {
    throw new AuthError(code, `${this.#name}, character ${this.#at + 1}`);
  }
}

/** RFC 9651 section 4.1.1.1; of what `parseDictionary` gives. */
export function innerListText({ items, parameters }: InnerList): string {
  return `(${items.map(itemText).join(" ")})${parametersText(parameters)}`;
}

export function itemText({ value, parameters }: Item): string {
  return `${bareItemText(value)}${parametersText(parameters)}`;
}

function parametersText(parameters: FieldParameters): string {
  return [...parameters]
    .map(([key, value]) => (value === true ? `;${key}` : `;${key}=${bareItemText(value)}`))
    .join("");
}

function bareItemText(value: BareItem): string {
  if (typeof value === "string") return `"${value.replace(/["\\]/g, "\\$&")}"`;
  if (typeof value === "number") return String(value);
  if (typeof value === "boolean") return value ? "?1" : "?0";
  return `:${Buffer.from(value).toString("base64")}:`;
}
