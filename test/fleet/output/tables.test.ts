/** The tables of a run: CSV that other programs read as it was, and Parquet that says the same. */
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { describe, expect, it } from "vitest";
import { csvText, resultsCsv, summaryCsv } from "../../../fleet/output/csv.ts";
import { resultsParquet } from "../../../fleet/output/parquet.ts";
import { resultColumns } from "../../../fleet/output/table.ts";
import { METRICS, resultOf, type Shape, sweepShape } from "./results.ts";

/** Points that do not all set the same, and set all that JSON holds. */
const ODD: Shape = {
  seeds: 2,
  points: [
    { name: 'a "quoted", name', set: { boards: 7, note: "two\nlines", flag: true } },
    { name: "plain", set: { "agreement.leaseSeconds": 60, list: [1, { b: null, a: "x" }], flag: false } },
    { name: "of reserved names", set: { seed: "mine", value: 3, "parameter.seed": 4 } },
  ],
};

const rowsOf = (text: string) => parse(text, { columns: true, relax_column_count: false }) as Record<string, string>[];

describe("CSV", () => {
  it("gives every field back as it was, whatever is in it (RFC 4180)", () => {
    const field = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: fc.constantFrom('"', ",", "\r", "\n", " ") }),
    );
    fc.assert(
      fc.property(fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 5 }), (rows) => {
        const wide = Math.max(...rows.map(({ length }) => length));
        const table = rows.map((row) => [...row, ...Array<string>(wide - row.length).fill("")]);
        const text = csvText(table);
        expect(parse(text, { record_delimiter: "\r\n", bom: false })).toEqual(table);
        expect(text.endsWith("\r\n")).toBe(true);
      }),
    );
  });

  it("gives every number back to its last bit", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Number(csvText([[value]]))).toBe(value === 0 ? 0 : value);
      }),
    );
  });

  it("has a row for each figure, with what its point ran with", () => {
    const rows = rowsOf(resultsCsv(resultOf(ODD), METRICS));
    expect(rows).toHaveLength(3 * 2 * METRICS.length);
    expect(Object.keys(rows[0]!)).toEqual(
      // The fixed columns stay what they are, whatever a point sets.
      "point agreement.leaseSeconds boards flag list note parameter.parameter.seed parameter.seed parameter.value seed metric unit value".split(
        " ",
      ),
    );
    expect(rows[0]).toMatchObject({
      point: 'a "quoted", name',
      boards: "7",
      note: "two\nlines",
      flag: "true",
      "agreement.leaseSeconds": "3600",
      list: "",
      "parameter.seed": "",
      seed: "quiesce-1",
      metric: "pauseLatencySecondsMax",
      unit: "s",
    });
    const plain = rows.find(({ point }) => point === "plain")!;
    expect(plain).toMatchObject({ boards: "10000", list: '[1,{"a":"x","b":null}]', "agreement.leaseSeconds": "60" });
    expect(rows.at(-1)).toMatchObject({ "parameter.seed": "mine", "parameter.value": "3", seed: "quiesce-2" });
  });

  it("sums up each metric of each point over its seeds, with an interval where there are two", () => {
    const many = rowsOf(summaryCsv(resultOf({ ...sweepShape(), seeds: 5 }), METRICS));
    expect(many).toHaveLength(16 * METRICS.length);
    for (const { n, mean, ci95Low, ci95High, min, max } of many) {
      expect(n).toBe("5");
      expect(Number(ci95Low)).toBeLessThanOrEqual(Number(mean));
      expect(Number(ci95High)).toBeGreaterThanOrEqual(Number(mean));
      expect(Number(min)).toBeLessThanOrEqual(Number(max));
    }
    const one = rowsOf(summaryCsv(resultOf({ seeds: 1 }), METRICS));
    expect(one[0]).toMatchObject({ n: "1", ci95Low: "", ci95High: "", mean: one[0]!.max });
  });

  it("refuses a figure that the study does not define", () => {
    expect(() => resultsCsv(resultOf(), METRICS.slice(1))).toThrow(
      "output/metric: pauseLatencySecondsMax: a figure that the study does not define",
    );
  });
});

describe("Parquet", () => {
  const read = async (bytes: Uint8Array) => parquetReadObjects({ file: bytes.slice().buffer });

  for (const [name, shape] of [
    ["a sweep", sweepShape()],
    ["points that set all that JSON holds", ODD],
  ] as const) {
    it(`reads back as the same table: ${name}`, async () => {
      const result = resultOf(shape);
      const rows = await read(resultsParquet(result, METRICS));
      const columns = resultColumns(result, METRICS);
      expect(rows).toHaveLength(columns[0]!.values.length);
      for (const { name, values } of columns) {
        const texts = new Set(values.map((value) => typeof value)).size > 1 || typeof values[0] === "object";
        for (const [at, value] of values.entries()) {
          const found = rows[at]![name];
          if (value === undefined) expect(found ?? null).toBeNull();
          else if (typeof value !== "object" && (!texts || typeof value === "string")) expect(found).toBe(value);
          else expect(typeof found === "string" ? JSON.parse(found) : found).toEqual(value);
        }
      }
    });
  }

  it("has numbers as numbers, and says of which run it is and by what it was written", () => {
    const { version, firmwareSha256, scenarioSha256, ...result } = resultOf();
    const bytes = resultsParquet({ version, firmwareSha256, scenarioSha256, ...result }, METRICS);
    const metadata = parquetMetadata(bytes.slice().buffer);
    const types = Object.fromEntries(metadata.schema.slice(1).map(({ name, type }) => [name, type]));
    expect(types).toMatchObject({ "agreement.leaseSeconds": "DOUBLE", value: "DOUBLE", metric: "BYTE_ARRAY" });
    expect(metadata.created_by).toBe("quiesce version 0.1.0");
    const facts = Object.fromEntries(metadata.key_value_metadata!.map(({ key, value }) => [key, value]));
    expect(facts).toMatchObject({
      "quiesce.scenario": "pause-latency",
      "quiesce.scenarioSha256": scenarioSha256,
      "quiesce.seed": "quiesce",
      "quiesce.firmwareSha256": firmwareSha256,
    });
  });
});
