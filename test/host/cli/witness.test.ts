/** `quiesce witness`: from nothing to one that cosigns, what it shows, what is wrong in one line; and killed under load. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, describe, expect, it } from "vitest";
import { formatAddCheckpoint } from "../../../host/log/add-checkpoint.ts";
import { formatVkey, parseVkey } from "../../../host/log/note.ts";
import { WitnessClient } from "../../../host/log/witness-client.ts";
import { WitnessBooks, WitnessStore } from "../../../host/witness/store.ts";
import { logPair, witnessPair } from "../log/keys.ts";
import { ask, TestLog } from "../witness/rig.ts";
import { QUIESCE, quiesce, temporaryFolder } from "./run-cli.ts";
import { quiesceHere } from "./run-here.ts";

const folder = temporaryFolder();
const path = (...names: string[]) => join(folder, ...names);
afterAll(() => rmSync(folder, { recursive: true }));

const PAIRS = [logPair("log.example/north", 1), logPair("log.example/south", 2)];

async function init(name: string, ...options: string[]): Promise<{ vkey: string; configFile: string }> {
  const logs = PAIRS.flatMap(({ key }) => ["--log", formatVkey(key)]);
  const args = ["witness", "init", path(name), "--name", "witness.example/w1", ...logs, "--json", ...options];
  const { exit, stdout, stderr } = await quiesceHere(args);
  expect(stderr).toBe("");
  expect(exit).toBe(0);
  return JSON.parse(stdout);
}

type Serving = { child: ChildProcess; url: string; lines: Record<string, unknown>[] };

async function serve(configFile: string): Promise<Serving> {
  const child = spawn(process.execPath, [QUIESCE, "witness", "serve", "--config", configFile], {
    env: { ...process.env, QUIESCE_WITNESS_LISTEN_PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: Record<string, unknown>[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout! }).on("line", (line) => {
      const said = JSON.parse(line) as { msg: string; addresses?: string[] };
      lines.push(said);
      if (said.msg === "listening") resolve(said.addresses![0]!);
    });
    child.once("close", (exit) => reject(new Error(`it ended with ${exit}`)));
  });
  return { child, url, lines };
}

async function end({ child }: Serving, signal: NodeJS.Signals): Promise<unknown> {
  const ended = once(child, "close");
  child.kill(signal);
  return (await ended)[0];
}

describe("a new witness", () => {
  it("is a folder that nobody else looks into, and says its vkey", async () => {
    const { vkey, configFile } = await init("made");
    expect(parseVkey(vkey)).toMatchObject({ name: "witness.example/w1", type: 4 });
    expect(JSON.parse(readFileSync(configFile, "utf8"))).toMatchObject({
      logs: PAIRS.map(({ key }) => formatVkey(key)),
    });
    if (process.platform !== "win32") {
      for (const name of ["passphrase", "witness.json", "keys"]) {
        expect(statSync(path("made", name)).mode & 0o077, name).toBe(0);
      }
    }
    const again = await quiesceHere(["witness", "init", path("made"), "--name", "w"]);
    expect(again).toMatchObject({ exit: 2, stderr: expect.stringContaining("is not empty") });
  });

  it("is shown before it ever ran, with what it witnesses", async () => {
    const { vkey, configFile } = await init("idle");
    const { exit, stdout } = await quiesceHere(["witness", "show", "--config", configFile, "--json"]);
    expect(exit).toBe(0);
    const logs = PAIRS.map(({ key }) => ({ origin: key.name, vkeys: [formatVkey(key)] }));
    expect(JSON.parse(stdout)).toEqual({ vkey, logs, conflicts: [] });
    const text = await quiesceHere(["witness", "show", "--config", configFile]);
    expect(text.stdout).toMatch(/log\.example\/north +none yet/);
  });

  it.each([
    [["--name", "a b"], "name: a name has 1 to 255 bytes"],
    [["--name", "w", "--log", "no vkey"], "logs: item 0: a vkey is NAME+ID+KEY"],
    [["--name", "w", "--log", formatVkey(witnessPair("w").key)], "this is the key of a witness"],
    [["--name", "w", "--port", "x"], "--port is a whole number"],
  ])("is not made with %s", async (options, line) => {
    const { exit, stderr } = await quiesceHere(["witness", "init", path("bad"), ...options]);
    expect(exit).toBe(2);
    expect(stderr).toContain(line);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(existsSync(path("bad"))).toBe(false);
  });

  it.each([
    ["{", "is not JSON"],
    ["{}", "name: is missing"],
    ['{"name": "w", "logz": []}', "logz: there is no such key"],
    ['{"name": "w", "key": "12"}', "key: a kid has 16 hex digits"],
    ['{"name": "w", "tls": {"cert": "a"}}', "tls.key: goes with the other"],
    [`{"name": "w", "logs": ["${formatVkey(PAIRS[0]!.key)}", "${formatVkey(PAIRS[0]!.key)}"]}`, "is there already"],
  ])("is not started from %s", async (text, line) => {
    writeFileSync(path("bad.json"), text);
    for (const command of ["serve", "show"]) {
      const { exit, stderr } = await quiesceHere(["witness", command, "--config", path("bad.json")]);
      expect(exit).toBe(2);
      expect(stderr).toContain(line);
    }
  });
});

describe("a witness that serves", () => {
  it("cosigns, is shown meanwhile, lets no second one in, and stops in order", async () => {
    const { vkey, configFile } = await init("serving");
    const serving = await serve(configFile);
    try {
      const client = new WitnessClient({ url: serving.url, key: parseVkey(vkey) });
      const log = new TestLog(PAIRS[0]!).grow(7);
      expect(await client.addCheckpoint(0, [], await log.note())).toMatchObject({ kind: "cosigned" });
      const fork = await log.fork(2).grow(5, "fork").note();
      const refused = await ask(
        `${serving.url}/add-checkpoint`,
        "POST",
        formatAddCheckpoint({ oldSize: 7, proof: [], note: fork }),
      );
      expect(refused.status).toBe(422);
      const shown = await quiesceHere(["witness", "show", "--config", configFile]);
      expect(shown.stdout).toMatch(/log\.example\/north +7 +[0-9a-f]{64} +\d{4}-/);
      expect(shown.stdout).toContain("Signed by the log, and not cosigned");
      expect(shown.stdout).toMatch(/log\.example\/north +split-view +7 /);
      const json = JSON.parse((await quiesceHere(["witness", "show", "--config", configFile, "--json"])).stdout);
      expect(json.conflicts).toMatchObject([{ kind: "split-view", note: fork }]);
      const second = await quiesce(["witness", "serve", "--config", configFile], {
        env: { QUIESCE_WITNESS_LISTEN_PORT: "0" },
      });
      expect(second).toMatchObject({ exit: 2, stderr: expect.stringContaining("store/locked") });
      expect(serving.lines.some(({ msg, kind }) => msg === "conflicting head" && kind === "split-view")).toBe(true);
    } finally {
      expect(await end(serving, "SIGTERM")).toBe(0);
    }
  });
});

/** `QUIESCE_WITNESS_KILLS` is for long campaigns. */
const KILLS = Number(process.env.QUIESCE_WITNESS_KILLS ?? 5);
/** A kill comes behind one of so many answers. */
const ANSWERS_MOST = 40;

/** Whole numbers below a bound, by the seed of the run. */
function numbers(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

describe("a witness that is killed under load", () => {
  it(`has forgotten nothing that it cosigned, ${KILLS} times`, async () => {
    const next = numbers(Number(process.env.QUIESCE_SEED));
    const { vkey, configFile } = await init("killed");
    const key = parseVkey(vkey);
    const logs = PAIRS.map((pair) => new TestLog(pair).grow(3000));
    /** Of each log the size of the newest head whose cosignature arrived. */
    const cosigned = logs.map(() => 0);
    for (let round = 0; round < KILLS; round++) {
      const serving = await serve(configFile);
      const client = new WitnessClient({ url: serving.url, key });
      let left = 1 + next(ANSWERS_MOST);
      const ended = once(serving.child, "close");
      const steps = logs.map(() => numbers(next(2 ** 31)));
      await Promise.all(
        logs.map(async (log, index) => {
          // Whether the last head before a kill was taken is not known: the witness says.
          let known = cosigned[index]!;
          for (;;) {
            const size = known + 1 + steps[index]!(5);
            const answer = await client.addCheckpoint(known, log.proof(known, size), await log.note(size));
            if (answer.kind === "away") return;
            if (answer.kind === "behind") {
              expect(answer.size).toBeGreaterThanOrEqual(cosigned[index]!);
              known = answer.size;
              continue;
            }
            expect(answer.kind, JSON.stringify(answer)).toBe("cosigned");
            known = size;
            cosigned[index] = size;
            left -= 1;
            if (left === 0) serving.child.kill("SIGKILL");
          }
        }),
      );
      await ended;
      const books = WitnessBooks.read(path("killed", "store"));
      for (const [index, log] of logs.entries()) {
        const head = books.newestHead(log.origin);
        expect(head?.size ?? 0).toBeGreaterThanOrEqual(cosigned[index]!);
        if (head) expect(head.root).toEqual(log.root(head.size));
      }
      expect(books.conflicts()).toEqual([]);
      books.close();
    }
    // Nothing of the dead process is in the way of the next.
    WitnessStore.open(path("killed", "store")).close();
    expect(Math.max(...cosigned)).toBeGreaterThan(0);
  });
});
