/** `quiesce log monitor` as a process that goes on: it follows, waits out what passes, and ends with a split view. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { formatVkey } from "../../../host/log/note.ts";
import { verifySplitView } from "../../../host/log/split-view.ts";
import { eventually } from "../eventually.ts";
import { KEYS, LOG, licenseEntry, serveLog, T0, TestLog, WITNESSES } from "../log/log.ts";
import { QUIESCE, temporaryFolder } from "./run-cli.ts";

let log: TestLog;
let served: Awaited<ReturnType<typeof serveLog>>;
let folder: string;
let child: ChildProcess;
let printed = { stdout: "", stderr: "" };

beforeEach(async () => {
  folder = temporaryFolder();
  log = new TestLog();
  served = await serveLog(() => log);
  await log.append(licenseEntry(1));
  await log.sign(T0);
  printed = { stdout: "", stderr: "" };
  const vkeys = WITNESSES.map(({ key }) => formatVkey(key));
  const keys = ["--log-key", formatVkey(LOG.key), "--witness", ...vkeys, "--witness-quorum", `${KEYS.witnessQuorum}`];
  const args = ["log", "monitor", served.url, "--mirror", join(folder, "mirror"), "--every", "1", ...keys];
  child = spawn(process.execPath, [QUIESCE, ...args], { env: { ...process.env, NO_COLOR: "1" } });
  for (const name of ["stdout", "stderr"] as const) {
    child[name]!.on("data", (text) => {
      printed[name] += text;
    });
  }
});

afterEach(async () => {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill("SIGKILL");
    await once(child, "close");
  }
  await served.close();
  rmSync(folder, { recursive: true });
});

const says = (name: keyof typeof printed, text: string) => eventually(() => expect(printed[name]).toContain(text));

it("tells each new head once, waits for files that do not fit yet, and ends with 5 at a split view", async () => {
  await says("stdout", "2 entries, 2 new, 1 device ");
  await log.append(licenseEntry(2));
  log.changed.set("tile/0/000.p/4", (bytes) => bytes.map((byte) => byte ^ 1));
  await log.sign(T0 + 1);
  await says("stderr", "log/tile");
  log.changed.clear();
  await says("stdout", "4 entries, 2 new, 2 devices");
  const fork = await log.fork(2);
  await fork.append(licenseEntry(3), licenseEntry(4));
  await fork.sign(T0 + 2);
  const first = log.note;
  const closed = once(child, "close");
  log = fork;
  const [exit] = await closed;
  expect(exit).toBe(5);
  expect(printed.stdout).toContain("✗ split view: the head of 5 is signed, and does not go on from the head of 4");
  const evidence = JSON.parse(readFileSync(join(folder, "mirror/split-view.json"), "utf8"));
  expect([evidence.first, evidence.second]).toEqual([first, fork.note]);
  const proof = (evidence.proof as string[]).map((hash) => new Uint8Array(Buffer.from(hash, "base64")));
  expect(verifySplitView({ ...evidence, proof }, LOG.key)).toEqual([4, 5]);
  expect(printed.stdout.match(/2 entries, 2 new/g)).toHaveLength(1);
});

it("ends with 0 when it is told to, and goes on where it was", async () => {
  await says("stdout", "2 entries, 2 new");
  const closed = once(child, "close");
  child.kill("SIGTERM");
  expect(await closed).toEqual([0, null]);
});
