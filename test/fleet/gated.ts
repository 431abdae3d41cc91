/** A study for tests of workers that are killed: its cells go on when there is a file, and not before. */
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { Type } from "@sinclair/typebox";
import type { Study } from "../../fleet/study.ts";
import { Random } from "../../sim-board/random.ts";

interface Gated {
  readonly gate: string;
  readonly cells: number;
}

/** Resolves when the file is there. */
export async function isOpen(gate: string): Promise<void> {
  while (!existsSync(gate)) await delay(5);
}

const gated: Study<Gated> = {
  name: "gated",
  title: "Cells behind a gate",
  parameters: Type.Object(
    { gate: Type.String({ minLength: 1 }), cells: Type.Integer({ minimum: 1, maximum: 1000, default: 3 }) },
    { additionalProperties: false },
  ),
  metrics: [{ name: "sum", unit: "1", meaning: "Of what the cells drew." }],
  cells: ({ cells }) => cells,
  async run({ gate }, { seed, cell }) {
    await isOpen(gate);
    return new Random(`${seed}/${cell}`).u32();
  },
  merge: (_parameters, cells) => ({ measures: { sum: cells.reduce<number>((sum, one) => sum + Number(one), 0) } }),
  estimate: ({ cells }) => ({ boards: 0, events: cells, cpuSeconds: cells * 60, bytesResident: 0 }),
};

export const STUDIES: readonly Study<never>[] = [gated];
