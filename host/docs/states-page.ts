/** `docs/states.md`: the states of the gate, the events, and the one table of transitions. */
import { markdownTable, NOTICE } from "./markdown.ts";
import { type Entry, gateEvents, gateStates, type Transition, transitions } from "./tables.ts";

const INTRODUCTION = `# States of the gate

${NOTICE}

The gate moves by one table, \`TRANSITIONS\` in \`firmware/protocol/states.ts\`: the firmware runs on it, and this page and
the tests are made from it. A pair of state and event that has no row closes the gate and locks it. State encodings
differ in at least 8 of 32 bits. \`OPEN\` and \`SLOWED\` are reached only through a value that the license's signature
check leaves behind: without it the encoding that results is no state at all.
`;

export function statesPage(): string {
  const [states, events, rows] = [gateStates(), gateEvents(), transitions()];
  const everywhere = events.filter((event) => leadsFromEverywhere(event, states, rows));
  const others = rows.filter((row) => !everywhere.some((event) => event.value === row.event));
  return [
    INTRODUCTION,
    "## States\n",
    markdownTable(
      ["state", "encoding", "meaning"],
      states.map(({ name, value, comment }) => [`\`${name}\``, `\`0x${hex(value)}\``, comment]),
    ),
    "## Events\n",
    markdownTable(
      ["event", "number", "meaning"],
      events.map(({ name, value, comment }) => [`\`${name}\``, String(value), comment]),
    ),
    "## Diagram\n",
    `${everywhere.map((event) => sentenceOf(event, states, rows)).join(" ")} These are left out of the diagram.\n`,
    diagram(others, states, events),
    "## Transitions\n",
    markdownTable(
      ["from", "event", "to"],
      rows.map((row) => [
        `\`${nameOf(states, row.from)}\``,
        `\`${nameOf(events, row.event)}\``,
        `\`${nameOf(states, row.to)}\``,
      ]),
    ),
  ].join("\n");
}

/** An event that leads from every state with a way out to one and the same. */
function leadsFromEverywhere(event: Entry, states: readonly Entry[], rows: readonly Transition[]): boolean {
  const withWayOut = states.filter((state) => rows.some((row) => row.from === state.value));
  const ways = rows.filter((row) => row.event === event.value);
  return ways.length === withWayOut.length && new Set(ways.map((row) => row.to)).size === 1;
}

function sentenceOf(event: Entry, states: readonly Entry[], rows: readonly Transition[]): string {
  const to = rows.find((row) => row.event === event.value)!.to;
  const final = states.filter((state) => !rows.some((row) => row.from === state.value));
  const but = final.map((state) => `\`${state.name}\``).join(", ");
  return `From every state but ${but}, \`${event.name}\` leads to \`${nameOf(states, to)}\`.`;
}

function diagram(rows: readonly Transition[], states: readonly Entry[], events: readonly Entry[]): string {
  const first = states[0]!.name;
  const arrows = rows.map(
    (row) => `  ${nameOf(states, row.from)} --> ${nameOf(states, row.to)}: ${nameOf(events, row.event)}`,
  );
  return `\`\`\`mermaid\nstateDiagram-v2\n  [*] --> ${first}\n${arrows.join("\n")}\n\`\`\`\n`;
}

function nameOf(entries: readonly Entry[], value: number): string {
  return entries.find((entry) => entry.value === value)!.name;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}
