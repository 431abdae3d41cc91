/** The agent's configuration: whatever is wrong in it is said in one line each, by its place. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { EngineClass } from "../../../../firmware/protocol/classes.ts";
import { connect } from "../../../../host/agent/daemon/connections.ts";
import { ConfigError, parseAgentConfig, readAgentConfig } from "../../../../host/agent/daemon/read-config.ts";

const LEAST = {
  state: "state",
  boards: { sockets: "boards" },
  verifiers: [{ name: "north", url: "https://north.example" }],
};
const folder = mkdtempSync(join(tmpdir(), "quiesce-config-"));
afterAll(() => rmSync(folder, { recursive: true }));

const parse = (document: unknown) => {
  const text = typeof document === "string" ? document : JSON.stringify(document);
  return parseAgentConfig(text, "agent.json", "/etc/quiesce");
};

function mistakesOf(work: () => unknown): readonly string[] {
  try {
    work();
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
}

describe("a configuration", () => {
  it("needs three things, and has a default for all others; paths are relative to the file", () => {
    expect(parse(LEAST)).toEqual({
      state: "/etc/quiesce/state",
      boards: { sockets: "/etc/quiesce/boards", everySeconds: 5, timeoutSeconds: 10 },
      verifiers: [{ name: "north", url: "https://north.example" }],
      license: { terms: undefined, renewAt: 0.25, jitter: 0.2 },
      reports: { everySeconds: 300, waitingMax: 64, keep: 1024 },
      pollSeconds: 15,
      requests: { inFlightMax: 16, timeoutSeconds: 15, triesMax: 3 },
      recover: true,
      logLevel: "info",
    });
  });

  it("names the license that boards ask for in quantities as people write them", () => {
    const license = {
      budget: { tensor_bf16: "1e18FLOP", copy: "1TB" },
      ticksMax: "3600000",
      windowSeconds: 3600,
      rate: { tensor_bf16: 1000 },
      drain: { copy: "10GB" },
    };
    expect(parse({ ...LEAST, license }).license.terms).toEqual({
      budget: new Map([
        [EngineClass.TENSOR_BF16, 10n ** 18n],
        [EngineClass.COPY, 10n ** 12n],
      ]),
      ticksMax: 3_600_000n,
      windowSeconds: 3600,
      rate: new Map([[EngineClass.TENSOR_BF16, 1000n]]),
      drain: new Map([[EngineClass.COPY, 10n ** 10n]]),
    });
  });

  const [north] = LEAST.verifiers;
  it.each<[string, unknown, RegExp]>([
    ["no JSON", "{", /^agent\.json: is not JSON$/],
    ["a list", [], /^agent\.json: must be an object$/],
    ["no state", { ...LEAST, state: undefined }, /^agent\.json: state is missing: a path$/],
    ["no boards", { ...LEAST, boards: undefined }, /^agent\.json: boards\.sockets is missing: a path$/],
    ["a key that does not exist", { ...LEAST, stat: 1 }, /^agent\.json: stat is no key of the configuration$/],
    [
      "a key that acts on a terminal",
      { ...LEAST, "\u001b[2J": 1 },
      /^agent\.json: \?\[2J is no key of the configuration$/,
    ],
    ["no verifiers", { ...LEAST, verifiers: [] }, /verifiers must be a list of 1 to 8$/],
    ["too many verifiers", { ...LEAST, verifiers: new Array(9).fill(north) }, /verifiers must be a list of 1 to 8$/m],
    ["two of one name", { ...LEAST, verifiers: [north, north] }, /verifiers must have different names$/],
    ["a verifier without a name", { ...LEAST, verifiers: [{ url: "https://a" }] }, /verifiers\[0\]\.name is missing/],
    [
      "a name with spaces",
      { ...LEAST, verifiers: [{ ...north, name: "a b" }] },
      /verifiers\[0\]\.name must be 1 to 32/,
    ],
    [
      "an address of another kind",
      { ...LEAST, verifiers: [{ ...north, url: "ftp://a" }] },
      /verifiers\[0\]\.url must be/,
    ],
    [
      "a certificate without its key",
      { ...LEAST, verifiers: [{ ...north, cert: "c" }] },
      /verifiers\[0\]\.cert goes with key/,
    ],
    ["a text for a number", { ...LEAST, pollSeconds: "15" }, /pollSeconds must be a number from 0\.1 to 3600$/],
    ["no time at all", { ...LEAST, pollSeconds: 0 }, /pollSeconds must be a number from 0\.1/],
    ["half a report", { ...LEAST, reports: { waitingMax: 1.5 } }, /reports\.waitingMax must be a whole number from 1/],
    ["a renewal that is never", { ...LEAST, license: { renewAt: 0 } }, /license\.renewAt must be a number from 0\.01/],
    ["a yes", { ...LEAST, recover: "yes" }, /recover must be true or false$/],
    ["a level that is none", { ...LEAST, logLevel: "loud" }, /logLevel must be one of trace, debug/],
    [
      "a budget alone",
      { ...LEAST, license: { budget: {} } },
      /license\.ticksMax is missing: budget, ticksMax and windowSeconds/m,
    ],
    [
      "an unknown class",
      { ...LEAST, license: terms({ budget: { gpu: "1" } }) },
      /license\.budget\.gpu is no engine class: tensor_fp64/,
    ],
    [
      "bytes for operations",
      { ...LEAST, license: terms({ budget: { copy: "1FLOP" } }) },
      /license\.budget\.copy must be an amount such as 1GB$/,
    ],
    [
      "a negative rate",
      { ...LEAST, license: terms({ rate: { copy: -1 } }) },
      /license\.rate\.copy must be a whole number from 1/,
    ],
    [
      "a kid that is none",
      { ...LEAST, signing: { keys: "k", kid: "north" } },
      /signing\.kid must be the 16 hexadecimal digits/,
    ],
    [
      "a profile that is none",
      { ...LEAST, registration: { profile: "mining" } },
      /registration\.profile must be one of training, inference$/,
    ],
  ])("with %s is refused", (_what, document, line) => {
    expect(mistakesOf(() => parse(document)).join("\n")).toMatch(line);
  });

  it("with several mistakes has each of them told, and no other", () => {
    const mistakes = mistakesOf(() => parse({ ...LEAST, pollSeconds: 0, recover: 1, x: 2, boards: { sockets: "" } }));
    expect(mistakes).toHaveLength(4);
    expect(mistakes.every((line) => line.startsWith("agent.json: "))).toBe(true);
  });

  it("that cannot be read is said to be so", () => {
    expect(mistakesOf(() => readAgentConfig(join(folder, "none.json")))).toEqual(["none.json: cannot be read: ENOENT"]);
    expect(mistakesOf(() => readAgentConfig(folder))[0]).toMatch(/cannot be read: EISDIR$/);
  });

  it("whose certificates, tokens and keys cannot be used is refused with a line for each", async () => {
    const token = join(folder, "token");
    writeFileSync(token, "secret\n", { mode: 0o644 });
    writeFileSync(join(folder, "odd"), "two words\n", { mode: 0o600 });
    const config = parseAgentConfig(
      JSON.stringify({
        ...LEAST,
        verifiers: [
          { ...north, ca: "none.pem" },
          { ...north, name: "south", tokenFile: "token" },
          { ...north, name: "west", tokenFile: "odd" },
          { ...north, name: "east", url: "http://east.example", ca: "token" },
        ],
        signing: { keys: "no-keys" },
      }),
      "agent.json",
      folder,
    );
    const error = await connect(config, "agent.json").catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    const { mistakes } = error as ConfigError;
    expect(mistakes).toEqual([
      expect.stringMatching(/^agent\.json: signing cannot be used: this is no folder of keys/),
      expect.stringMatching(/^agent\.json: verifiers\[0\] names .*none\.pem, which cannot be read: ENOENT$/),
      expect.stringMatching(/^agent\.json: verifiers\[1\] names .*token, to which others than the owner have access/),
      expect.stringMatching(/^agent\.json: verifiers\[2\] cannot be used: .*token/),
      expect.stringMatching(/^agent\.json: verifiers\[3\] cannot be used: .*certificates go with https/),
    ]);
    expect(error.message).not.toContain("secret");
  });
});

function terms(change: object): object {
  return { budget: {}, ticksMax: 1, windowSeconds: 1, ...change };
}
