/** `quiesce log heads`: what a verifier knows of logs, for people and monitors, with an exit code that says enough. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { formatVkey } from "../../../host/log/note.ts";
import { parseSplitView, verifySplitView } from "../../../host/log/split-view.ts";
import type { HeadsView, VerifierService } from "../../../host/service/service.ts";
import { listen } from "../http/listening.ts";
import { logPair } from "../log/keys.ts";
import { TestLog } from "../witness/rig.ts";
import { temporaryFolder } from "./run-cli.ts";
import { quiesceHere } from "./run-here.ts";

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

const LOG = new TestLog(logPair("log.example/north")).grow(20);
const FORK = LOG.fork(4).grow(16, "fork");
const VKEY = formatVkey(LOG.pair.key);

async function headOf(log: TestLog, size: number, isLinked: boolean): Promise<HeadsView["heads"][number]> {
  return { log: VKEY, origin: log.origin, size, root: log.root(size), note: await log.note(size), isLinked };
}

async function splitOf(log: TestLog, size: number, other: TestLog, otherSize: number) {
  return {
    log: VKEY,
    origin: log.origin,
    size,
    root: log.root(size),
    note: await log.note(size),
    otherSize,
    otherRoot: other.root(otherSize),
    otherNote: await other.note(otherSize),
    proof: size === otherSize ? undefined : other.proof(size, otherSize),
    foundMs: 1_790_000_000_000,
  };
}

async function show(view: HeadsView, ...more: string[]) {
  const overrides: Partial<VerifierService> = { logHeads: async () => view };
  const { listening, port } = await listen({ overrides });
  try {
    return await quiesceHere(["log", "heads", `http://127.0.0.1:${port}`, ...more]);
  } finally {
    await listening.close();
  }
}

describe("quiesce log heads", () => {
  it("shows each head, and whether it is known to be of one log", async () => {
    const { exit, stdout } = await show({
      heads: [await headOf(LOG, 20, true), await headOf(LOG, 7, false)],
      splitViews: [],
    });
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^log\.example\/north +20 +[0-9a-f]{64} +yes$/m);
    expect(stdout).toMatch(/^log\.example\/north +7 +[0-9a-f]{64} +not shown yet$/m);
    expect((await show({ heads: [], splitViews: [] })).stdout).toContain("no head of an agreement's log is known");
  });

  it("ends with 5 at a split view, and writes it as it is published", async () => {
    const view = { heads: [await headOf(LOG, 20, true)], splitViews: [await splitOf(LOG, 11, FORK, 20)] };
    const out = join(folder, "split.json");
    const key = ["--log-key", VKEY];
    const { exit, stdout } = await show(view, ...key, "--out", out);
    expect(exit).toBe(5);
    expect(stdout).toMatch(/^log\.example\/north +11 +20 +2026-/m);
    expect(verifySplitView(parseSplitView(readFileSync(out, "utf8")), LOG.pair.key)).toEqual([11, 20]);
    const json = JSON.parse((await show(view, ...key, "--json")).stdout);
    expect(json.splitViews).toMatchObject([{ size: 11, otherSize: 20, note: await LOG.note(11), isConfirmed: true }]);
    const again = await show(view, ...key, "--out", out);
    expect(again).toMatchObject({ exit: 2, stderr: expect.stringContaining("is there already") });
  });

  it("confirms none under a key that only the verifier names", async () => {
    const view = { heads: [], splitViews: [await splitOf(LOG, 11, FORK, 20)] };
    const out = join(folder, "unconfirmed.json");
    const other = ["--log-key", formatVkey(logPair("log.example/north", 9).key)];
    for (const key of [[], other]) {
      const { exit, stdout } = await show(view, ...key);
      expect(exit).toBe(0);
      expect(stdout).toContain("Unconfirmed split views");
      expect(stdout).toContain(`unconfirmed: ${VKEY}`);
      expect(JSON.parse((await show(view, ...key, "--json")).stdout).splitViews).toMatchObject([
        { isConfirmed: false },
      ]);
    }
    expect(await show(view, ...other, "--out", out)).toMatchObject({ exit: 0 });
    expect(existsSync(out)).toBe(false);
    expect(await show(view, "--out", out)).toMatchObject({ exit: 2, stderr: expect.stringContaining("--log-key") });
    expect(await show(view, "--witness", VKEY)).toMatchObject({ exit: 2 });
  });

  it("believes no verifier that cannot show what it says of a log", async () => {
    const good = await splitOf(LOG, 20, FORK, 20);
    const view = { heads: [], splitViews: [{ ...good, otherNote: good.note }] };
    const { exit, stderr } = await show(view);
    expect(exit).toBe(1);
    expect(stderr).toContain("log/consistency");
    for (const label of [{ size: 19 }, { otherSize: 21 }, { origin: "other.example/log" }]) {
      expect(await show({ heads: [], splitViews: [{ ...good, ...label }] })).toMatchObject({ exit: 1 });
    }
  });

  it("ends with 4 where nobody answers", async () => {
    expect(await quiesceHere(["log", "heads", "http://127.0.0.1:1"])).toMatchObject({ exit: 4 });
    expect(await quiesceHere(["log", "heads", "no url"])).toMatchObject({ exit: 2 });
  });
});
