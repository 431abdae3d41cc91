/** `quiesce attack`: campaigns against the governor that ships. docs/security.md */
import { type Command, Option } from "commander";
import { wrongUse } from "../exit.ts";
import { wantsJson } from "../output.ts";

export interface AttackOptions {
  readonly seed: string;
  readonly cases?: number;
  readonly case?: string;
  readonly corpus?: string;
  readonly minutes?: number;
}

const CASES_MAX = 1_000_000_000;
/** A week. */
const MINUTES_MAX = 10_080;

export function addAttack(parent: Command): void {
  parent
    .command("attack")
    .description("attack the governor: power cuts, faults, replays; what must not happen is a finding, with an id")
    .argument("[campaign]", "which one; all are listed without")
    .option("--seed <text>", "all that is random comes from it", "1")
    .addOption(new Option("--cases <count>", "at most so many cases, spread over all there are").argParser(casesOption))
    .option("--case <id>", "this case alone: the id of a finding")
    .option("--corpus <file>", "of a fuzzer: begin with its inputs, and write what reaches most, few of them, back")
    .addOption(
      new Option("--minutes <count>", "of soak: go on for so long, 1 unless told otherwise").argParser(minutesOption),
    )
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nThe exit code is 0 where nothing is found, and 1 where something is.\n" +
        "\nExamples:\n  $ quiesce attack\n  $ quiesce attack cuts --cases 200\n  $ quiesce attack cuts --case op17\n" +
        "  $ quiesce attack host\n  $ quiesce attack host --case license-replay-after-reset\n" +
        "  $ quiesce attack fuzz-mailbox --cases 100000 --seed 2 --corpus inputs.txt\n" +
        "  $ quiesce attack soak --minutes 10 --seed 1000\n",
    )
    .action(async (name: string | undefined, options: AttackOptions, command: Command) => {
      const { listCampaigns, showAttack } = await import("../attack-view.ts");
      if (name === undefined) listCampaigns(wantsJson(command));
      else await showAttack(name, options, wantsJson(command));
    });
}

function casesOption(text: string): number {
  const count = Number(text);
  if (/^[0-9]{1,10}$/.test(text) && count >= 1 && count <= CASES_MAX) return count;
  throw wrongUse(`--cases is a whole number from 1 to ${CASES_MAX}, not '${text}'`);
}

function minutesOption(text: string): number {
  const minutes = Number(text);
  if (/^[0-9]{1,5}$/.test(text) && minutes >= 1 && minutes <= MINUTES_MAX) return minutes;
  throw wrongUse(`--minutes is a whole number from 1 to ${MINUTES_MAX}, not '${text}'`);
}
