/** The shape of `results.json`: that of a `RunResult`. What its parameters may be, the study says. */
import { type TSchema, Type } from "@sinclair/typebox";
import type { RunResult } from "../run/result.ts";
import { BASES } from "../scenario/scenario.ts";
import type { Json } from "../study.ts";

const closed = <T extends Record<string, TSchema>>(fields: T) => Type.Object(fields, { additionalProperties: false });

const Text = Type.String({ maxLength: 4096 });
const Sha256 = Type.String({ pattern: "^[0-9a-f]{64}$" });
const Anything = Type.Unsafe<Json>(Type.Unknown());
const Values = Type.Record(Type.String(), Anything);

const Tolerance = Type.Union([
  closed({ relative: Type.Number({ minimum: 0 }) }),
  closed({ absolute: Type.Number({ minimum: 0 }) }),
  closed({ from: Type.Number(), to: Type.Number() }),
  Type.Literal("atMost"),
  Type.Literal("atLeast"),
]);

const Expectation = closed({
  figure: Text,
  metric: Text,
  point: Text,
  of: Type.Union([Type.Literal("mean"), Type.Literal("max"), Type.Literal("min"), Type.Literal("each")]),
  expected: Type.Number(),
  basis: Type.Union(Object.keys(BASES).map((basis) => Type.Literal(basis))),
  tolerance: Tolerance,
  source: Text,
});

const Scenario = closed({
  format: Type.Literal(1),
  name: Text,
  title: Text,
  question: Text,
  notes: Type.Array(Text),
  sources: Type.Array(Text),
  study: Text,
  parameters: Values,
  axes: Type.Array(closed({ path: Text, values: Type.Array(Anything) })),
  points: Type.Array(closed({ name: Text, set: Values }), { minItems: 1 }),
  seeds: Type.Integer({ minimum: 1 }),
  expect: Type.Array(Expectation),
});

const Series = closed({
  name: Text,
  unit: Text,
  points: Type.Array(Type.Tuple([Type.Number(), Type.Number()])),
});

const Outcome = closed({
  measures: Type.Record(Type.String(), Type.Number()),
  series: Type.Optional(Type.Array(Series)),
});

export const ResultSchema = Type.Unsafe<RunResult>(
  closed({
    scenario: Scenario,
    scenarioSha256: Sha256,
    seed: Text,
    version: Text,
    firmwareSha256: Sha256,
    points: Type.Array(closed({ name: Text, set: Values, runs: Type.Array(closed({ seed: Text, outcome: Outcome })) })),
  }),
);
