/** What the commands print where all is well. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { loadGovernor } from "../../../host/cli/firmware.ts";
import { readJournal } from "../../../host/cli/journal.ts";
import { plainText } from "../../../host/cli/names.ts";
import { quiesceProgram } from "../../../host/cli/program.ts";
import { found } from "../../../host/demo/founding.ts";
import { Job } from "../../../host/demo/job.ts";
import { Site } from "../../../host/demo/site.ts";
import { builtinWorkload } from "../../../sim-board/workloads/builtin.ts";
import { quiesce, temporaryFolder } from "./run-cli.ts";
import { quiesceHere } from "./run-here.ts";

/** Every command and subcommand, by its whole name. */
function allCommands(command: Command, name: string): [string, Command][] {
  return [[name, command], ...command.commands.flatMap((child) => allCommands(child, `${name} ${child.name()}`))];
}

function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  return text;
}

describe("the help of", () => {
  it.each(allCommands(quiesceProgram(), "quiesce"))("%s has an example of its own", (name, command) => {
    expect(helpOf(command)).toMatch(new RegExp(`Examples?:\\n(.*\\n)*?  \\$ ${name}`));
  });
});

describe.concurrent("the command", () => {
  it("prints its help without arguments, with the exit codes", async () => {
    const { exit, stdout, stderr } = await quiesce([]);
    expect(exit).toBe(0);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/Exit codes:\n {2}0 {2}done/);
  });

  it("prints the package's version", async () => {
    const { stdout } = await quiesceHere(["--version"]);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it("explains a refusal by number and by name", async () => {
    const byNumber = await quiesceHere(["errors", "0x0704", "--json"]);
    const byName = await quiesce(["errors", "license_epoch", "--json"]);
    expect(JSON.parse(byNumber.stdout)).toMatchObject({ code: "0x0704", name: "LICENSE_EPOCH" });
    expect(byName.stdout).toBe(byNumber.stdout);
  });

  it("lists the built-in workloads", async () => {
    const { stdout } = await quiesceHere(["--json", "workloads"]);
    expect(JSON.parse(stdout)).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: "llama405b-train", stepsMax: 240 })]),
    );
  });
});

describe("quiesce board", () => {
  it("shows a fresh board: locked, with its first journal record", async () => {
    const { exit, stdout } = await quiesce(["board", "--json"]);
    expect(exit).toBe(0);
    const view = JSON.parse(stdout);
    expect(view).toMatchObject({
      firmware: { pages: 2 },
      state: { gate: "LOCKED", bootStep: "ready", bootCount: 1, agreementVersion: 0 },
      fuses: { manufactured: true, tampered: false, secretLocked: true, agreementSlotsUsed: 0 },
      wear: { counter: 1 },
    });
    expect(view.firmware.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(view.firmware.stateBytes).toBeGreaterThan(0);
    expect(view.journal.newest).toHaveLength(1);
    expect(view.meter).toHaveLength(12);
  });

  it("provisioned with an agreement is at rest, and one fuse slot is used", async () => {
    const folder = temporaryFolder();
    const { agreementBytes } = found({
      workload: builtinWorkload("resnet-ddp"),
      seed: 1,
      agreementName: "provisioned",
    });
    writeFileSync(join(folder, "agreement.cbor"), agreementBytes);
    const { exit, stdout } = await quiesceHere(["board", "--agreement", join(folder, "agreement.cbor"), "--json"]);
    rmSync(folder, { recursive: true });
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      state: { gate: "IDLE", agreementVersion: 1 },
      fuses: { agreementSlotsUsed: 1 },
    });
  });

  it("shows where a boot's time goes, step by step, to programs and to people", async () => {
    const { exit, stdout } = await quiesceHere(["board", "--boot-profile", "--json"]);
    expect(exit).toBe(0);
    const { boots, totalUs, steps } = JSON.parse(stdout) as {
      boots: number;
      totalUs: number;
      steps: { step: number | null; name: string; us: number; share: number }[];
    };
    expect(boots).toBeGreaterThan(100);
    expect(steps.map(({ step }) => step)).toEqual([null, null, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, null]);
    expect(steps.map(({ name }) => name)).toContain("self-test of Ed25519");
    for (const { us } of steps) expect(us).toBeGreaterThan(0);
    expect(steps.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
    expect(totalUs).toBeGreaterThan(Math.max(...steps.map(({ us }) => us)));

    const people = await quiesceHere(["board", "--boot-profile"]);
    expect(people.exit).toBe(0);
    expect(people.stdout).toMatch(/ms from reset to a challenge/);
    expect(people.stdout).toMatch(/5 +self-test of Ed25519 +[\d.]+ +[\d.]+ +█/);
  });

  it("has the same identity for the same seed, and another for another", async () => {
    const ueid = async (seed: string) =>
      JSON.parse((await quiesceHere(["board", "--seed", seed, "--json"])).stdout).device.ueid;
    expect(await ueid("5")).toBe(await ueid("5"));
    expect(await ueid("5")).not.toBe(await ueid("6"));
  });
});

describe("the journal as it is read from the flash", () => {
  it("says what the governor says of itself", () => {
    const site = new Site({
      image: loadGovernor(),
      workload: builtinWorkload("resnet-ddp"),
      seed: 3,
      agreementName: "journal",
    });
    site.commission();
    const job = new Job(site);
    while (!job.isDone) job.step();
    site.closeBooks();
    const info = site.agent.info();
    const newest = readJournal(site.board.flash).at(-1)!;
    expect(newest).toMatchObject({
      sequence: BigInt(site.board.counter.read()),
      licenseSequence: info.licenseSequence,
      reportSequence: info.reportHead.sequence,
      epoch: info.epoch,
      bootCount: info.bootCount,
      failures: info.failures,
      erases: site.board.flash.erases.slice(4).reduce((sum, erases) => sum + erases, 0),
    });
  });
});

describe("foreign text", () => {
  it("cannot move the cursor, turn the line around or start a new one", () => {
    expect(plainText("a\x1b[2Jb\u202ec\nd\u009be")).toBe("a\\u001b[2Jb\\u202ec\\u000ad\\u009be");
  });
});
