/** A study for tests of the frame: coins that are thrown, in as many cells as are asked for. */
import { Type } from "@sinclair/typebox";
import type { CellPlace, Json, Study } from "../../fleet/study.ts";
import { Random } from "../../sim-board/random.ts";

interface Coins {
  readonly cells: number;
  readonly throws: number;
  readonly coin: { readonly headsShare: number; readonly name?: string };
  readonly kind: "fair" | "bent";
  readonly failing: readonly number[];
  readonly ending: readonly number[];
}

export const coins: Study<Coins> = {
  name: "coins",
  title: "Coins that are thrown",
  parameters: Type.Object(
    {
      cells: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 4, description: "how many throw them" }),
      throws: Type.Integer({ minimum: 1, maximum: 86_400, default: 100, description: "of each" }),
      coin: Type.Object(
        {
          headsShare: Type.Number({ minimum: 0, maximum: 1, default: 0.5, description: "how often heads are up" }),
          name: Type.Optional(Type.String({ minLength: 1, maxLength: 8 })),
        },
        { additionalProperties: false },
      ),
      kind: Type.Union([Type.Literal("fair"), Type.Literal("bent")], { default: "fair" }),
      failing: Type.Array(Type.Integer({ minimum: 0 }), { default: [], maxItems: 3, description: "cells that fail" }),
      ending: Type.Array(Type.Integer({ minimum: 0 }), { default: [], description: "cells that end their thread" }),
    },
    { additionalProperties: false },
  ),
  metrics: [
    { name: "headsShare", unit: "1", meaning: "Heads among all throws." },
    { name: "headsCount", unit: "1", meaning: "Heads of all who throw." },
  ],
  cells: ({ cells }) => cells,
  run({ throws, coin, failing, ending }, { seed, cell }: CellPlace): Json {
    if (failing.includes(cell)) throw new RangeError(`the coin of ${cell} fell off the table`);
    if (ending.includes(cell)) process.exit(9);
    const random = new Random(`${seed}/${cell}`);
    let heads = 0;
    for (let i = 0; i < throws; i++) if (random.u32() < coin.headsShare * 2 ** 32) heads++;
    return { cell, heads };
  },
  merge({ cells, throws }, results) {
    const heads = results.map((one) => (one as { heads: number }).heads);
    const headsCount = heads.reduce((sum, one) => sum + one, 0);
    return {
      measures: { headsShare: headsCount / (cells * throws), headsCount },
      series: [{ name: "heads", unit: "1", points: heads.slice(0, 5).map((count, i) => [i, count] as const) }],
    };
  },
  estimate: ({ cells, throws }) => ({
    boards: cells,
    events: cells * throws,
    cpuSeconds: cells * throws * 1e-8,
    bytesResident: 1000,
  }),
};

/** As a module that `--studies` takes. */
export const STUDIES: readonly Study<never>[] = [coins];

/** A scenario of it; `changes` replace fields. */
export function coinScenario(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    format: 1,
    name: "coin-tosses",
    title: "Tossed coins",
    question: "How often are heads up?",
    sources: ["nobody"],
    study: "coins",
    parameters: { cells: 3, throws: 50 },
    ...changes,
  };
}
