/** What `quiesce attack` shows. */
import { existsSync, writeFileSync } from "node:fs";
import { type Campaign, type Outcome, UnknownCase } from "../../attack/campaign.ts";
import { CAMPAIGNS, campaignOf } from "../../attack/campaigns.ts";
import { corpusOf, corpusText } from "../../attack/fuzz/corpus.ts";
import type { AttackOptions } from "./commands/attack.ts";
import { Exit, wrongUse } from "./exit.ts";
import { readInput } from "./input.ts";
import { countText, exactText, plainText } from "./names.ts";
import { color, print, printJson, table } from "./output.ts";
import { withProgress } from "./progress.ts";

export function listCampaigns(json: boolean): void {
  if (json) {
    printJson({ campaigns: CAMPAIGNS.map(({ name, about, claim }) => ({ name, about, claim })) });
    return;
  }
  const rows = CAMPAIGNS.map(({ name, about, claim }) => [name, about, claim]);
  print(table([{ title: "campaign" }, { title: "what is tried" }, { title: "what must hold" }], rows, ""));
}

/** Runs a campaign; findings make the exit code. */
export async function showAttack(name: string, options: AttackOptions, json: boolean): Promise<void> {
  const campaign = campaignOf(name);
  if (!campaign) {
    throw wrongUse(`there is no campaign '${name}': there are ${CAMPAIGNS.map((one) => one.name).join(", ")}`);
  }
  const corpus = options.corpus === undefined ? undefined : readCorpus(campaign, options.corpus);
  if (options.minutes !== undefined) mayTakeMinutes(campaign, options);
  const begun = performance.now();
  const outcome = await runShown(campaign, options, corpus);
  const seconds = (performance.now() - begun) / 1000;
  if (outcome.findingCount > 0) process.exitCode = Exit.NOT_GOOD;
  if (options.corpus !== undefined && options.case === undefined && outcome.corpus)
    writeFileSync(options.corpus, corpusText(outcome.corpus));
  if (json) printJson({ ok: outcome.findingCount === 0, ...outcome, seconds });
  else print(textOf(campaign, outcome, seconds));
}

/** The inputs of the file; none where it is to be made. */
function readCorpus({ name, guided }: Campaign, path: string): readonly string[] {
  if (!guided) throw wrongUse(`${name} takes no corpus: coverage does not guide it`);
  if (!existsSync(path)) return [];
  const corpus = corpusOf(new TextDecoder().decode(readInput(path)));
  if (!corpus) throw wrongUse(`${path} is no corpus of ${name}`);
  return corpus.inputs;
}

function mayTakeMinutes({ name, takesMinutes }: Campaign, { case: only }: AttackOptions): void {
  if (!takesMinutes) throw wrongUse(`${name} has an end, and takes no --minutes: --cases bounds it`);
  if (only !== undefined) throw wrongUse("one case runs to its end: --case takes no --minutes");
}

async function runShown(
  campaign: Campaign,
  options: AttackOptions,
  corpus: readonly string[] | undefined,
): Promise<Outcome> {
  const { seed, cases: casesMax, case: only, minutes } = options;
  const isByTime = campaign.takesMinutes && casesMax === undefined && only === undefined;
  try {
    return await withProgress(0, isByTime || minutes !== undefined ? "seconds" : "cases", async (update) =>
      campaign.run({
        seed,
        ...(casesMax !== undefined && { casesMax }),
        ...(only !== undefined && { only }),
        ...(corpus && { corpus }),
        ...(minutes !== undefined && { minutes }),
        progress: ({ done, total }) => update(Math.floor(done), total),
      }),
    );
  } catch (error) {
    if (error instanceof UnknownCase) throw wrongUse(`${campaign.name}: ${error.message}`, error);
    throw error;
  }
}

function textOf({ name, claim }: Campaign, outcome: Outcome, seconds: number): string {
  const { cases, tried, findingCount, findings, seed } = outcome;
  const lines = [outcome.each ? tableOfEach(outcome.each) : tableOfVerdicts(outcome.verdicts)];
  if (outcome.counts) lines.push("", tableOfCounts(outcome.counts));
  if (findings.length > 0) {
    const cells = findings.map(({ id, what }) => [id, plainText(what)]);
    lines.push("", table([{ title: "finding" }, { title: "what happened" }], cells, ""));
    lines.push("", `replay one: quiesce attack ${name} --seed ${seed} --case ${findings[0]!.id}`);
  }
  if (outcome.corpus) {
    const { reached, branches, inputs } = outcome.corpus;
    const share = `${exactText(reached)} of ${exactText(branches)} branches`;
    lines.push("", `${share} were taken, all of them by ${countText(inputs.length, "input")}`);
  }
  const mark = findingCount === 0 ? color.green("✓") : color.red("✗");
  const share = tried === cases ? `all ${exactText(cases)}` : `${exactText(tried)} of ${exactText(cases)}`;
  const verdict = findingCount === 0 ? claim : countText(findingCount, "finding");
  lines.push("", `${mark} ${share} cases in ${seconds.toFixed(1)} s: ${verdict}`);
  return lines.join("\n");
}

function tableOfVerdicts(verdicts: Outcome["verdicts"]): string {
  const rows = Object.entries(verdicts).sort(([, a], [, b]) => b - a);
  return table(
    [{ title: "what came of it" }, { title: "cases", right: true }],
    rows.map(([verdict, count]) => [verdict, exactText(count)]),
    "",
  );
}

function tableOfCounts(counts: NonNullable<Outcome["counts"]>): string {
  return table(
    [{ title: "what happened" }, { title: "times", right: true }],
    Object.entries(counts).map(([happening, count]) => [happening, exactText(count)]),
    "",
  );
}

function tableOfEach(each: NonNullable<Outcome["each"]>): string {
  return table(
    [{ title: "" }, { title: "case" }, { title: "what it was answered with" }],
    each.map(({ id, verdict }) => [verdict === undefined ? color.red("✗") : color.green("✓"), id, verdict ?? "FOUND"]),
    "",
  );
}
