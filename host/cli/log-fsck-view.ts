/** Looks through a mirror for `quiesce log fsck`, and says where it is broken. */
import { existsSync } from "node:fs";
import { type FsckResult, fsck } from "../log/fsck.ts";
import type { LogKeys } from "../log/log-keys.ts";
import type { KeyOptions } from "./commands/log-options.ts";
import { Exit, wrongUse } from "./exit.ts";
import { trustedOf } from "./log-input.ts";
import { cosignedText, headValue } from "./log-terms-view.ts";
import { exactText, plainText } from "./names.ts";
import { color, facts, hex, print, printJson } from "./output.ts";
import { withProgress } from "./progress.ts";

/** Throws `CliError` where there is no folder. */
export async function fsckMirror(folder: string, options: KeyOptions, asJson: boolean): Promise<void> {
  const { keys } = trustedOf(options);
  if (!existsSync(folder)) throw wrongUse(`there is no folder ${folder}`);
  const result = await withProgress(1, "entries", (update) => fsck({ folder, keys, onProgress: update }));
  const { checkpoint, ...counts } = result;
  if (asJson)
    printJson({ ok: !result.broken, ...(checkpoint && { checkpoint: headValue(checkpoint, keys) }), ...counts });
  else print(textOf(result, keys));
  if (result.broken) process.exitCode = Exit.NOT_GOOD;
}

function textOf(
  { checkpoint, entries, indexEntries, subjects, tiles, checkpoints, broken }: FsckResult,
  keys: LogKeys,
) {
  const rows: [string, string][] = checkpoint
    ? [
        ["log", plainText(checkpoint.origin)],
        ["head", `${exactText(checkpoint.size)} leaves, root ${hex(checkpoint.root)}`],
        ["cosigned by", cosignedText(checkpoint, keys)],
      ]
    : [];
  rows.push(
    ["entries", `${exactText(entries)}, ${exactText(indexEntries)} of them of the index`],
    ["devices", exactText(subjects)],
    ["tiles", exactText(tiles)],
    ["older heads", exactText(checkpoints)],
  );
  const verdict = broken
    ? `${color.red("✗")} ${broken.path}: ${broken.code}, ${plainText(broken.message)}`
    : `${color.green("✓")} nothing wrong`;
  return `${facts(rows)}\n\n  ${verdict}`;
}
