/** The one table of transitions, as a thing to be trusted: the firmware runs on it as it stands. */
import { describe, expect, it } from "vitest";
import { TRANSITIONS } from "../../firmware/protocol/states.ts";
import { gateEvents, gateStates, transitions } from "../../host/docs/tables.ts";

const states = gateStates();
const events = gateEvents();
const rows = transitions();
const state = (name: string) => states.find((entry) => entry.name === name)!.value;
const event = (name: string) => events.find((entry) => entry.name === name)!.value;

function bitsApart(a: number, b: number): number {
  let bits = 0;
  for (let difference = (a ^ b) >>> 0; difference !== 0; difference >>>= 1) bits += difference & 1;
  return bits;
}

describe("the states of the gate", () => {
  it("are the seven of the design", () => {
    expect(states.map(({ name }) => name).sort()).toEqual(
      ["LOCKED", "IDLE", "OPEN", "SLOWED", "DRAINING", "PAUSED", "TAMPERED"].sort(),
    );
  });

  it("differ in at least 8 bits from one another, from zero and from all ones", () => {
    const values = [...states.map(({ value }) => value), 0, 0xffffffff];
    for (const [i, a] of values.entries()) {
      for (const b of values.slice(i + 1))
        expect(bitsApart(a, b), `${a.toString(16)} ${b.toString(16)}`).toBeGreaterThanOrEqual(8);
    }
  });

  it("read the same as signed and as unsigned numbers", () => {
    for (const { name, value } of states) expect(value | 0, name).toBe(value);
  });
});

describe("the table of transitions", () => {
  it("has whole rows of known states and events", () => {
    expect(TRANSITIONS.length % 3).toBe(0);
    const known = new Set(states.map(({ value }) => value));
    const heard = new Set(events.map(({ value }) => value));
    for (const row of rows) {
      expect(known.has(row.from)).toBe(true);
      expect(heard.has(row.event)).toBe(true);
      expect(known.has(row.to)).toBe(true);
    }
  });

  it("leads from a state by an event to one state only", () => {
    const pairs = rows.map((row) => `${row.from} ${row.event}`);
    expect(new Set(pairs).size).toBe(pairs.length);
  });

  it("has no event that leads nowhere", () => {
    for (const { name, value } of events)
      expect(
        rows.some((row) => row.event === value),
        name,
      ).toBe(true);
  });

  it("lets nothing out of TAMPERED, and lets tampering in from everywhere else", () => {
    expect(rows.filter((row) => row.from === state("TAMPERED"))).toEqual([]);
    for (const { name, value } of states) {
      if (name === "TAMPERED") continue;
      expect(rows, name).toContainEqual({ from: value, event: event("TAMPERED"), to: state("TAMPERED") });
    }
  });

  it("fails closed from everywhere but TAMPERED", () => {
    for (const { name, value } of states) {
      if (name === "TAMPERED") continue;
      expect(rows, name).toContainEqual({ from: value, event: event("FAILED"), to: state("LOCKED") });
    }
  });

  it("reaches every state from LOCKED, where every power-up begins", () => {
    const reached = new Set([state("LOCKED")]);
    for (const from of reached) for (const row of rows) if (row.from === from) reached.add(row.to);
    expect(reached.size).toBe(states.length);
  });

  it("lets work begin by the two opening events alone, and only from IDLE", () => {
    const flowing = new Set([state("OPEN"), state("SLOWED")]);
    const opening = rows.filter((row) => flowing.has(row.to) && !flowing.has(row.from));
    expect(opening).toEqual([
      { from: state("IDLE"), event: event("OPENED"), to: state("OPEN") },
      { from: state("IDLE"), event: event("OPENED_SLOW"), to: state("SLOWED") },
    ]);
  });

  it("never leads from PAUSED to work without a resume first", () => {
    const ways = rows.filter((row) => row.from === state("PAUSED")).map((row) => row.to);
    expect(new Set(ways)).toEqual(new Set([state("IDLE"), state("LOCKED"), state("TAMPERED")]));
    expect(rows).toContainEqual({ from: state("PAUSED"), event: event("RESUMED"), to: state("IDLE") });
  });

  it("closes work that flows by a drain or at once, never by leaving it as it is", () => {
    for (const name of ["PAUSED", "STARVED"]) {
      for (const from of ["OPEN", "SLOWED"]) {
        expect(rows).toContainEqual({ from: state(from), event: event(name), to: state("DRAINING") });
      }
    }
  });
});
