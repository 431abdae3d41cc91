/** A scenario is read whole, or refused with a line for every field that is wrong. */
import { describe, expect, it } from "vitest";
import { scenarioSha256 } from "../../../fleet/scenario/canonical.ts";
import { parametersAt, parseScenario, readScenario } from "../../../fleet/scenario/read-scenario.ts";
import { coinScenario, coins, STUDIES } from "../coins.ts";
import { mistakesThrown } from "./mistakes.ts";

const read = (changes: Readonly<Record<string, unknown>> = {}) => readScenario(coinScenario(changes), STUDIES);

const mistakesOf = (changes: Readonly<Record<string, unknown>>) => mistakesThrown(() => read(changes));

const expected = {
  figure: "share of heads",
  metric: "headsShare",
  point: "base",
  expected: 0.5,
  tolerance: { absolute: 0.1 },
  source: "nobody",
};

describe("a scenario that is right", () => {
  it("has its study's defaults, below objects that it leaves out too", () => {
    expect(read({ parameters: {} }).parameters).toEqual({
      cells: 4,
      throws: 100,
      coin: { headsShare: 0.5 },
      kind: "fair",
      failing: [],
      ending: [],
    });
  });

  it("is one point and one seed where it says nothing else", () => {
    const { points, axes, seeds, expect: none } = read();
    expect({ points, axes, seeds, none }).toEqual({
      points: [{ name: "base", set: {} }],
      axes: [],
      seeds: 1,
      none: [],
    });
  });

  it("has a point for each place of a sweep, the last axis fastest", () => {
    const { points, axes } = read({ sweep: { "coin.headsShare": [0.25, 0.75], throws: [10, 20, 30] } });
    expect(points.map(({ name }) => name)).toEqual([
      "headsShare=0.25, throws=10",
      "headsShare=0.25, throws=20",
      "headsShare=0.25, throws=30",
      "headsShare=0.75, throws=10",
      "headsShare=0.75, throws=20",
      "headsShare=0.75, throws=30",
    ]);
    expect(points[4]!.set).toEqual({ "coin.headsShare": 0.75, throws: 20 });
    expect(axes.map(({ path }) => path)).toEqual(["coin.headsShare", "throws"]);
  });

  it("has each named point at each place of a sweep", () => {
    const { points } = read({ points: [{ name: "few", set: { cells: 1 } }], sweep: { throws: [10, 20] } });
    expect(points).toEqual([
      { name: "few, throws=10", set: { cells: 1, throws: 10 } },
      { name: "few, throws=20", set: { cells: 1, throws: 20 } },
    ]);
  });

  it("gives the study the parameters of each point, an item of a list by its number", () => {
    const scenario = read({
      parameters: { failing: [7, 8] },
      points: [{ name: "other", set: { kind: "bent", "failing.1": 9, coin: { name: "x" } } }],
    });
    expect(parametersAt(scenario, scenario.points[0]!, coins)).toMatchObject({
      cells: 4,
      coin: { headsShare: 0.5, name: "x" },
      failing: [7, 9],
    });
  });

  it("has one hash, whatever the order of its fields and whether defaults stand in it", () => {
    const backwards = Object.fromEntries(Object.entries(coinScenario()).reverse());
    const spelled = coinScenario({ parameters: { throws: 50, cells: 3, kind: "fair" }, seeds: 1 });
    const hashes = [coinScenario(), backwards, spelled].map((one) => scenarioSha256(readScenario(one, STUDIES)));
    expect(new Set(hashes).size).toBe(1);
    expect(scenarioSha256(read({ seeds: 2 }))).not.toBe(hashes[0]);
  });
});

describe("a scenario that is wrong", () => {
  // biome-ignore format: a table
  const CASES: readonly (readonly [string, Record<string, unknown>, string])[] = [
    ["another format", { format: 2 }, "format: 2: must be 1"],
    ["a name that is no name", { name: "Coin Tosses" }, 'name: "Coin Tosses": must be 1 to 64 small letters, digits and hyphens'],
    ["no title", { title: undefined }, "title: it is missing: must be a text of 1 to 200 printable characters"],
    ["a title that acts on terminals", { title: "a\u001b[2Jb" }, 'title: "a\\u001b[2Jb": must be a text of 1 to 200 printable characters'],
    ["an unknown study", { study: "coin" }, 'study: "coin": there is no such study, did you mean coins?'],
    ["no seeds", { seeds: 0 }, "seeds: 0: must be a whole number from 1 to 1000"],
    ["a misspelled field", { sweeps: {} }, "sweeps: {}: there is no such field here, did you mean sweep?"],
    ["a parameter out of range", { parameters: { throws: 0 } }, "parameters.throws: 0: must be a whole number from 1 to 86400"],
    ["a parameter of another type", { parameters: { throws: "9" } }, 'parameters.throws: "9": must be a whole number from 1 to 86400'],
    ["half a throw", { parameters: { throws: 0.5 } }, "parameters.throws: 0.5: must be a whole number from 1 to 86400"],
    ["a misspelled parameter", { parameters: { coin: { headShare: 1 } } }, "parameters.coin.headShare: 1: there is no such field here, did you mean headsShare?"],
    ["an unknown choice", { parameters: { kind: "round" } }, 'parameters.kind: "round": must be one of fair, bent'],
    ["a list that is too long", { parameters: { failing: [1, 2, 3, 4] } }, "parameters.failing: [1,2,3,4]: must be a list of 0 to 3 items"],
    ["a wrong item", { parameters: { failing: [1, -1] } }, "parameters.failing[1]: -1: must be a whole number of at least 0"],
    ["a point out of range", { points: [{ name: "a", set: {} }, { name: "b", set: { throws: 0 } }] }, "points[1].set.throws: 0: must be a whole number from 1 to 86400"],
    ["a point that sets a part wrongly", { points: [{ name: "a", set: { coin: { headsShare: 2 } } }] }, "points[0].set.coin.headsShare: 2: must be a number from 0 to 1"],
    ["a point that sets an item wrongly", { parameters: { failing: [1] }, points: [{ name: "a", set: { "failing.0": -2 } }] }, "points[0].set.failing.0: -2: must be a whole number of at least 0"],
    ["a point that sets nothing there is", { points: [{ name: "a", set: { "coins.headsShare": 1 } }] }, "points[0].set.coins.headsShare: 1: there is no such field here, did you mean coin?"],
    ["a path that is none", { points: [{ name: "a", set: { "coin..x": 1 } }] }, "points[0].set.coin..x: 1: must be names of fields with dots between them"],
    ["a point that sets a thing and a part of it", { points: [{ name: "a", set: { coin: {}, "coin.name": "x" } }] }, "points[0].set.coin: {}: coin.name is set too, inside it"],
    ["a point that sets no end of paths", { points: [{ name: "a", set: Object.fromEntries(range(100_000).map((i) => [`p${i}`, 1])) }] }, "points[0].set: 100000: must have at most 256 paths"],
    ["two points of one name", { points: [{ name: "a", set: {} }, { name: "a", set: {} }] }, 'points[1].name: "a": another point has this name'],
    ["an axis out of range", { sweep: { throws: [1, 86_401] } }, "sweep.throws[1]: 86401: must be a whole number from 1 to 86400"],
    ["an axis without values", { sweep: { throws: [] } }, "sweep.throws: []: must be a list of 1 to 10000 different items"],
    ["a value that stands in an axis twice", { sweep: { throws: [3, 3] } }, "sweep.throws: [3,3]: must be a list of 1 to 10000 different items"],
    ["an axis that a point sets", { points: [{ name: "a", set: { throws: 1 } }], sweep: { throws: [1, 2] } }, "points[0].set.throws: 1: the sweep sets it too"],
    ["a grid beyond all bounds", { sweep: { throws: range(200), cells: range(200) } }, "sweep: 40000: the points and the sweep must make at most 10000 points together"],
    ["more axes than anybody reads", { sweep: Object.fromEntries(range(17).map((i) => [`a${i}`, [1]])) }, "sweep: 17: must have at most 16 axes"],
    ["a number without end", { parameters: { throws: Infinity } }, "parameters.throws: Infinity: must be a whole number from 1 to 86400"],
    ["a number without end in an object", { parameters: { coin: { headsShare: -Infinity } } }, "parameters.coin.headsShare: -Infinity: must be a number from 0 to 1"],
    ["a point without end", { points: [{ name: "a", set: { coin: { headsShare: Infinity } } }] }, "points[0].set.coin.headsShare: Infinity: must be a number from 0 to 1"],
    ["an axis without end", { sweep: { "coin.headsShare": [0.5, Infinity] } }, "sweep.coin.headsShare[1]: Infinity: must be a number from 0 to 1"],
    ["a figure without end", { expect: [{ ...expected, expected: -Infinity }] }, "expect[0].expected: -Infinity: must be a finite number"],
    ["a tolerance without end", { expect: [{ ...expected, tolerance: { absolute: Infinity } }] }, 'expect[0].tolerance: {"absolute":"Infinity"}: must be {"relative": 0 or more}, {"absolute": 0 or more}, {"from": number, "to": number}, "atMost" or "atLeast"'],
    ["an unknown metric", { expect: [{ ...expected, metric: "headShare" }] }, 'expect[0].metric: "headShare": the study coins has no such metric, did you mean headsShare?'],
    ["an unknown point", { expect: [{ ...expected, point: "bare" }] }, 'expect[0].point: "bare": there is no such point, did you mean base?'],
    ["a tolerance of no kind", { expect: [{ ...expected, tolerance: "about" }] }, 'expect[0].tolerance: "about": must be {"relative": 0 or more}, {"absolute": 0 or more}, {"from": number, "to": number}, "atMost" or "atLeast"'],
    ["a range that ends before it begins", { expect: [{ ...expected, tolerance: { from: 2, to: 1 } }] }, "expect[0].tolerance.to: 1: must be at least 2, as from is"],
  ];

  it.each(CASES)("with %s is told so in one line", (_what, changes, line) => {
    expect(mistakesOf(changes)).toEqual([line]);
  });

  it("is told all of it at once", () => {
    expect(
      mistakesOf({
        seeds: 0,
        parameters: { throws: 0, cels: 1 },
        points: [{ name: "a", set: { "coin.headsShare": 7 } }],
        expect: [{ ...expected, metric: "tails" }],
      }),
    ).toEqual([
      "seeds: 0: must be a whole number from 1 to 1000",
      "parameters.throws: 0: must be a whole number from 1 to 86400",
      "parameters.cels: 1: there is no such field here, did you mean cells?",
      "points[0].set.coin.headsShare: 7: must be a number from 0 to 1",
      'expect[0].metric: "tails": the study coins has no such metric, there are headsShare, headsCount',
      'expect[0].point: "base": there is no such point, there are a',
    ]);
  });

  it("is told what is wrong in points beside points of a wrong shape", () => {
    expect(
      mistakesOf({
        points: [
          { name: "a" },
          5,
          { name: "a", set: {} },
          { set: { "": 1, "coin..name": "x" } },
          { name: "", set: { coin: {}, "coin.name": "x" } },
          { name: "b", sett: {}, set: { throws: 0, cells: 0 } },
        ],
        sweep: { kind: [], throws: [5], cells: [6] },
        expect: [{ ...expected, point: "c" }],
      }),
    ).toEqual([
      "points[1]: 5: must be an object with name, set",
      "points[3].name: it is missing: must be a text of 1 to 200 printable characters",
      'points[4].name: "": must be a text of 1 to 200 printable characters',
      "points[5].sett: {}: there is no such field here, did you mean set?",
      "sweep.kind: []: must be a list of 1 to 10000 different items",
      "points[5].set.throws: 0: the sweep sets it too",
      "points[5].set.cells: 0: the sweep sets it too",
      'points[2].name: "a": another point has this name',
      "points[3].set.: 1: must be names of fields with dots between them",
      'points[3].set.coin..name: "x": must be names of fields with dots between them',
      "points[4].set.coin: {}: coin.name is set too, inside it",
    ]);
  });

  it("is told what is wrong in an expectation beside fields of a wrong shape", () => {
    const wrong = [
      { ...expected, of: "median", metric: "tails", point: "a" },
      { ...expected, figure: 5, tolerance: { from: 2, to: 1 } },
      null,
      { ...expected, tolerance: "about", metric: 5, point: "a" },
    ];
    expect(mistakesOf({ expect: wrong })).toEqual([
      'expect[0].of: "median": must be one of mean, max, min, each',
      "expect[1].figure: 5: must be a text of 1 to 200 printable characters",
      "expect[2]: null: must be an object with figure, metric, point, of, expected, basis, tolerance, source",
      "expect[3].metric: 5: must be a text of 1 to 100 printable characters",
      'expect[3].tolerance: "about": must be {"relative": 0 or more}, {"absolute": 0 or more}, {"from": number, "to": number}, "atMost" or "atLeast"',
      'expect[0].metric: "tails": the study coins has no such metric, there are headsShare, headsCount',
      'expect[0].point: "a": there is no such point, there are base',
      "expect[1].tolerance.to: 1: must be at least 2, as from is",
      'expect[3].point: "a": there is no such point, there are base',
    ]);
  });

  it("of no known study is told all but what the study says", () => {
    const mistakes = mistakesOf({ study: "coin", seeds: 0, parameters: { throws: 0 }, points: [7] });
    expect(mistakes).toEqual([
      "points[0]: 7: must be an object with name, set",
      "seeds: 0: must be a whole number from 1 to 1000",
      'study: "coin": there is no such study, did you mean coins?',
    ]);
    const many = Array.from({ length: 150 }, () => 7);
    expect(mistakesOf({ study: "coin", points: many }).at(-1)).toBe("and 51 more");
  });

  it("is told the items of a list that are wrong beside the list", () => {
    expect(mistakesOf({ parameters: { failing: [1, "2", 3, -4] } })).toEqual([
      'parameters.failing: [1,"2",3,-4]: must be a list of 0 to 3 items',
      'parameters.failing[1]: "2": must be a whole number of at least 0',
      "parameters.failing[3]: -4: must be a whole number of at least 0",
    ]);
  });

  it("is told every number without end, each where it stands", () => {
    const changes = {
      parameters: { cells: Infinity, coin: { headsShare: Infinity } },
      sweep: { throws: [Infinity, -Infinity] },
    };
    expect(mistakesOf(changes)).toEqual([
      "parameters.cells: Infinity: must be a whole number from 1 to 1000000",
      "parameters.coin.headsShare: Infinity: must be a number from 0 to 1",
      "sweep.throws[0]: Infinity: must be a whole number from 1 to 86400",
      "sweep.throws[1]: -Infinity: must be a whole number from 1 to 86400",
    ]);
  });

  it("cannot put anything into a prototype", () => {
    const value = JSON.parse(JSON.stringify(coinScenario()).replace('"cells"', '"__proto__":{"throws":7},"cells"'));
    expect(() => readScenario(value, STUDIES)).toThrow("parameters.__proto__");
    expect(mistakesOf({ points: [{ name: "a", set: { "__proto__.x": 1 } }] })).toHaveLength(1);
    expect(({} as { x?: number }).x).toBeUndefined();
  });

  it("is told what is no JSON, and no object", () => {
    expect(() => parseScenario("{")).toThrow(/^the scenario is not JSON: /);
    expect(() => parseScenario("", "a.json")).toThrow(/^a\.json is not JSON: Unexpected end of JSON input$/);
    expect(() => parseScenario("\ufeff{}", "a.json")).toThrow(
      /^a\.json is not JSON: it begins with a byte order mark$/,
    );
    expect(() => readScenario([], STUDIES)).toThrow(/^scenario: \[\]: must be an object with format, name, /);
  });
});

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}
