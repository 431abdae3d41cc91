/** `quiesce agent status`: what a person and a monitor see of the daemon, with exit codes that say enough. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { GateState } from "../../../firmware/protocol/states.ts";
import { type AgentStatus, type BoardStatus, writeStatus } from "../../../host/agent/daemon/status.ts";
import { quiesce } from "./run-cli.ts";
import { quiesceHere } from "./run-here.ts";

const folder = mkdtempSync(join(tmpdir(), "quiesce-status-"));
afterAll(() => rmSync(folder, { recursive: true }));

const WELL: BoardStatus = {
  name: "rack-1",
  ueid: "01ab",
  gateState: GateState.OPEN,
  epoch: 2,
  licenseSequence: "18446744073709551615",
  licenseLeft: 0.709,
  reportsWaiting: 0,
  lastContactMs: Date.now() - 1_000,
  error: null,
  isWell: true,
};
const ILL: BoardStatus = {
  ...WELL,
  name: "rack-2",
  gateState: GateState.IDLE,
  reportsWaiting: 7,
  error: { by: "verifier", code: "license/paused", message: "a pause order is in force \u001b[2J" },
  isWell: false,
};

async function statusOf(boards: readonly BoardStatus[], change: Partial<AgentStatus> = {}): Promise<string> {
  const state = mkdtempSync(join(folder, "state-"));
  await writeStatus(state, {
    version: 1,
    pid: 1,
    startedMs: 1,
    writtenMs: Date.now(),
    everyMs: 60_000,
    error: null,
    boards,
    verifiers: [
      { name: "north", url: "https://north.example", isListening: true, lastContactMs: Date.now(), error: null },
      {
        name: "south",
        url: "https://south.example",
        isListening: false,
        lastContactMs: 0,
        error: { by: "link", code: "client/connect", message: "ECONNREFUSED" },
      },
    ],
    log: { heads: [], splitViews: [] },
    ...change,
  });
  return state;
}

const show = (state: string, ...more: string[]) => quiesceHere(["agent", "status", "--state", state, ...more]);

describe("agent status", () => {
  it("is a table of boards and verifiers, and exit code 0 where all is well", async () => {
    const { exit, stdout, stderr } = await show(await statusOf([WELL]));
    expect(stderr).toBe("");
    expect(stdout).toMatch(/rack-1 +OPEN +2 +70 % +0 +\d+ s ago$/m);
    expect(stdout).toMatch(/north +listening/);
    expect(stdout).toMatch(/south +polling +never +client\/connect: ECONNREFUSED/);
    expect(exit).toBe(0);
  });

  it("has exit code 1 with a board that is not well, and says what is wrong without acting on the terminal", async () => {
    const { exit, stdout } = await show(await statusOf([WELL, ILL]));
    expect(stdout).toMatch(/rack-2 +IDLE .* 7 .*license\/paused: a pause order is in force \\u001b/);
    expect(exit).toBe(1);
  });

  it("has the same exit code as a process", async () => {
    const { exit, stdout, stderr } = await quiesce(["agent", "status", "--state", await statusOf([WELL, ILL])]);
    expect(stdout).toMatch(/rack-2 +IDLE/);
    expect([exit, stderr]).toEqual([1, ""]);
  });

  it("has exit code 1 where the agent does not run any more, or does not find its boards", async () => {
    const dead = await show(await statusOf([WELL], { writtenMs: Date.now() - 600_000 }));
    expect(dead.stdout).toMatch(/the agent does not run: it wrote this 10 min/);
    expect(dead.exit).toBe(1);
    const lost = await show(await statusOf([], { error: { by: "link", code: "driver/folder", message: "ENOENT" } }));
    expect(lost.stdout).toMatch(/driver\/folder ENOENT\nno boards/);
    expect(lost.exit).toBe(1);
  });

  it("is one document for programs, with the gate by its name and exact integers", async () => {
    const { exit, stdout } = await show(await statusOf([WELL, ILL]), "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      isWell: false,
      isRunning: true,
      boards: [
        { name: "rack-1", gate: "OPEN", licenseSequence: "18446744073709551615", isWell: true },
        { name: "rack-2", gate: "IDLE", error: { code: "license/paused" } },
      ],
      verifiers: [{ name: "north" }, { name: "south", error: { code: "client/connect" } }],
    });
    expect(exit).toBe(1);
  });

  it("finds the state folder by the configuration too", async () => {
    const state = await statusOf([WELL]);
    const config = join(folder, "agent.json");
    const verifiers = [{ name: "north", url: "https://north.example" }];
    writeFileSync(config, JSON.stringify({ state, boards: { sockets: "boards" }, verifiers }));
    expect((await quiesceHere(["agent", "status", "--config", config])).exit).toBe(0);
  });

  it.each([
    ["no folder is named", ["status"], /--config FILE or --state FOLDER/],
    ["two are named", ["status", "--config", "a", "--state", "b"], /cannot be used with/],
    ["no agent ever ran there", ["status", "--state", "empty"], /never ran there/],
    ["the status is none", ["status", "--state", "broken"], /agent\/state: .*cannot be read/],
    ["there is no configuration", ["run", "--config", "none.json"], /none\.json: cannot be read: ENOENT/],
    ["no configuration is named", ["run"], /--config/],
    ["the configuration is wrong", ["run", "--config", "wrong.json"], /wrong\.json: state is missing/],
    ["there is no such command", ["start"], /agent has no command 'start', but: run, status/],
  ])("is wrong use, exit code 2, where %s", async (_what, args, line) => {
    for (const name of ["empty", "broken"]) mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, "broken/status.json"), "{");
    writeFileSync(
      join(folder, "wrong.json"),
      JSON.stringify({ boards: { sockets: "b" }, verifiers: [{ name: "n", url: "https://n" }] }),
    );
    const { exit, stderr } = await quiesceHere(["agent", ...args], { cwd: folder });
    expect(stderr).toMatch(line);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(exit).toBe(2);
  });
});
