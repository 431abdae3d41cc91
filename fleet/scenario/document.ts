/** What a scenario's file may hold, as a schema: docs/fleet.md says what each field means. */
import { type Static, Type } from "@sinclair/typebox";
import { Closed } from "../../host/http/schemas/basic.ts";
import type { Json } from "../study.ts";
import { BASES, type Basis } from "./scenario.ts";

const FORMAT = 1;
export const FILE_BYTES_MAX = 1_048_576;
export const POINTS_MAX = 10_000;
/** Each of them is held against all others of its point. */
export const PATHS_MAX = 256;
const SEEDS_MAX = 1_000;
export const AXES_MAX = 16;
const EXPECTATIONS_MAX = 1_000;
const POINT_NAME_CHARACTERS_MAX = 200;

/** Nothing in a foreign text may act on a terminal. */
function text(charactersMax: number) {
  return Type.String({
    minLength: 1,
    maxLength: charactersMax,
    pattern: "^[^\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]+$",
    allowed: `must be a text of 1 to ${charactersMax} printable characters`,
  });
}

const NAME = "^[a-z0-9][a-z0-9-]{0,63}$";
const Name = Type.String({
  pattern: NAME,
  allowed: "must be 1 to 64 small letters, digits and hyphens",
});
/** Any JSON: the study's schema says what is allowed. */
const Anything = Type.Unsafe<Json>({ allowed: "must be given" });
const Anythings = Type.Unsafe<{ readonly [path: string]: Json }>({
  type: "object",
  patternProperties: { "": Anything },
  allowed: "must be an object of paths and values",
});

const Tolerance = Type.Union(
  [
    Closed({ relative: Type.Number({ minimum: 0 }) }),
    Closed({ absolute: Type.Number({ minimum: 0 }) }),
    Closed({ from: Type.Number(), to: Type.Number() }),
    Type.Literal("atMost"),
    Type.Literal("atLeast"),
  ],
  {
    allowed:
      'must be {"relative": 0 or more}, {"absolute": 0 or more}, {"from": number, "to": number}, "atMost" or "atLeast"',
  },
);

const Expectation = Closed({
  figure: text(200),
  metric: text(100),
  point: text(POINT_NAME_CHARACTERS_MAX),
  of: Type.Union(
    ["mean", "max", "min", "each"].map((of) => Type.Literal(of as "mean" | "max" | "min" | "each")),
    { default: "mean" },
  ),
  expected: Type.Number(),
  basis: Type.Union(
    Object.keys(BASES).map((basis) => Type.Literal(basis as Basis)),
    { default: "published" },
  ),
  tolerance: Tolerance,
  source: text(400),
});

export const ScenarioDocument = Closed({
  format: Type.Literal(FORMAT),
  name: Name,
  title: text(200),
  question: text(600),
  notes: Type.Array(text(2000), { maxItems: 16, default: [] }),
  sources: Type.Array(text(600), { maxItems: 64, default: [] }),
  study: Name,
  parameters: Type.Unsafe<{ readonly [name: string]: Json }>({
    ...Anythings,
    default: {},
    allowed: "must be an object",
  }),
  points: Type.Array(Closed({ name: text(POINT_NAME_CHARACTERS_MAX), set: Anythings }), {
    maxItems: POINTS_MAX,
    default: [],
  }),
  sweep: Type.Unsafe<{ readonly [path: string]: readonly Json[] }>({
    type: "object",
    patternProperties: { "": { type: "array", items: Anything, minItems: 1, maxItems: POINTS_MAX, uniqueItems: true } },
    default: {},
    allowed: "must be an object of paths and lists of values",
  }),
  seeds: Type.Integer({ minimum: 1, maximum: SEEDS_MAX, default: 1 }),
  expect: Type.Array(Expectation, { maxItems: EXPECTATIONS_MAX, default: [] }),
});

export type ScenarioDocument = Static<typeof ScenarioDocument>;
