/** `quiesce fleet`: experiments on whole fleets of boards. docs/fleet.md */
import { type Command, Option } from "commander";
import { wrongUse } from "../exit.ts";
import { group } from "../group.ts";
import { wantsJson } from "../output.ts";

export interface StudyOptions {
  /** Modules with further studies. */
  readonly studies?: readonly string[];
}

export interface PlaceOptions extends StudyOptions {
  readonly seed: string;
  readonly workers?: number;
}

export interface RunOptions extends PlaceOptions {
  readonly seeds?: number;
  readonly set?: readonly Assignment[];
  readonly point?: readonly string[];
  readonly metric?: readonly string[];
  readonly out?: string;
  readonly checkpoint?: string;
  readonly estimate?: boolean;
  readonly cell?: string;
  readonly distributed?: string;
  readonly schema?: string;
  readonly lease: number;
  readonly work: boolean;
}

export interface SweepOptions extends RunOptions {
  readonly axis?: readonly Assignment[];
}

export interface ReproduceOptions extends PlaceOptions {
  readonly out?: string;
}

export interface ReportOptions extends StudyOptions {
  readonly out?: string;
}

export interface WorkOptions extends StudyOptions {
  readonly workers?: number;
  readonly schema?: string;
  readonly once?: boolean;
}

/** `agreement.leaseSeconds=60`. */
export interface Assignment {
  readonly path: string;
  readonly text: string;
}

const WORKERS_MAX = 64;
const SEEDS_MAX = 1_000;
const SEED_CHARACTERS_MAX = 64;
const LEASE_SECONDS_MIN = 1;
const LEASE_SECONDS_MAX = 3_600;
const LEASE_SECONDS = 30;

export function addFleet(parent: Command): void {
  const fleet = group(parent, "fleet", "experiments on fleets: what would a pause do to a million chips?").addHelpText(
    "after",
    "\nExamples:\n  $ quiesce fleet list\n  $ quiesce fleet run pause-latency --out results\n  $ quiesce fleet reproduce\n",
  );
  addList(fleet);
  addDescribe(fleet);
  addRun(fleet);
  addSweep(fleet);
  addReproduce(fleet);
  addReport(fleet);
  addWork(fleet);
}

function addList(fleet: Command): void {
  withStudies(fleet.command("list"))
    .description("list the scenarios that come with Quiesce")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExample:\n  $ quiesce fleet list\n")
    .action(async (options: StudyOptions, command: Command) => {
      const { showScenarios } = await import("../fleet-view.ts");
      await showScenarios(options, wantsJson(command));
    });
}

function addDescribe(fleet: Command): void {
  withStudies(fleet.command("describe"))
    .description("explain a scenario: its question, its sources, every parameter, what is expected")
    .argument("<scenario>", "a name of the list, or the path of a file")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nExamples:\n  $ quiesce fleet describe quorum\n  $ quiesce fleet describe my/scenario.json\n",
    )
    .action(async (scenario: string, options: StudyOptions, command: Command) => {
      const { describeScenario } = await import("../fleet-view.ts");
      await describeScenario(scenario, options, wantsJson(command));
    });
}

function addRun(fleet: Command): void {
  withRun(fleet.command("run"))
    .description("run a scenario: the same scenario and seed give the same bytes on any number of workers")
    .addHelpText(
      "after",
      "\nExamples:\n  $ quiesce fleet run quorum\n  $ quiesce fleet run my/scenario.json --seeds 10 --out results\n" +
        "  $ quiesce fleet run my/scenario.json --set agreement.leaseSeconds=60 --estimate\n" +
        "  $ quiesce fleet run withheld-order --metric cheatingClosedSecondsMax --metric leakBoundSeconds\n" +
        "  $ quiesce fleet run my/scenario.json --checkpoint run.ndjson\n" +
        "  $ quiesce fleet run my/scenario.json --distributed postgres://fleet@database/fleet\n",
    )
    .action(async (scenario: string, options: RunOptions, command: Command) => {
      const { showRun } = await import("../fleet-run.ts");
      await showRun(scenario, options, wantsJson(command));
    });
}

function addSweep(fleet: Command): void {
  withRun(fleet.command("sweep"))
    .description("run a scenario over axes of your own, instead of its points")
    .requiredOption(
      "--axis <path=values>",
      "values with commas between them; of several axes every combination",
      assignments,
    )
    .addHelpText(
      "after",
      "\nExample:\n  $ quiesce fleet sweep my/scenario.json --axis agreement.leaseSeconds=60,300 --axis boards.count=10,1000\n",
    )
    .action(async (scenario: string, options: SweepOptions, command: Command) => {
      const { showRun } = await import("../fleet-run.ts");
      await showRun(scenario, options, wantsJson(command));
    });
}

function addReproduce(fleet: Command): void {
  withPlace(withStudies(fleet.command("reproduce")))
    .description("run what has expected figures, and hold what is measured against them")
    .argument("[scenario...]", "which ones; all of the list without")
    .option("--out <folder>", "write the results of each scenario into a folder of its name, below this one")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nThe exit code is 1 where a measured figure and an expected one are further apart than the tolerance.\n" +
        "\nExamples:\n  $ quiesce fleet reproduce\n  $ quiesce fleet reproduce quorum --seed 2\n",
    )
    .action(async (scenarios: readonly string[], options: ReproduceOptions, command: Command) => {
      const { showReproduction } = await import("../fleet-reproduce.ts");
      await showReproduction(scenarios, options, wantsJson(command));
    });
}

function addReport(fleet: Command): void {
  withStudies(fleet.command("report"))
    .description("make the HTML report of saved results again, as this version makes it")
    .argument("<folder>", "what --out of a run wrote")
    .option("--out <file>", "a new file; printed without")
    .addHelpText("after", "\nExample:\n  $ quiesce fleet report results --out report.html\n")
    .action(async (folder: string, options: ReportOptions) => {
      const { showReport } = await import("../fleet-report.ts");
      await showReport(folder, options);
    });
}

function addWork(fleet: Command): void {
  withStudies(withWorkers(fleet.command("work")))
    .description("work on distributed runs, on this machine or any other: until it is stopped, or once")
    .argument("<url>", "of the PostgreSQL database that the runs are in")
    .addOption(new Option("--schema <name>", "in which the tables are").argParser(schemaOption))
    .option("--once", "end when there is nothing left to do")
    .addHelpText("after", "\nExample:\n  $ quiesce fleet work postgres://fleet@database/fleet --workers 32\n")
    .action(async (url: string, options: WorkOptions) => {
      const { work } = await import("../fleet-work.ts");
      await work(url, options);
    });
}

function withRun(command: Command): Command {
  return withPlace(withStudies(command))
    .argument("<scenario>", "a name of the list, or the path of a file")
    .addOption(new Option("--seeds <count>", "runs of each point, each with a seed of its own").argParser(seedsOption))
    .option("--set <path=value>", "another value of a parameter; expected figures are not compared then", assignments)
    .option("--point <name>", "this point alone; may be given several times", collected)
    .option("--metric <name>", "show this metric alone; may be given several times", collected)
    .option("--out <folder>", "write tables, the result and an HTML report into this folder")
    .option("--checkpoint <file>", "keep what is done there; a run that was broken off goes on with it")
    .option("--estimate", "say what the run will take, and do not run it")
    .option("--cell <id>", "this cell alone, as a failed run names it")
    .option("--distributed <url>", "share the run with the workers at this PostgreSQL database")
    .addOption(new Option("--schema <name>", "distributed: in which the tables are").argParser(schemaOption))
    .addOption(
      new Option("--lease <seconds>", "distributed: a worker that is silent for so long is taken to be gone")
        .argParser(leaseOption)
        .default(LEASE_SECONDS),
    )
    .option("--no-work", "distributed: leave all of the work to other workers")
    .option("--json", "print one JSON document: the whole result");
}

function withPlace(command: Command): Command {
  return withWorkers(command).addOption(
    new Option("--seed <text>", "all that is random comes from it").argParser(seedOption).default("1"),
  );
}

function withWorkers(command: Command): Command {
  const text = "threads, 1 to 64; as many as there are cores without";
  return command.addOption(new Option("--workers <count>", text).argParser(workersOption));
}

function withStudies(command: Command): Command {
  return command.option("--studies <module>", "a module of your own whose STUDIES may be used too", collected);
}

function collected(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), text];
}

function assignments(text: string, before: readonly Assignment[] | undefined): Assignment[] {
  const [, path, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (path === undefined || value === undefined)
    throw wrongUse(`'${text}' is no path=value, as agreement.leaseSeconds=60 is`);
  return [...(before ?? []), { path, text: value }];
}

function workersOption(text: string): number {
  return whole("--workers", text, 1, WORKERS_MAX);
}

function seedsOption(text: string): number {
  return whole("--seeds", text, 1, SEEDS_MAX);
}

function leaseOption(text: string): number {
  return whole("--lease", text, LEASE_SECONDS_MIN, LEASE_SECONDS_MAX);
}

function whole(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^[0-9]{1,10}$/.test(text) && value >= min && value <= max) return value;
  throw wrongUse(`${option} is a whole number from ${min} to ${max}, not '${text}'`);
}

function seedOption(text: string): string {
  if (/^[^\p{C}\p{Zl}\p{Zp}]+$/u.test(text) && text.length <= SEED_CHARACTERS_MAX) return text;
  throw wrongUse(`--seed is a text of 1 to ${SEED_CHARACTERS_MAX} printable characters, not '${text}'`);
}

function schemaOption(text: string): string {
  if (/^[a-z_][a-z0-9_]{0,62}$/.test(text)) return text;
  throw wrongUse(`--schema is a name of small letters, digits and underscores, not '${text}'`);
}
