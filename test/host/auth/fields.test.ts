import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AuthError, type AuthErrorCode } from "../../../host/auth/errors.ts";
import {
  type BareItem,
  FIELD_CHARACTERS_MAX,
  type InnerList,
  type Item,
  innerListText,
  isInnerList,
  itemText,
  parseDictionary,
} from "../../../host/auth/fields.ts";

const parse = (text: string) => parseDictionary(text, "field");

function codeOf(text: string): AuthErrorCode | undefined {
  try {
    parse(text);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(AuthError);
    return (error as AuthError).code;
  }
}

const textOf = (member: Item | InnerList) => (isInnerList(member) ? innerListText(member) : itemText(member));
const dictionaryText = (members: Iterable<[string, Item | InnerList]>) =>
  [...members].map(([key, member]) => `${key}=${textOf(member)}`).join(", ");

const key = fc.stringMatching(/^[a-z*][a-z0-9_.*-]{0,20}$/);
const bareItem: fc.Arbitrary<BareItem> = fc.oneof(
  fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 }),
  fc.stringMatching(/^[\x20-\x7e]{0,40}$/),
  fc.boolean(),
  fc.uint8Array({ maxLength: 70 }),
);
const parameters = fc
  .uniqueArray(fc.tuple(key, bareItem), { selector: ([name]) => name, maxLength: 6 })
  .map((entries) => new Map(entries));
const item = fc.record({ value: bareItem, parameters });
const member = fc.oneof(item, fc.record({ items: fc.array(item, { maxLength: 6 }), parameters }));
const dictionary = fc
  .uniqueArray(fc.tuple(key, member), { selector: ([name]) => name, minLength: 1, maxLength: 4 })
  .filter((entries) => dictionaryText(entries).length <= FIELD_CHARACTERS_MAX);

describe("structured fields", () => {
  it("are read as they were written", () => {
    fc.assert(
      fc.property(dictionary, (members) => {
        expect([...parse(dictionaryText(members))]).toEqual(members);
      }),
    );
  });

  it("are read with the spaces that RFC 9651 allows, and mean the same", () => {
    const written = parse('sig=("a" "b;c");created=1;on, d=:AQI=:;x=?0');
    expect(parse('  sig=(  "a"   "b;c" );  created=1; on \t ,\t d=:AQI=:; x=?0  ')).toEqual(written);
    expect(written.get("d")).toEqual({ value: Uint8Array.of(1, 2), parameters: new Map([["x", false]]) });
  });

  it("give a key without a value the value true", () => {
    expect(parse("a, b;x").get("b")).toEqual({ value: true, parameters: new Map([["x", true]]) });
  });

  it("unescape quotes and backslashes", () => {
    expect(parse(String.raw`a="say \"hi\" \\ there"`).get("a")).toMatchObject({ value: String.raw`say "hi" \ there` });
  });

  it.each<[string, string, AuthErrorCode]>([
    ["nothing", "", "auth/field-empty"],
    ["spaces alone", "   ", "auth/field-empty"],
    ["more than 4,096 characters", `a="${"x".repeat(4096)}"`, "auth/field-length"],
    ["a line break", "a=1\r\n b=2", "auth/field-character"],
    ["a character beyond ASCII", 'a="ü"', "auth/field-character"],
    ["a NUL at its start", "\0a=1", "auth/field-character"],
    ["a key in upper case", "Sig=1", "auth/field-key"],
    ["a key that begins with a digit", "1a=1", "auth/field-key"],
    ["a parameter without a name", "a=1;=2", "auth/field-key"],
    ["a key of 65 characters", `${"k".repeat(65)}=1`, "auth/field-key"],
    ["two commas", "a=1,,b=2", "auth/field-key"],
    ["a space before its equals sign", "a =1", "auth/field-separator"],
    ["a space after its equals sign", "a= 1", "auth/field-type"],
    ["a tab at its start", "\ta=1", "auth/field-key"],
    ["one member twice", "a=1, a=2", "auth/field-key-twice"],
    ["one parameter twice", "a=1;x=1;x=1", "auth/field-key-twice"],
    ["nine members", "abcdefghi".split("").join(","), "auth/field-count"],
    ["seventeen parameters", `a=1${Array.from({ length: 17 }, (_, i) => `;p${i}`).join("")}`, "auth/field-count"],
    ["thirty-three items", `a=(${"1 ".repeat(33)})`, "auth/field-count"],
    ["a comma at its end", "a=1,", "auth/field-separator"],
    ["a semicolon in place of its comma", "a=1 b=2", "auth/field-separator"],
    ["a list that is not closed", 'a=("x"', "auth/field-list"],
    ["a list that ends in a space", 'a=("x" ', "auth/field-list"],
    ["items without a space", 'a=("x""y")', "auth/field-list"],
    ["items with a comma", 'a=("x","y")', "auth/field-list"],
    ["a list in a list", "a=((1))", "auth/field-type"],
    ["a token", "a=token", "auth/field-type"],
    ["a decimal", "a=1.5", "auth/field-type"],
    ["a date", "a=@1659578233", "auth/field-type"],
    ["a display string", 'a=%"x"', "auth/field-type"],
    ["a boolean of 2", "a=?2", "auth/field-type"],
    ["a string that is not closed", 'a="x', "auth/field-string"],
    ["an escape that needs none", String.raw`a="\x"`, "auth/field-string"],
    ["a string of 257 characters", `a="${"x".repeat(257)}"`, "auth/field-string"],
    ["a tab in a string", 'a="\t"', "auth/field-string"],
    ["a leading zero", "a=01", "auth/field-integer"],
    ["minus zero", "a=-0", "auth/field-integer"],
    ["a minus alone", "a=-", "auth/field-integer"],
    ["sixteen digits", "a=1000000000000000", "auth/field-integer"],
    ["base64 without its padding", "a=:AQI:", "auth/field-bytes"],
    ["base64 with idle bits", "a=:AQJ=:", "auth/field-bytes"],
    ["base64url", "a=:_-8=:", "auth/field-bytes"],
    ["bytes that are not closed", "a=:AQI=", "auth/field-bytes"],
    ["bytes with a space", "a=:AQ I=:", "auth/field-bytes"],
    ["1,025 bytes", `a=:${Buffer.alloc(1025).toString("base64")}:`, "auth/field-bytes"],
  ])("with %s are refused", (_, text, code) => {
    expect(codeOf(text)).toBe(code);
  });

  it("are refused with a code of their own, whatever the text", () => {
    const structural = fc.string({ unit: fc.constantFrom(...'ab01-.*_=,;:"()\\? \t\r\né?@%+/'), maxLength: 60 });
    const mangled = fc
      .tuple(dictionary, fc.nat(), fc.string({ maxLength: 3 }), fc.nat({ max: 3 }))
      .map(([members, place, insertion, cut]) => {
        const text = dictionaryText(members);
        const at = place % (text.length + 1);
        return text.slice(0, at) + insertion + text.slice(at + cut);
      });
    fc.assert(
      fc.property(fc.oneof(structural, mangled, fc.string({ unit: "binary" })), (text) => {
        const code = codeOf(text);
        if (code !== undefined) expect(code).toMatch(/^auth\/field-/);
      }),
      { numRuns: 1000 },
    );
  });

  it("have one text for what they mean: what was read and written again is read as the same", () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab01-=,;:"() ?'), maxLength: 16 });
    fc.assert(
      fc.property(text, (tail) => {
        const once = `a=${tail}`;
        if (codeOf(once) !== undefined) return;
        const read = parse(once);
        expect(parse(dictionaryText(read))).toEqual(read);
      }),
      { numRuns: 1000 },
    );
  });
});
