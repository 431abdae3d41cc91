/**
 * The protocol's tables as data: names, numbers and comments, read from their sources in `firmware/protocol/`. A
 * `const enum` leaves no names behind when it is compiled, so the docs and their tests read the text.
 */
import { readFileSync } from "node:fs";
import { TRANSITIONS } from "../../firmware/protocol/states.ts";

export type Entry = {
  name: string;
  value: number;
  /** The comment above it, as one line; empty if there is none. */
  comment: string;
  /** The heading comment (`// ...`) of the group it stands in; empty if there is none. */
  group: string;
};

export type Transition = { from: number; event: number; to: number };

const protocol = new URL("../../firmware/protocol/", import.meta.url);

/** Members of an exported `const enum`. @throws Error if the file has no such enum, or a line in it that is not known. */
export function enumEntries(file: string, name: string): Entry[] {
  const source = readFileSync(new URL(file, protocol), "utf8");
  const body = source.match(new RegExp(`^export const enum ${name} \\{\\n([\\s\\S]*?)^\\}`, "m"))?.[1];
  if (body === undefined) throw new Error(`firmware/protocol/${file} has no enum ${name}`);
  const entries: Entry[] = [];
  let comment: string[] = [];
  let group = "";
  for (const raw of body.split("\n")) {
    const line = raw.trim();
    const member = line.match(/^(\w+) = (-?(?:0x[0-9a-f]+|\d+)),$/);
    if (member) {
      entries.push({ name: member[1]!, value: Number(member[2]), comment: comment.join(" "), group });
      comment = [];
    } else if (line.startsWith("// ")) group = line.slice(3);
    else if (/^\/?\*/.test(line))
      comment.push(
        ...line
          .replace(/^\/?\*+\s?/, "")
          .replace(/\s*\*\/$/, "")
          .split("\n")
          .filter(Boolean),
      );
    else if (line !== "") throw new Error(`firmware/protocol/${file}, enum ${name}: cannot read "${line}"`);
  }
  return entries;
}

export function gateStates(): Entry[] {
  return enumEntries("states.ts", "GateState");
}

export function gateEvents(): Entry[] {
  return enumEntries("states.ts", "GateEvent");
}

export function errorCodes(): Entry[] {
  return enumEntries("errors.ts", "ErrorCode");
}

/** The rows of the one table. */
export function transitions(): Transition[] {
  const rows: Transition[] = [];
  for (let i = 0; i + 2 < TRANSITIONS.length; i += 3) {
    rows.push({ from: TRANSITIONS[i]!, event: TRANSITIONS[i + 1]!, to: TRANSITIONS[i + 2]! });
  }
  return rows;
}
