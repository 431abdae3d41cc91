/** The timeline as strips of characters, one cell a stretch of time: gate, rate of work, credit, marks. */
import { GateState } from "../../../firmware/protocol/states.ts";
import { className, stateName } from "../../cli/names.ts";
import { color, pad, widthOf } from "../../cli/output.ts";
import type { Cell, MarkKind, Timeline } from "../timeline.ts";

const LEVELS = "▁▂▃▄▅▆▇█";
const LABEL = 10;

type Paint = (text: string) => string;

/** Every state has a character of its own: colors are a help, not the message. */
const GATES: Record<number, readonly [character: string, paint: Paint]> = {
  [GateState.OPEN]: ["█", color.green],
  [GateState.SLOWED]: ["▓", color.green],
  [GateState.DRAINING]: ["▒", color.yellow],
  [GateState.PAUSED]: ["░", color.red],
  [GateState.IDLE]: ["·", color.dim],
  [GateState.LOCKED]: ["×", color.red],
  [GateState.TAMPERED]: ["!", color.red],
};

/** Several marks in one cell: the first of these is shown. */
const MARKS: readonly (readonly [MarkKind, string])[] = [
  ["pause", "‖"],
  ["resume", "▶"],
  ["license", "L"],
  ["report", "•"],
];

/** Lines of at most `columns` characters. */
export function strips(timeline: Timeline, columns: number): string[] {
  const width = Math.max(20, columns - LABEL - 4);
  const past = timeline.cells(width).filter(({ isPast }) => isPast);
  const most = Math.max(1, ...past.map(({ done }) => done));
  const rows: readonly [string, string][] = [
    ["gate", gateStrip(past)],
    ["work", past.map(({ done }) => level(done / most)).join("")],
    ["credit", past.map(({ credit }) => level(credit)).join("")],
    ["", past.map(({ marks }) => markCell(marks)).join("")],
  ];
  return [
    `  ${pad("", LABEL)}${axis(Math.max(timeline.horizonSeconds, timeline.now?.seconds ?? 0), width)}`,
    ...rows.map(([name, strip]) => `  ${color.dim(pad(name, LABEL))}${strip.trimEnd()}`),
  ];
}

/** Cells of one state in a row are painted together. */
function gateStrip(cells: readonly Cell[]): string {
  const runs: { gate: number; count: number }[] = [];
  for (const { gate } of cells) {
    const run = runs.at(-1);
    if (run?.gate === gate) run.count++;
    else runs.push({ gate, count: 1 });
  }
  return runs.map(({ gate, count }) => gateCells(gate, count)).join("");
}

/** What the characters mean, in as many lines as the columns ask for. */
export function legend(timeline: Timeline, columns: number): string[] {
  const shown = [GateState.OPEN, GateState.DRAINING, GateState.PAUSED, GateState.LOCKED];
  const gates = shown.map((state) => `${gateCells(state, 1)} ${color.dim(stateName(state))}`).join("  ");
  const marks = color.dim("L license  • report  ‖ pause  ▶ resume");
  const classes = color.dim(`work and credit: ${className(timeline.mainClass)}`);
  const one = [gates, marks, classes].join("   ");
  const lines = widthOf(one) + LABEL + 2 <= columns ? [one] : [gates, marks, classes];
  return lines.map((line) => `  ${pad("", LABEL)}${line}`);
}

/** One line of what is now. */
export function status(timeline: Timeline): string {
  const { now } = timeline;
  if (!now) return "";
  const part = Math.min(1, now.done / Math.max(1, timeline.goal));
  const [, paint] = GATES[now.gate] ?? ["", color.reset];
  const counts = (kind: MarkKind) => timeline.marks.filter((mark) => mark.kind === kind).length;
  return (
    `  ${pad(clock(now.seconds), LABEL)}${paint(pad(stateName(now.gate), 10))}` +
    `work ${pad(percent(part), 5, true)}   credit ${pad(percent(now.credit), 5, true)}   ` +
    `licenses ${counts("license")}   reports ${counts("report")}`
  );
}

/** `1:50:44`. */
export function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}

function gateCells(state: number, count: number): string {
  const [character, paint] = GATES[state] ?? ["?", color.red];
  return paint(character.repeat(count));
}

function level(part: number): string {
  if (part <= 0) return " ";
  return LEVELS[Math.min(LEVELS.length - 1, Math.floor(part * LEVELS.length))]!;
}

function markCell(marks: ReadonlySet<MarkKind>): string {
  return MARKS.find(([kind]) => marks.has(kind))?.[1] ?? " ";
}

function axis(seconds: number, width: number): string {
  const end = clock(seconds);
  return color.dim(pad("0:00:00", width - end.length) + end);
}
