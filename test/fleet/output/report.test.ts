/** The report: whole, safe, without anything to fetch, and with every figure in it. */
import { describe, expect, it } from "vitest";
import { quantityText } from "../../../fleet/output/plot/quantity.ts";
import { renderReport } from "../../../fleet/output/report.ts";
import { judge } from "../../../fleet/output/verdict.ts";
import type { RunResult } from "../../../fleet/run/result.ts";
import type { Json } from "../../../fleet/study.ts";
import { METRICS, resultOf, type Shape, sweepShape } from "./results.ts";

const VOID = new Set(["meta"]);

/** Every element is closed where it should be; gives all of them with their attributes. */
function elementsOf(html: string): { name: string; attributes: string }[] {
  const open: string[] = [];
  const found: { name: string; attributes: string }[] = [];
  const markup = html.replace(/^<!doctype html>\n/, "").replace(/<style>[^<]*<\/style>/, "<style></style>");
  for (const [tag, close, name, attributes] of markup.matchAll(
    /<(\/?)([a-z][a-z0-9]*)((?: [a-zA-Z0-9-]+="[^"<>]*")*)>/g,
  )) {
    if (close) expect(open.pop(), tag).toBe(name);
    else {
      found.push({ name: name!, attributes: attributes! });
      if (!VOID.has(name!)) open.push(name!);
    }
  }
  expect(open).toEqual([]);
  // What is left when the tags are gone has no tag in it: nothing was passed over.
  expect(markup.replace(/<\/?[a-z][a-z0-9]*(?: [a-zA-Z0-9-]+="[^"<>]*")*>/g, "")).not.toMatch(/[<>]/);
  return found;
}

/** As a reader sees it. */
function textOf(html: string): string {
  return html
    .replace(/<style>[^<]*<\/style>/, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replace(/\s+/g, " ");
}

const grid = (axes: readonly (readonly [path: string, values: readonly Json[]])[]): Shape => {
  let points: { name: string; set: Record<string, Json> }[] = [{ name: "", set: {} }];
  for (const [path, values] of axes) {
    points = points.flatMap(({ name, set }) =>
      values.map((value) => ({
        name: `${name === "" ? "" : `${name}, `}${path.split(".").at(-1)}=${value}`,
        set: { ...set, [path]: value },
      })),
    );
  }
  return { axes: axes.map(([path, values]) => ({ path, values })), points };
};

const named = ["2/5", "4/7", "6/7"].map((name) => ({ name, set: { quorum: name } }));

const SHAPES: Readonly<Record<string, RunResult>> = {
  "a sweep with expected figures": resultOf(sweepShape()),
  "a single point of one seed": resultOf({ seeds: 1 }),
  "points by name": resultOf({ points: named, seeds: 3 }),
  "a grid of three axes": resultOf({
    ...grid([
      ["verifiers", [1, 3, 5, 7]],
      ["region", ["north", "south"]],
      ["agreement.leaseSeconds", [60, 120, 240]],
    ]),
    seeds: 2,
  }),
  "more points than plots have room for": resultOf({
    points: Array.from({ length: 130 }, (_, at) => ({ name: `point ${at}`, set: {} })),
    seeds: 2,
  }),
};

/** Every figure of every run as given. */
function withMeasures(edit: (measures: Record<string, number>, point: number) => Record<string, number>): RunResult {
  const result = resultOf({ points: named, seeds: 2 });
  const points = result.points.map((point, at) => ({
    ...point,
    runs: point.runs.map((run) => ({ ...run, outcome: { measures: edit({ ...run.outcome.measures }, at) } })),
  }));
  return { ...result, points };
}

/** WCAG 2.2, relative luminance. */
function luminance(hex: string): number {
  const [red, green, blue] = [0, 2, 4].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

describe("a report", () => {
  for (const [name, result] of Object.entries(SHAPES)) {
    it(`is well-formed, fetches nothing, runs nothing and has no number that is none: ${name}`, () => {
      const html = renderReport(result, METRICS);
      const elements = elementsOf(html);
      for (const { name: tag, attributes } of elements) {
        expect(["script", "link", "img", "iframe", "object", "embed", "base", "form", "use", "image"]).not.toContain(
          tag,
        );
        expect(attributes).not.toMatch(/ (?:src|srcset|on[a-z]+|xlink:href|style)="/);
        if (/ href=/.test(attributes)) expect(tag).toBe("a");
      }
      expect(html).not.toMatch(/url\(|@import|http:/);
      expect(html).toContain(`content="default-src &#39;none&#39;`.replaceAll("&#39;", "'"));
      expect(html).not.toMatch(/NaN|Infinity|undefined|\[object/);
    });

    it(`has a title and a text for each plot, names for each table, and no two parts of one id: ${name}`, () => {
      const html = renderReport(result, METRICS);
      const elements = elementsOf(html);
      const ids = elements.flatMap(({ attributes }) => / id="([^"]*)"/.exec(attributes)?.[1] ?? []);
      expect(new Set(ids).size).toBe(ids.length);
      const plots = elements.filter(({ attributes }) => / class="plot"/.test(attributes));
      if (result.points.length > 1) expect(plots.length).toBeGreaterThan(0);
      for (const { attributes } of elements) {
        for (const id of (/ aria-labelledby="([^"]*)"/.exec(attributes)?.[1] ?? "main").split(" "))
          expect([...ids, "main"]).toContain(id);
      }
      for (const { attributes } of plots) expect(attributes).toMatch(/ role="img" aria-labelledby="\S+ \S+"/);
      const tables = html.match(/<table[ >].*?<\/table>/gs)!;
      for (const one of tables) {
        expect(one).toMatch(
          /^<table[^>]*><caption>[^<]+<\/caption><thead[^>]*><tr[^>]*>(?:<th scope="col"[^>]*>[^<]*<\/th>)+/,
        );
        expect(one.match(/<tr[ >]/g)!.length - 1).toBe(one.match(/<th scope="row"/g)!.length);
      }
    });
  }

  it("folds away all but the first figures of many, those with an expected figure first", () => {
    const many = Array.from({ length: 12 }, (_, at) => ({ name: `figure${at}`, unit: "1", meaning: `Meaning ${at}.` }));
    const result = withMeasures((_, point) => Object.fromEntries(many.map(({ name }, at) => [name, at + point])));
    const expectation = {
      metric: "figure11",
      point: "4/7",
      of: "mean",
      expected: 12,
      basis: "published",
      tolerance: "atMost",
    } as const;
    const expected = [{ ...expectation, figure: "the last", source: "x" }];
    const html = renderReport({ ...result, scenario: { ...result.scenario, expect: expected } }, many);
    const open = textOf(html.slice(0, html.indexOf("4 more figures")));
    for (const at of [11, 0, 1, 2, 3, 4, 5, 6]) expect(open).toContain(`Meaning ${at}.`);
    for (const at of [7, 8, 9, 10]) expect(open).not.toContain(`Meaning ${at}.`);
    expect(open.indexOf("Meaning 11.")).toBeLessThan(open.indexOf("Meaning 0."));
    for (const at of [7, 8, 9, 10]) expect(textOf(html)).toContain(`Meaning ${at}.`);
  });

  it("has text that stands out from what it is on, light and dark (WCAG 2.2, 1.4.3 and 1.4.11)", () => {
    const style = /<style>([^<]*)<\/style>/.exec(renderReport(resultOf(), METRICS))![1]!;
    const themes = [...style.matchAll(/:root \{ color-scheme: (light|dark);([^}]*)\}/g)];
    expect(themes.map(([, name]) => name)).toEqual(["light", "dark"]);
    for (const [, theme, text] of themes) {
      const colors = Object.fromEntries(
        [...text!.matchAll(/--([a-z0-9-]+): #([0-9a-f]{6});/g)].map(([, name, hex]) => [name, hex!]),
      );
      const contrast = (one: string, other: string) => {
        const [dark, light] = [luminance(colors[one]!), luminance(colors[other]!)].sort((a, b) => a - b);
        return (light! + 0.05) / (dark! + 0.05);
      };
      for (const name of ["ink", "soft", "link"])
        expect(contrast(name, "paper"), `${theme} ${name}`).toBeGreaterThan(4.5);
      expect(contrast("ink", "panel")).toBeGreaterThan(4.5);
      for (const name of ["good", "bad"])
        expect(contrast(name, `${name}-paper`), `${theme} ${name}`).toBeGreaterThan(4.5);
      for (const name of ["base", "c0", "c1", "c2", "c3", "c4", "c5"]) {
        expect(contrast(name, "paper"), `${theme} ${name}`).toBeGreaterThan(3);
      }
    }
  });

  it("is the same text for the same result", () => {
    expect(renderReport(resultOf(), METRICS)).toBe(renderReport(structuredClone(resultOf()), METRICS));
  });

  it("has question, sources, seed, hashes and the command to run it again", () => {
    const result = { ...resultOf(), seed: "it's 7" };
    const text = textOf(renderReport(result, METRICS));
    for (const part of [
      result.scenario.title,
      result.scenario.question,
      ...result.scenario.notes,
      ...result.scenario.sources,
    ]) {
      expect(text).toContain(part);
    }
    expect(text).toContain(`quiesce fleet run pause-latency --seed 'it'\\''s 7'`);
    for (const hash of [result.scenarioSha256, result.firmwareSha256]) expect(text).toContain(hash);
    expect(text).toContain("not that silicon does");
  });

  it("holds each expected figure beside the measured one, with its verdict", () => {
    const result = resultOf();
    const html = renderReport(result, METRICS);
    const rows = html.match(/<tr[ >].*?<\/tr>/gs)!;
    for (const expectation of result.scenario.expect) {
      const row = textOf(rows.find((one) => textOf(one).includes(expectation.figure))!);
      const { held, ok } = judge(expectation, result.points.find(({ name }) => name === expectation.point)!.runs);
      expect(row).toContain(textOf(quantityText(expectation.expected, "s", 4)));
      expect(row).toContain(textOf(quantityText(held!, "s", 4)));
      expect(row).toContain(ok ? "✓ agrees" : "✗ differs");
      expect(row).toContain(expectation.source);
    }
    const text = textOf(html);
    expect(text).toContain(
      "Of 3 expected figures, 2 agree with the measured ones; one differs by more than the tolerance:",
    );
    expect(text).toContain("A day's license <of another vendor>: expected 16.67 h, measured");
    // In the plot, each of them has a mark that says it.
    expect(html.match(/<title>Expected: /g)).toHaveLength(3);
  });

  it("has every metric that has a value: plots where points differ, a table where they do not", () => {
    const text = textOf(renderReport(resultOf(), METRICS));
    for (const { meaning } of METRICS) expect(text).toContain(meaning);
    expect(text).toContain("Boards closed share Boards whose gate was closed in the end. 1 ");
    expect(text).toContain("Pause latency (max): from ");
    expect(text).toContain("(cap none, lease 90 d); it rises with lease.");
    expect(text).toContain("Boards running over time");
  });

  it("has no plot of what only the seeds change, and one of what is missing at a point", () => {
    // Two seeds give 1 and 3 at every point; bytes are the same wherever there are any.
    let run = 0;
    const result = withMeasures(({ reportBytes, ...rest }, at) => ({
      ...rest,
      leakOperations: run++ % 2 === 0 ? 1 : 3,
      ...(at > 0 && { reportBytes: 7 }),
    }));
    const text = textOf(renderReport(result, METRICS));
    const same = text.slice(text.indexOf("The same at every point"));
    expect(same).toMatch(
      /^The same at every point .*by all boards together\. 2 operations \(95 % interval .*, 2 seeds\)/,
    );
    expect(text).toMatch(/Report bytes: from 7 B [^;]*; at 1 point it did not come about\./);
  });

  it("leaves a metric out that never came about, and says where one came about only in part", () => {
    const text = textOf(
      renderReport(
        withMeasures(({ reportBytes, leakOperations, ...rest }, at) =>
          at === 0 ? rest : { ...rest, leakOperations: leakOperations! },
        ),
        METRICS,
      ),
    );
    expect(text).not.toContain("All signed reports together.");
    expect(text).toMatch(/Leak operations: from [^;]*; at 1 point it did not come about\./);
  });

  it("says what a run of one seed does not tell", () => {
    expect(textOf(renderReport(resultOf({ seeds: 1 }), METRICS))).toContain("With one seed there is no interval");
  });

  it("stands any finite figure", () => {
    for (const value of [0, -1, 1e-300, 1.7e308, -1.7e308, 2 ** 53, 5e-324]) {
      const html = renderReport(
        withMeasures((measures, at) => ({
          ...measures,
          leakOperations: at === 0 ? 0 : value * (at * 0.5),
          reportBytes: at === 0 ? 1 : value,
        })),
        METRICS,
      );
      expect(html, String(value)).not.toMatch(/NaN|Infinity|undefined/);
      elementsOf(html);
    }
  });

  it("shows text as text, whatever a scenario calls itself", () => {
    const evil = `"><script>alert(1)</script>'&amp;`;
    const result = resultOf({
      ...sweepShape(),
      axes: [],
      points: [evil, "other"].map((name) => ({ name, set: { [evil]: name } })),
      parameters: { [evil]: [evil, { [evil]: evil }] },
      question: evil,
      expect: [
        {
          figure: evil,
          metric: evil,
          point: evil,
          of: "mean",
          expected: 1,
          basis: "bound",
          tolerance: "atMost",
          source: evil,
        },
      ],
    });
    const html = renderReport({ ...result, seed: evil, version: evil }, METRICS);
    elementsOf(html);
    expect(html).not.toContain("<script");
    expect(textOf(html)).toContain(evil);
  });
});
