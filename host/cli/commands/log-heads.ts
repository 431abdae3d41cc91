/** `quiesce log heads`: what a verifier knows of the agreements' logs, and split views. docs/witness.md */
import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import type { HeadsView } from "../../service/service.ts";
import { Exit, wrongUse } from "../exit.ts";
import { checkNewFile } from "../input.ts";
import { exactText, plainText, timeText } from "../names.ts";
import { color, hex, print, printJson, table, wantsJson } from "../output.ts";
import { addKeyOptions, KEYS_HELP, type KeyOptions } from "./log-options.ts";
import { withVerifier } from "./verifier-options.ts";

interface Options extends KeyOptions {
  readonly ca?: string;
  readonly out?: string;
}

export function addLogHeads(parent: Command): void {
  const heads = parent
    .command("heads")
    .description(
      "show the heads of the agreements' logs that a verifier was shown, and split views: who says otherwise",
    )
    .argument("<url>", "where the verifier is, such as https://verifier.example")
    .option("--ca <file>", "who signed its certificate, PEM");
  addKeyOptions(heads)
    .option("--out <file>", "write the first split view that is confirmed, in the form that is published")
    .option("--json", "print one JSON document, with the signed notes")
    .addHelpText(
      "after",
      `${KEYS_HELP}
What is shown was verified by the verifier; a split view is verified here once more. It is confirmed where the log's key,
from an agreement or --log-key, signed both heads: then the exit code is 5. Otherwise it says no more than that somebody
has the key that the verifier names.

Examples:
  $ quiesce log heads https://verifier.example --agreement agreement.cbor --out split-view.json
  $ quiesce log heads https://verifier.example --log-key VKEY --json
`,
    )
    .action((url: string, options: Options, command: Command) =>
      withVerifier(() => show(url, options, wantsJson(command))),
    );
}

async function show(url: string, options: Options, asJson: boolean): Promise<void> {
  const { ca, out } = options;
  const log = await logOf(options);
  if (out !== undefined && log === undefined)
    throw wrongUse("--out takes the log's key: give --agreement or --log-key");
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
  const splitViews = view.splitViews.map((one) => ({ ...one, isConfirmed: one.log === log }));
  const first = splitViews.find(({ isConfirmed }) => isConfirmed);
  if (first) process.exitCode = Exit.SPLIT_VIEW;
  if (out !== undefined && first) await publish(out, first);
  if (asJson) printJson({ heads: view.heads, splitViews });
  else printView({ heads: view.heads, splitViews });
}

/** The vkey that split views have to be of; undefined where none is given. Throws `CliError` for a key that is none. */
async function logOf(options: KeyOptions): Promise<string | undefined> {
  const { agreement, logKey, witness, witnessQuorum } = options;
  if ([agreement, logKey, witness, witnessQuorum].every((one) => one === undefined)) return undefined;
  const { trustedOf } = await import("../log-input.ts");
  const { formatVkey } = await import("../../log/note.ts");
  return formatVkey(trustedOf(options).keys.log);
}

function caOf(path: string, read: (path: string) => string): string {
  try {
    return read(path);
  } catch (cause) {
    throw wrongUse(`${path} cannot be read: ${(cause as NodeJS.ErrnoException).code}`, cause);
  }
}

type Split = HeadsView["splitViews"][number];
type JudgedSplit = Split & { readonly isConfirmed: boolean };

/** A verifier that says of a log what it can't show is no better than such a log. Throws `LogError`. */
async function verify({ splitViews }: HeadsView): Promise<void> {
  const { verifySplitView } = await import("../../log/split-view.ts");
  const { LogError } = await import("../../log/errors.ts");
  const { parseVkey } = await import("../../log/note.ts");
  for (const view of splitViews) {
    const key = parseVkey(view.log);
    const [size, otherSize] = verifySplitView(evidenceOf(view), key);
    if (key.name !== view.origin || size !== view.size || otherSize !== view.otherSize) {
      throw new LogError("log/consistency", `the two notes of ${key.name} are of other heads than the verifier says`);
    }
  }
}

async function publish(path: string, view: Split): Promise<void> {
  const { formatSplitView } = await import("../../log/split-view.ts");
  writeFileSync(path, formatSplitView(evidenceOf(view)), { flag: "wx" });
}

function evidenceOf({ note: first, otherNote: second, proof }: Split) {
  return { first, second, ...(proof && { proof }) };
}

function printView({ heads, splitViews }: { heads: HeadsView["heads"]; splitViews: readonly JudgedSplit[] }): void {
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
  const confirmed = splitViews.filter(({ isConfirmed }) => isConfirmed);
  if (confirmed.length > 0) {
    print(color.red("\nSplit views: two heads that no one log can have, both signed by it (--json has the notes):"));
    printSplits(confirmed);
  }
  const others = splitViews.filter(({ isConfirmed }) => !isConfirmed);
  if (others.length === 0) return;
  print(
    "\nUnconfirmed split views, of keys that only the verifier names (--agreement or --log-key says whose they are):",
  );
  printSplits(others);
  for (const vkey of new Set(others.map(({ log }) => log))) print(`unconfirmed: ${plainText(vkey)}`);
}

function printSplits(splitViews: readonly Split[]): void {
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
