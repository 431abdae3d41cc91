/** `model/gate.pml`: states, events and the one table of transitions, for Spin. */
import { type Entry, gateEvents, gateStates, transitions } from "./tables.ts";

const HEAD = `/*
 * The states of the gate, its events, and what an event does: \`TRANSITIONS\` of firmware/protocol/states.ts in Promela.
 * Made by \`npm run docs\` from that table; a test holds it current. Do not edit.
 */`;

/** Events and states share names: in the model an event is what is on. */
const eventName = ({ name }: Entry) => `ON_${name}`;

export function gateModel(): string {
  const [states, events] = [gateStates(), gateEvents()];
  const nameOf = (value: number) => states.find((state) => state.value === value)!.name;
  const rows = transitions().map(({ from, event, to }, row) => {
    const on = eventName(events.find((entry) => entry.value === event)!);
    return `  :: state == ${nameOf(from)} && (event) == ${on} -> took(${row}); state = ${nameOf(to)}`;
  });
  return `${HEAD}

mtype = { ${states.map(({ name }) => name).join(", ")} }
mtype = { ${events.map(eventName).join(", ")} }

mtype state = ${states[0]!.name};
bit rowless; /* a pair that has no row was met */

/* A pair without a row closes the gate and locks it. */
inline move(event) {
  printf("MOVE %e %e\\n", state, event);
  d_step {
    if
${rows.map((row) => `  ${row}`).join("\n")}
    :: else -> rowless = 1; credit = 0; if :: state != TAMPERED -> state = LOCKED :: else fi
    fi
  }
}
`;
}
