/** docs/agent.md names every code and every key of the configuration. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseAgentConfig } from "../../host/agent/daemon/read-config.ts";
import { DRIVER_ERRORS } from "../../host/agent/driver.ts";
import { AGENT_ERRORS } from "../../host/agent/errors.ts";
import { CLIENT_ERRORS } from "../../host/client/errors.ts";

const page = readFileSync(new URL("../../docs/agent.md", import.meta.url), "utf8");

describe("the agent's page", () => {
  const rows: readonly (readonly [string, string])[] = [
    ...Object.entries(CLIENT_ERRORS).map(([code, [, phrase]]) => [code, phrase] as const),
    ...Object.entries(DRIVER_ERRORS),
    ...Object.entries(AGENT_ERRORS),
  ];

  it.each(rows)("says what %s means, as the program does", (code, phrase) => {
    expect(page).toContain(`| \`${code}\` | ${phrase} |`);
  });

  it("names no code that there is not", () => {
    const named = [...page.matchAll(/^\| `((?:client|driver|agent)\/[a-z-]+)`/gm)].map(([, code]) => code);
    expect(named).toEqual(rows.map(([code]) => code));
  });

  it("shows a configuration that is one, and the defaults that the program has", () => {
    const example = /```json\n([\s\S]*?)```/.exec(page)![1]!;
    const { license, reports, requests, boards, ...rest } = parseAgentConfig(example, "agent.json", "/");
    const defaults = { license, reports, requests, boards };
    for (const [group, values] of Object.entries(defaults)) {
      for (const [key, value] of Object.entries(values)) {
        if (typeof value === "number") expect(page).toContain(`| \`${group}.${key}\` | ${value} |`);
      }
    }
    expect(page).toContain(`| \`pollSeconds\` | ${rest.pollSeconds} |`);
    expect(page).toContain(`| \`recover\` | ${rest.recover} |`);
    expect(page).toContain(`| \`logLevel\` | \`${rest.logLevel}\` |`);
  });
});
