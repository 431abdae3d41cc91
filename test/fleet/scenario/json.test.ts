/** JSON is read as `JSON.parse` reads it, but for names that stand twice and what lies too deep. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEPTH_MAX, parseJson } from "../../../fleet/scenario/json.ts";
import { mistakesThrown } from "./mistakes.ts";

const mistakesOf = (text: string) => mistakesThrown(() => parseJson(text));

const TWICE = "it is given twice: must be given once";
const marks = fc.string({ unit: fc.constantFrom('"', "\\", "{", "}", "[", "]", ",", ":", "a", "\n"), maxLength: 8 });
const values = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: "small" }, fc.jsonValue(), marks, tie("list"), tie("object")),
  list: fc.array(tie("value"), { maxLength: 4 }),
  object: fc.dictionary(marks, tie("value"), { maxKeys: 4 }),
})).value;

describe("JSON", () => {
  it("without names that stand twice is what JSON.parse makes of it", () => {
    fc.assert(
      fc.property(values, fc.constantFrom("", " ", "\n\t"), (value, space) => {
        const text = JSON.stringify(value, null, space);
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it("with a name that stands twice is refused, wherever that is and whatever the name and the values are", () => {
    fc.assert(
      fc.property(marks, values, values, values, (name, one, other, before) => {
        const key = JSON.stringify(name);
        const object = `{${key}:${JSON.stringify(one)}, ${key} :${JSON.stringify(other)}}`;
        expect(mistakesOf(`[${JSON.stringify(before)},{"at":${object}}]`)).toEqual([`[1].at.${name}: ${TWICE}`]);
      }),
    );
  });

  // biome-ignore format: a table
  it.each([
    ["a name three times", '{"a":1,"a":2,"a":3}', [`a: ${TWICE}`]],
    ["a name that is spelled in two ways", '{"a":1,"\\u0061":2}', [`a: ${TWICE}`]],
    ["two of them", '{"a":{"b":1,"b":2},"c":[0,{"d":1,"d":[]}]}', [`a.b: ${TWICE}`, `c[1].d: ${TWICE}`]],
    ["a prototype", '{"__proto__":1,"__proto__":2}', [`__proto__: ${TWICE}`]],
    ["a name in two objects", '[{"a":{"a":1}},{"a":["a","a"]}]', []],
    ["no object at all", '"a"', []],
  ])("with %s is told all of it", (_what, text, lines) => {
    expect(mistakesOf(text)).toEqual(lines);
  });

  it("with no end of names that stand twice is told some of them", () => {
    const twice = range(200).map((i) => `"${i}":1,"${i}":2`);
    expect(mistakesOf(`{${twice.join(",")}}`)).toEqual(range(100).map((i) => `${i}: ${TWICE}`));
  });

  it("may lie so deep, and no deeper", () => {
    const deep = (count: number) => `${"[".repeat(count)}${"]".repeat(count)}`;
    expect(mistakesOf(deep(DEPTH_MAX))).toEqual([]);
    expect(mistakesOf(`[${deep(DEPTH_MAX - 1)},${deep(DEPTH_MAX - 1)}]`)).toEqual([]);
    const line = (path: string) =>
      `${path}: lists and objects lie too deep in it: must be at most 64 inside one another`;
    expect(mistakesOf(deep(DEPTH_MAX + 1))).toEqual([line("[0][0][0][0]")]);
    expect(mistakesOf(deep(500_000))).toEqual([line("[0][0][0][0]")]);
    expect(mistakesOf(`${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`)).toEqual([line("a.a.a.a")]);
    const timeline = `{"points":[{"name":"a","set":{"timeline":${deep(20_000)}}}]}`;
    expect(mistakesOf(timeline)).toEqual([line("points[0].set.timeline")]);
  });

  it("is refused as JSON.parse refuses it where it is none", () => {
    for (const text of ["", "{", '{"a":1,"a":2', "[1,]", "'a'", "\ufeff{}"]) {
      expect(() => parseJson(text), text).toThrow(SyntaxError);
    }
  });
});

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
