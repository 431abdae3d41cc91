import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ERROR_PHRASES, errorPhrase } from "../../../host/protocol/error-phrases.ts";

const source = readFileSync(new URL("../../../firmware/protocol/errors.ts", import.meta.url), "utf8");
const members = [...source.matchAll(/^ {2}([A-Z][A-Z0-9_]*) = (0x[0-9a-f]+|0),$/gm)].map(
  ([, name, number]) => [name!, Number(number)] as const,
);

describe("the table of refusals", () => {
  it("gives no code to two refusals", () => {
    expect(members.length).toBeGreaterThan(80);
    expect(new Set(members.map(([, code]) => code)).size).toBe(members.length);
  });

  it("says of every code what was wrong and what to do", () => {
    for (const [name, code] of members) {
      const row = ERROR_PHRASES[code];
      expect(row?.name, name).toBe(name);
      expect(row?.phrase.length, name).toBeGreaterThan(10);
      expect(row?.remedy.length, name).toBeGreaterThan(10);
    }
    expect(Object.keys(ERROR_PHRASES).length).toBe(members.length);
  });

  it("says of an unknown code that it is unknown instead of failing", () => {
    expect(errorPhrase(0xfe01).name).toBe("0xfe01");
  });
});
