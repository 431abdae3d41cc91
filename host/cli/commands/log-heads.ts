/** `quiesce log heads`: what a verifier knows of the agreements' logs, and split views. docs/witness.md */
import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import type { HeadsView } from "../../service/service.ts";
import { Exit, wrongUse } from "../exit.ts";
import { checkNewFile } from "../input.ts";
import { exactText, plainText, timeText } from "../names.ts";
import { color, hex, print, printJson, table, wantsJson } from "../output.ts";
import { withVerifier } from "./verifier-options.ts";

type Options = { ca?: string; out?: string };

export function addLogHeads(parent: Command): void {
  parent
    .command("heads")
    .description(
      "show the heads of the agreements' logs that a verifier was shown, and split views: who says otherwise",
    )
    .argument("<url>", "where the verifier is, such as https://verifier.example")
    .option("--ca <file>", "who signed its certificate, PEM")
    .option("--out <file>", "write the first split view, in the form that is published")
    .option("--json", "print one JSON document, with the signed notes")
    .addHelpText(
      "after",
      "\nThe exit code is 5 where a log has shown two histories. What is shown was verified by the verifier; a split view\n" +
        "is verified here once more.\n" +
        "\nExample:\n  $ quiesce log heads https://verifier.example --json\n",
    )
    .action((url: string, options: Options, command: Command) =>
      withVerifier(() => show(url, options, wantsJson(command))),
    );
}

async function show(url: string, { ca, out }: Options, asJson: boolean): Promise<void> {
  if (out !== undefined) checkNewFile(out);
  const { VerifierClient } = await import("../../client/client.ts");
  const { readPlain } = await import("../../client/credentials.ts");
  const client = new VerifierClient({ url, ...(ca !== undefined && { ca: caOf(ca, readPlain) }) });
  let view: HeadsView;
  try {
    view = await client.logHeads();
  } finally {
    await client.close();
  }
  await verify(view);
  const [first] = view.splitViews;
  if (first) process.exitCode = Exit.SPLIT_VIEW;
  if (out !== undefined && first) await publish(out, first);
  if (asJson) printJson(view);
  else printView(view);
}

function caOf(path: string, read: (path: string) => string): string {
  try {
    return read(path);
  } catch (cause) {
    throw wrongUse(`${path} cannot be read: ${(cause as NodeJS.ErrnoException).code}`, cause);
  }
}

type Split = HeadsView["splitViews"][number];

/** A verifier that says of a log what it can't show is no better than such a log. Throws `LogError`. */
async function verify({ splitViews }: HeadsView): Promise<void> {
  const { verifySplitView } = await import("../../log/split-view.ts");
  const { parseVkey } = await import("../../log/note.ts");
  for (const view of splitViews) verifySplitView(evidenceOf(view), parseVkey(view.log));
}

async function publish(path: string, view: Split): Promise<void> {
  const { formatSplitView } = await import("../../log/split-view.ts");
  writeFileSync(path, formatSplitView(evidenceOf(view)), { flag: "wx" });
}

function evidenceOf({ note: first, otherNote: second, proof }: Split) {
  return { first, second, ...(proof && { proof }) };
}

function printView({ heads, splitViews }: HeadsView): void {
  if (heads.length === 0) print("no head of an agreement's log is known there");
  else {
    print(
      table(
        [{ title: "log" }, { title: "leaves", right: true }, { title: "root" }, { title: "of one log" }],
        heads.map(({ origin, size, root, isLinked }) => [
          plainText(origin),
          exactText(size),
          hex(root),
          isLinked ? "yes" : "not shown yet",
        ]),
        "",
      ),
    );
  }
  if (splitViews.length === 0) return;
  print(color.red("\nSplit views: two heads that no one log can have, both signed by it (--json has the notes):"));
  print(
    table(
      [{ title: "log" }, { title: "leaves", right: true }, { title: "and", right: true }, { title: "found" }],
      splitViews.map(({ origin, size, otherSize, foundMs }) => [
        plainText(origin),
        exactText(size),
        exactText(otherSize),
        timeText(Math.floor(foundMs / 1000)),
      ]),
      "",
    ),
  );
}
