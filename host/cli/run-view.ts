/** Runs a workload on one board for `quiesce board run`, and prints what came of it. */
import type { RecordedTotals, Workload } from "../../sim-board/workloads/types.ts";
import { type Comparison, runWorkload, type WorkloadRun } from "../demo/run-workload.ts";
import { booksDocument, booksTable, outputColumns } from "./books-table.ts";
import { Exit } from "./exit.ts";
import { loadGovernor } from "./firmware.ts";
import { durationText, exactText, plainText } from "./names.ts";
import { color, facts, hex, print, printJson } from "./output.ts";
import { progressBar } from "./progress.ts";
import { chooseWorkload, type WorkloadOptions } from "./workload.ts";

export function runBoard(options: WorkloadOptions & { seed: number }, asJson: boolean): void {
  const workload = chooseWorkload(options);
  const image = loadGovernor();
  const bar = progressBar(Math.ceil(workload.totals.durationSeconds), "simulated seconds");
  const run = runWorkload({
    image,
    workload,
    seed: options.seed,
    whole: options.trace === undefined || options.steps === undefined,
    onProgress: (seconds) => bar?.update(Math.floor(seconds)),
  });
  bar?.stop();
  if (asJson) printJson(documentOf(workload, run, options.seed, image.sha256));
  else printRun(workload, run);
  if (!run.ok) process.exitCode = Exit.NOT_GOOD;
}

function documentOf(workload: Workload, run: WorkloadRun, seed: number, sha256: Uint8Array): object {
  const { ok, books, comparisons, recorded, ...rest } = run;
  return {
    ok,
    seed,
    firmware: { sha256: hex(sha256) },
    workload: {
      name: workload.name,
      source: workload.source,
      accelerator: workload.accelerator,
      boards: workload.boards,
      board: workload.board,
      measured: workload.provenance.measured,
      computed: workload.provenance.computed,
    },
    recorded,
    metered: Object.fromEntries(
      comparisons
        .filter(isMetered)
        .map(({ name, recorded: mine, metered }) => [name, { recorded: mine, metered, equal: mine === metered }]),
    ),
    counted: Object.fromEntries(
      comparisons
        .filter((comparison) => !isMetered(comparison))
        .map(({ name, recorded: all, metered: done }) => [name, { recorded: all, done, equal: all === done }]),
    ),
    work: booksDocument(books),
    ...rest,
  };
}

const COUNTS: readonly [key: keyof RecordedTotals, name: string][] = [
  ["steps", "steps"],
  ["samples", "samples"],
  ["tokens", "tokens"],
  ["requests", "requests"],
  ["gemms", "matrix products"],
  ["collectivesUnmetered", "collectives without a recorded size (not metered)"],
  ["operationsUntyped", "operations without a data type (not metered)"],
];

function printRun(workload: Workload, run: WorkloadRun): void {
  const { recorded, comparisons, books, invariants } = run;
  print(
    `${color.bold(plainText(workload.name))}  board ${workload.board} of ${exactText(workload.boards)}, ${workload.accelerator}`,
  );
  print(color.dim(`  ${plainText(workload.source)}`));
  print("");
  const counts = COUNTS.filter(([key]) => recorded[key]);
  print(
    facts([
      ["simulated", `${durationText(run.seconds)}, ${exactText(run.played.phases)} phases`],
      [
        "recording",
        counts.map(([key, name]) => `${exactText(recorded[key] as number | bigint)} ${name}`).join(", ") || "work only",
      ],
      ["licenses", `${run.licenses}, reports ${run.reports}`],
      ["wear", `${exactText(run.counterSteps)} counter steps, ${exactText(run.sectorErases)} sector erases`],
      ...comparisons.map((comparison) => [TITLES[comparison.name], comparisonText(comparison)] as const),
      ["invariants", `${exactText(invariants.checked)} checks, ${invariants.broken} broken`],
    ]),
  );
  print("");
  print(booksTable(books, outputColumns()));
  print("");
  print(run.ok ? color.green("✓ the books are closed") : color.red("✗ the books differ"));
}

const TITLES = {
  flop: "operations",
  linkBytes: "link bytes",
  samples: "samples",
  tokens: "tokens",
  requests: "requests",
} as const;

/** A governor meters operations and bytes; what else there is was counted over the phases that are done. */
function isMetered({ name }: Comparison): boolean {
  return name === "flop" || name === "linkBytes";
}

function comparisonText(comparison: Comparison): string {
  const { recorded, metered } = comparison;
  if (recorded === 0n && metered === 0n) return "none in the recording";
  const equal =
    recorded === metered ? color.green("equal to the recording's") : `the recording's: ${exactText(recorded)}`;
  return `${exactText(metered)} ${isMetered(comparison) ? "metered" : "done by the job"}, ${equal}`;
}
