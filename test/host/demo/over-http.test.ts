/** The demo's story with a verifier process for each party: what holds of it whatever the processes are, and their ends. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Exit, verdictOf } from "../../../host/cli/exit.ts";
import { loadGovernor } from "../../../host/cli/firmware.ts";
import { chooseWorkload } from "../../../host/cli/workload.ts";
import { found } from "../../../host/demo/founding.ts";
import { type HttpDemoSettings, playDemoOverHttp } from "../../../host/demo/play-over-http.ts";
import { playDemo } from "../../../host/demo/scenario.ts";
import { SILENT } from "../../../host/demo/teller.ts";
import { VerifierProcesses } from "../../../host/demo/verifier-processes.ts";
import { signedBy } from "../../../host/demo/verifiers.ts";
import { QUIESCE } from "../cli/run-cli.ts";

/** Folders of the verifiers go below it, and nothing else does. */
let below: string;
beforeEach(() => {
  below = mkdtempSync(join(tmpdir(), "demo-"));
});
afterEach(() => rmSync(below, { recursive: true }));

function settings(seed: number, more: Partial<HttpDemoSettings> = {}): HttpDemoSettings {
  const workload = chooseWorkload({ workload: "resnet-ddp" });
  return { image: loadGovernor(), workload, seed, teller: SILENT, below, ...more };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("the story over HTTP", () => {
  it("is the one of a single process, told by three verifiers whose own books agree", async () => {
    const pids: number[] = [];
    const { result, site } = await playDemoOverHttp(settings(1, { onServing: (all) => pids.push(...all) }));
    const { verifiers, invariants, ...facts } = result;
    const {
      verifiers: [one],
      invariants: _,
      ...alone
    } = playDemo(settings(1)).result;
    expect(facts).toEqual(alone);
    expect(facts.ok).toBe(true);
    expect(invariants.broken).toBe(0);
    const { licenses } = result;
    const all = { reportsTaken: BigInt(result.reports), booksAgree: true };
    expect(one).toMatchObject({ ...all, licensesSigned: licenses });
    expect(verifiers).toEqual([
      { name: "North", parties: ["North"], tellsTime: false, licensesSigned: licenses, ...all },
      { name: "South", parties: ["South"], tellsTime: false, licensesSigned: licenses, ...all },
      { name: "Inspectorate", parties: ["Inspectorate"], tellsTime: true, licensesSigned: 0, ...all },
    ]);
    for (const license of site.recorder.licenses) expect(signedBy(license, site.agreement)).toEqual(["North", "South"]);
    // Each judged evidence on a nonce of its own at the end; no two of them draw the same.
    expect(new Set(site.recorder.evidence.map(hex)).size).toBe(licenses + verifiers.length);
    expect(new Set(pids).size).toBe(3);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(readdirSync(below)).toEqual([]);
  });
});

describe("a verifier that is not there", () => {
  it("because it was killed ends the story with one line that names it, even where a quorum is left", async () => {
    let pids: readonly number[] = [];
    const onServing = (all: readonly number[]) => {
      pids = all;
      process.kill(pids[2]!, "SIGKILL");
    };
    const error = await playDemoOverHttp(settings(1, { onServing })).catch((thrown: unknown) => thrown);
    expect(verdictOf(error)).toEqual({
      exit: Exit.UNREACHABLE,
      line: "the verifier of Inspectorate has ended (SIGKILL)",
    });
    expect(pids.filter(isAlive)).toEqual([]);
    expect(readdirSync(below)).toEqual([]);
  });

  it("because it does not start says why, and the others do not stay behind", async () => {
    const { image, workload, seed } = settings(1);
    const founding = found({ workload, seed, agreementName: "damaged" });
    const damaged = Uint8Array.from(founding.agreementBytes);
    damaged[damaged.length - 1]! ^= 1;
    const error = await VerifierProcesses.start({ ...founding, agreementBytes: damaged }, image.sha256, {
      below,
    }).catch((thrown: unknown) => thrown);
    const { exit, line } = verdictOf(error);
    expect(exit).toBe(Exit.UNREACHABLE);
    expect(line).toMatch(/^the verifier of (?:North|South|Inspectorate) has ended \(exit code \d\): [^\n]*agreement/);
    expect(readdirSync(below)).toEqual([]);
  });

  it("because its folder's path is too long for a socket is told before anything starts", async () => {
    const deep = join(below, "x".repeat(100));
    mkdirSync(deep);
    await expect(playDemoOverHttp(settings(1, { below: deep }))).rejects.toThrow(/too long a path for a socket/);
    expect(readdirSync(deep)).toEqual([]);
  });
});

describe("a demo that is ended by a signal", () => {
  it.each(["SIGTERM", "SIGINT"] as const)("%s: leaves no process and no folder behind", async (signal) => {
    const env = { ...process.env, TMPDIR: below };
    // Not to have every source transformed anew: what runs TypeScript keeps that there.
    for (const cache of readdirSync(tmpdir()).filter((name) => name.startsWith("tsx-"))) {
      symlinkSync(join(tmpdir(), cache), join(below, cache));
    }
    const child = spawn(process.execPath, [QUIESCE, "demo"], { env, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
      if (/ license +#1 /.test(stdout)) child.kill(signal);
    });
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    const ended = await new Promise((resolve) => {
      child.on("close", (code, by) => resolve(by ?? code));
    });
    expect(stderr).toBe("");
    expect(ended).toBe(signal);
    expect(stdout).not.toContain("licensed = done");
    // What else is left there is not ours: that cache.
    expect(readdirSync(below).filter((name) => name.startsWith("quiesce"))).toEqual([]);
  });
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
