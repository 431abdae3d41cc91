/** The timeline as strips of characters, one cell a stretch of time: gate, rate of work, credit, marks. */
import { GateState } from "../../../firmware/protocol/states.ts";
import { className, stateName } from "../../cli/names.ts";
import { color, pad } from "../../cli/output.ts";
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
  const cells = timeline.cells(width);
  const most = Math.max(1, ...cells.map(({ done }) => done));
  const rows: readonly [string, (cell: Cell) => string][] = [
    ["gate", (cell) => gateCell(cell.gate)],
    ["work", (cell) => level(cell.done / most)],
    ["credit", (cell) => level(cell.credit)],
    ["", (cell) => markCell(cell.marks)],
  ];
  return [
    `  ${pad("", LABEL)}${axis(Math.max(timeline.horizonSeconds, timeline.now?.seconds ?? 0), width)}`,
    ...rows.map(
      ([name, draw]) =>
        `  ${color.dim(pad(name, LABEL))}${cells
          .map((cell) => (cell.isPast ? draw(cell) : " "))
          .join("")
          .trimEnd()}`,
    ),
  ];
}

export function legend(timeline: Timeline): string {
  const shown = [GateState.OPEN, GateState.DRAINING, GateState.PAUSED, GateState.LOCKED];
  const gates = shown.map((state) => `${gateCell(state)} ${stateName(state)}`).join("  ");
  const marks = "L license  • report  ‖ pause  ▶ resume";
  return `  ${pad("", LABEL)}${color.dim(`${gates}   ${marks}   work and credit: ${className(timeline.mainClass)}`)}`;
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

function gateCell(state: number): string {
  const [character, paint] = GATES[state] ?? ["?", color.red];
  return paint(character);
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
