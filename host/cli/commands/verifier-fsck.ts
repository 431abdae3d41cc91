/** `quiesce verifier fsck`: what should not be in a verifier's store. docs/store.md */
import type { Command } from "commander";
import type { Config } from "../../service/config/config.ts";
import type { Check, Finding } from "../../store/fsck.ts";
import type { RestoreMark } from "../../store/restored.ts";
import type { RowCounts } from "../../store/row-counts.ts";
import { Exit, wrongUse } from "../exit.ts";
import { countText, exactText, plainText, timeText } from "../names.ts";
import { color, print, printJson, table, wantsJson } from "../output.ts";
import { withProgress } from "../progress.ts";
import { addConfigOption, type ConfigOption, configOf, withStore, withVerifier } from "./verifier-options.ts";

const LOCKED =
  "store/locked: a verifier runs on this store: stop it, or look through a backup, which can be taken while it runs";
const SHOWN_DEFAULT = "100";
const SHOWN_MAX = 1_000_000;

export function addVerifierFsck(parent: Command): void {
  addConfigOption(parent.command("fsck"))
    .description("look through the store of a verifier for what should not be there, and change nothing in it")
    .option("--show <count>", "show at most so many findings; all are counted", SHOWN_DEFAULT)
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nThe exit code is 0 where nothing is wrong, and 1 where something is found. A store in a folder is looked\n" +
        "through while its verifier is stopped; one in PostgreSQL beside the verifiers that run on it.\n" +
        "\nExample:\n  $ quiesce verifier fsck --config north/verifier.json\n",
    )
    .action((options: ConfigOption & { show: string }, command: Command) =>
      withVerifier(async () => {
        const shownMax = shownOf(options.show);
        const result = await lookThrough(await configOf(options), shownMax);
        if (result.findingCount > 0) process.exitCode = Exit.NOT_GOOD;
        if (wantsJson(command)) printJson({ ok: result.findingCount === 0, ...result });
        else print(textOf(result));
      }, LOCKED),
    );
}

interface Result {
  /** Those that could begin. */
  readonly checks: readonly string[];
  /** Absent where they cannot be counted. */
  readonly rows: RowCounts | undefined;
  /** Absent where it never was. */
  readonly restored: RestoreMark | undefined;
  /** Whose signatures on endorsements were judged; without any, none was. */
  readonly manufacturers: number;
  readonly findingCount: number;
  /** The first of them. */
  readonly findings: readonly Finding[];
}

async function lookThrough(config: Config, shownMax: number): Promise<Result> {
  const { STRUCTURAL_CHECKS } = await import("../../store/structure.ts");
  const { contentChecks } = await import("../../service/checks/content.ts");
  const { rowCounts } = await import("../../store/row-counts.ts");
  const { restoredOf } = await import("../../store/restored.ts");
  const { verificationKey } = await import("../../protocol/cose.ts");
  const manufacturers = config.manufacturers.map(verificationKey);
  const checks = [...STRUCTURAL_CHECKS, ...contentChecks(manufacturers.length > 0 ? manufacturers : undefined)];
  let [rows, restored]: [RowCounts?, RestoreMark?] = [];
  const counting: Check = {
    name: "rows",
    async *run({ db }) {
      rows = await rowCounts(db);
      restored = await restoredOf(db);
      yield* [];
    },
  };
  const findings: Finding[] = [];
  let findingCount = 0;
  const begun: string[] = [];
  await withProgress(checks.length, "checks", (update) => {
    const watched = checks.map((check) => watch(check, () => update(begun.push(check.name) - 1)));
    return look(config, [counting, ...watched], (finding) => {
      findingCount += 1;
      if (findings.length < shownMax) findings.push(finding);
    });
  });
  return {
    checks: begun,
    rows,
    restored,
    manufacturers: manufacturers.length,
    findingCount,
    findings,
  };
}

function watch({ name, run }: Check, begun: () => void): Check {
  return {
    name,
    async *run(snapshot) {
      begun();
      yield* run(snapshot);
    },
  };
}

async function look(config: Config, checks: readonly Check[], onFinding: (finding: Finding) => void): Promise<void> {
  const { StoreError } = await import("../../store/errors.ts");
  const { fsck } = await import("../../store/fsck.ts");
  try {
    await withStore(config, { mustExist: true }, async (store) => {
      for await (const finding of fsck(store, checks)) onFinding(finding);
    });
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== "store/corrupt") throw error;
    // So damaged that no check gets to see it.
    const { message } = (error.cause ?? error) as Error;
    onFinding({ check: "open", table: "", key: "", message });
  }
}

function shownOf(text: string): number {
  const count = Number(text);
  if (/^[0-9]{1,7}$/.test(text) && count <= SHOWN_MAX) return count;
  throw wrongUse(`--show is a whole number from 0 to ${SHOWN_MAX}, not '${text}'`);
}

function textOf({ checks, rows, restored, manufacturers, findingCount, findings }: Result): string {
  const counted = rows && Object.entries(rows).filter(([, count]) => count > 0);
  const rowSum = counted?.reduce((sum, [, count]) => sum + count, 0);
  const rowText = rowSum === undefined ? "rows that cannot be counted" : countText(rowSum, "row");
  const what = checks.length === 0 ? "no check could begin" : `${countText(checks.length, "check")} of ${rowText}`;
  const lines: string[] = [];
  if (findings.length > 0) {
    const cells = findings.map(({ check, table, key, message }) => [check, table, key, message].map(plainText));
    lines.push(
      table(
        ["check", "table", "row", "what is wrong"].map((title) => ({ title })),
        cells,
        "",
      ),
    );
  } else if (findingCount === 0 && counted) {
    const cells = counted.map(([name, count]) => [name, exactText(count)]);
    lines.push(table([{ title: "table" }, { title: "rows", right: true }], cells, ""));
  }
  if (findingCount > findings.length) lines.push(`... and ${exactText(findingCount - findings.length)} more: --show`);
  lines.push("");
  if (restored) {
    const [backup, back] = [restored.backupMs, restored.restoredMs].map((ms) => timeText(Math.floor(ms / 1000)));
    lines.push(`restored ${back} from a backup of ${backup}: what was signed between the two is not in it`);
  }
  if (manufacturers === 0 && checks.length > 0) {
    lines.push("signatures on endorsements were not judged: the configuration names no manufacturers");
  }
  const isGood = findingCount === 0;
  const mark = isGood ? color.green("✓") : color.red("✗");
  lines.push(`${mark} ${isGood ? "nothing wrong" : countText(findingCount, "finding")}: ${what}`);
  return lines.join("\n");
}
