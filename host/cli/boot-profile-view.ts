/** Where a boot's time goes: a table with a bar for each step, or JSON. */
import { hrtime } from "node:process";
import { type BootStage, profileBoot } from "../../sim-board/boot-profile.ts";
import { type BoardChoice, boardOf } from "./board-view.ts";
import { bootStepName } from "./names.ts";
import { color, print, printJson, table } from "./output.ts";

const BOOTS = 201;
/** Columns of the longest bar. */
const BAR = 32;

const OTHER_NAMES: Record<string, string> = {
  rom: "boot ROM (the board's, in JavaScript)",
  memory: "module into memory",
  challenge: "challenge",
};

/** Boots a board many times and prints the medians. Throws a `Refusal`, a `CliError`. */
export function showBootProfile(choice: BoardChoice, asJson: boolean): void {
  const { board, ueid } = boardOf(choice);
  board.powerOff();
  const { boots, totalUs, stages } = profileBoot(board, BOOTS, hrtime.bigint);
  const sum = stages.reduce((all, { us }) => all + us, 0);
  const steps = stages.map(({ stage, us }) => ({ ...nameOf(stage), us, share: us / sum }));
  if (asJson) printJson({ seed: choice.seed, firmware: board.image.sha256, ueid, boots, totalUs, steps });
  else printProfile(boots, totalUs, steps);
}

type Step = { step: number | null; name: string; us: number; share: number };

function nameOf(stage: BootStage): { step: number | null; name: string } {
  return typeof stage === "number"
    ? { step: stage, name: bootStepName(stage) }
    : { step: null, name: OTHER_NAMES[stage]! };
}

function printProfile(boots: number, totalUs: number, steps: readonly Step[]): void {
  print(
    `${color.bold("boot")}  ${(totalUs / 1000).toFixed(2)} ms from reset to a challenge${color.dim(`  median of ${boots} boots`)}\n`,
  );
  const longest = Math.max(...steps.map(({ share }) => share));
  const columns = [
    { title: "step", right: true },
    { title: "" },
    { title: "µs", right: true },
    { title: "%", right: true },
  ];
  print(
    table(
      [...columns, { title: "" }],
      steps.map(({ step, name, us, share }) => [
        step === null ? "" : String(step),
        name,
        us.toFixed(1),
        (share * 100).toFixed(1),
        color.cyan("█".repeat(Math.round((share / longest) * BAR)) || "▏"),
      ]),
    ),
  );
}
