/** The recorded traces: drawn from the model by `npm run model -- --traces`, kept as text, replayed without spin. */
import { readdirSync, readFileSync } from "node:fs";
import { gateEvents, gateStates, transitions } from "../../host/docs/tables.ts";
import { runTo, walk } from "./spin.ts";
import { readTrace, traceLines } from "./trace.ts";

export const TRACES = new URL("traces/", import.meta.url);
const WALK = ["TRACED=1", "CUTS=6", "EPOCHS=8", "LICENSES=8"];
const WALKS = 12;
const STEPS = 12_000;
/** Where a run to a row is looked for, one after another. */
const BOUNDS = [
  ["FLASH=0", "DEFECTS=0", "CUTS=1", "EPOCHS=1", "LICENSES=1"],
  ["FLASH=0", "DEFECTS=0", "CUTS=1", "EPOCHS=2", "LICENSES=1"],
  ["FLASH=0", "DEFECTS=1", "CUTS=1", "EPOCHS=2", "LICENSES=1"],
  ["FLASH=1", "DEFECTS=1", "CUTS=1", "EPOCHS=1", "LICENSES=0"],
];

export function recordedTraces(): { name: string; text: string }[] {
  return readdirSync(TRACES)
    .sort()
    .map((name) => ({ name, text: readFileSync(new URL(name, TRACES), "utf8") }));
}

/** Every row of the table, as the model prints a move. */
export function allMoves(): string[] {
  const [states, events] = [gateStates(), gateEvents()];
  return transitions().map(({ from, event }) => {
    const state = states.find(({ value }) => value === from)!.name;
    return `${state} ON_${events.find(({ value }) => value === event)!.name}`;
  });
}

export function movesOf(text: string): Set<string> {
  return new Set(readTrace(text).flatMap(({ moves }) => moves));
}

/** A run to each row of the table, and walks at random; each by its file's name. */
export function* drawTraces(): Generator<readonly [string, string]> {
  for (const [row, move] of allMoves().entries()) {
    // A board that has power is locked once its flash was put back; otherwise a gate fails by a flash that takes no more.
    const lockedFirst = /^LOCKED ON_(?:FAILED|TAMPERED)$/.test(move);
    const within = BOUNDS.slice(lockedFirst ? 3 : move.endsWith("FAILED") ? 2 : 0);
    for (const bounds of within) {
      const defines = ["TRACED=1", ...bounds, `SEEK=${row}`];
      const printed = runTo(defines);
      if (printed === undefined) continue;
      yield [`${move.toLowerCase().replaceAll(/[ _]/g, "-")}.txt`, asTrace(defines, printed)];
      break;
    }
  }
  for (let seed = 1; seed <= WALKS; seed++) {
    yield [`walk-${seed}.txt`, asTrace([...WALK, `seed ${seed}`], walk(seed, STEPS, WALK))];
  }
}

/** Up to the last answer: what comes after it has none. */
function asTrace(from: readonly string[], printed: string): string {
  const lines = traceLines(printed);
  const whole = lines.slice(0, lines.findLastIndex((line) => line.startsWith("SAYS")) + 1);
  return `# ${from.join(" ")}\n${whole.join("\n")}\n`;
}
