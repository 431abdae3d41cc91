/** Plays the demo for `quiesce demo`: on a terminal, in plain lines, or as one JSON document. */
import type { Workload } from "../../sim-board/workloads/types.ts";
import { playDemoOverHttp } from "../demo/play-over-http.ts";
import { verdictLines, wrapWords } from "../demo/render/lines.ts";
import { LiveTeller } from "../demo/render/live.ts";
import { PlainTeller } from "../demo/render/plain.ts";
import { legend, strips } from "../demo/render/strips.ts";
import type { DemoResult } from "../demo/result.ts";
import { makeFolder, saveObjects } from "../demo/save.ts";
import type { Demo, DemoSettings } from "../demo/scenario.ts";
import { SILENT } from "../demo/teller.ts";
import { errorPhrase } from "../protocol/error-phrases.ts";
import { errorCodeText } from "../protocol/refusal.ts";
import { booksDocument, booksTable, outputColumns } from "./books-table.ts";
import { Exit, wrongUse } from "./exit.ts";
import { loadGovernor } from "./firmware.ts";
import { classKey, exactText, plainText } from "./names.ts";
import { color, print, printJson } from "./output.ts";
import { chooseWorkload, type WorkloadOptions } from "./workload.ts";

const DEFAULT_WORKLOAD = "llama405b-train";

type Options = WorkloadOptions & { seed: number; save?: string };

export async function showDemo(options: Options, asJson: boolean): Promise<void> {
  const workload = chooseWorkload(options, DEFAULT_WORKLOAD);
  const image = loadGovernor();
  // Before the story, so that nobody waits for it in vain.
  if (options.save !== undefined) save(() => makeFolder(options.save!), options.save);
  const demo = asJson
    ? await playDemoOverHttp({ image, workload, seed: options.seed, teller: SILENT })
    : await tellDemo({ image, workload, seed: options.seed });
  const files = options.save === undefined ? [] : save(() => saveObjects(demo, options.save!), options.save);
  if (asJson) printJson(documentOf(demo.result));
  else if (files.length > 0) print(`  ${files.length} objects in ${options.save}`);
  if (!demo.result.ok) process.exitCode = Exit.NOT_GOOD;
}

async function tellDemo(settings: Omit<DemoSettings, "teller">): Promise<Demo> {
  printHead(settings.workload, settings.seed);
  const live = process.stdout.isTTY ? new LiveTeller(process.stdout) : undefined;
  const demo = await playDemoOverHttp({ ...settings, teller: live ?? new PlainTeller(process.stdout) });
  live?.close();
  printEnd(demo);
  return demo;
}

function printHead(workload: Workload, seed: number): void {
  const board = `board ${workload.board} of ${exactText(workload.boards)}`;
  print(`${color.bold("quiesce demo")}  ${plainText(workload.name)}, ${board}, seed ${seed}`);
  for (const line of wrapWords(plainText(workload.source), outputColumns() - 3)) print(color.dim(`  ${line}`));
  print("");
}

function printEnd({ result, timeline }: Demo): void {
  const columns = outputColumns();
  print("");
  const drawn = Math.min(columns - 1, 118);
  print([...strips(timeline, drawn), ...legend(timeline, drawn)].join("\n"));
  print("");
  print(booksTable(result.books, columns));
  print("");
  print(verdictLines(result, process.stdout.isTTY ? columns - 1 : Number.POSITIVE_INFINITY).join("\n"));
}

function save<T>(write: () => T, folder: string): T {
  try {
    return write();
  } catch (cause) {
    throw wrongUse(`the objects cannot be written to ${folder}: ${(cause as NodeJS.ErrnoException).code}`, cause);
  }
}

function documentOf(result: DemoResult): object {
  const { ok, seed, firmware, books, repeated, pause, attempts, invariants, ...rest } = result;
  return {
    ok,
    seed,
    firmware,
    work: booksDocument(books),
    pause,
    attempts: attempts.map(({ name, refused, code, detail }) => ({
      name,
      refused,
      code: errorCodeText(code),
      codeName: errorPhrase(code).name,
      detail,
    })),
    invariants,
    repeated: Object.fromEntries([...repeated].map(([c, work]) => [classKey(c), work])),
    ...rest,
  };
}
