/** `quiesce witness show`: its key, its logs, the newest heads, and heads that contradict them. */
import type { Command } from "commander";
import type { WitnessConfig } from "../../witness/config.ts";
import type { Conflict, CosignedHead } from "../../witness/store.ts";
import { exactText, plainText, timeText } from "../names.ts";
import { color, facts, hex, print, printJson, table, wantsJson } from "../output.ts";
import { addWitnessOption, type WitnessOption, withWitness, witnessConfigOf } from "./witness-options.ts";

export function addWitnessShow(parent: Command): void {
  addWitnessOption(parent.command("show"))
    .description("show its vkey, its logs, their newest heads, and conflicts; also while it serves")
    .option("--json", "print one JSON document, with the signed notes")
    .addHelpText("after", "\nExample:\n  $ quiesce witness show --config w1/witness.json --json\n")
    .action((options: WitnessOption, command: Command) => withWitness(() => show(options, wantsJson(command))));
}

async function show(options: WitnessOption, asJson: boolean): Promise<void> {
  const config = await witnessConfigOf(options);
  const { witnessKeyOf } = await import("../../witness/open.ts");
  const { formatVkey } = await import("../../log/note.ts");
  const vkey = formatVkey(await witnessKeyOf(config));
  const { heads, conflicts } = await booksOf(config);
  const logs = config.logs.map(({ origin, keys }) => ({
    origin,
    vkeys: keys.map(formatVkey),
    head: heads.find((head) => head.origin === origin),
  }));
  if (asJson) {
    printJson({ vkey, logs, conflicts });
    return;
  }
  print(facts([["vkey", vkey]]));
  print("");
  print(
    table(
      [{ title: "log" }, { title: "leaves", right: true }, { title: "root" }, { title: "cosigned" }],
      logs.map(({ origin, head }) => [plainText(origin), ...headCells(head)]),
    ),
  );
  if (conflicts.length === 0) return;
  print(color.red("\nSigned by the log, and not cosigned (--json has the notes):"));
  print(
    table(
      [{ title: "log" }, { title: "what" }, { title: "leaves", right: true }, { title: "root" }, { title: "came" }],
      conflicts.map(({ origin, kind, size, root, seconds }) => [
        plainText(origin),
        kind,
        exactText(size),
        hex(root),
        timeText(seconds),
      ]),
    ),
  );
}

function headCells(head: CosignedHead | undefined): string[] {
  if (head === undefined) return ["none yet", "", ""];
  return [exactText(head.size), hex(head.root), timeText(head.seconds)];
}

/** Empty for a witness that never ran. */
async function booksOf({ folder }: WitnessConfig): Promise<{ heads: CosignedHead[]; conflicts: Conflict[] }> {
  const { WitnessBooks } = await import("../../witness/store.ts");
  try {
    const books = WitnessBooks.read(folder);
    try {
      return { heads: books.heads(), conflicts: books.conflicts() };
    } finally {
      books.close();
    }
  } catch (error) {
    if ((error as { code?: unknown }).code === "store/missing") return { heads: [], conflicts: [] };
    throw error;
  }
}
