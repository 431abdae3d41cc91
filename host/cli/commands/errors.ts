/** `quiesce errors [CODE]`: what a refusal means and what to do about it. */
import type { Command } from "commander";
import { ERROR_PHRASES, type ErrorPhrase } from "../../protocol/error-phrases.ts";
import { errorCodeText } from "../../protocol/refusal.ts";
import { wrongUse } from "../exit.ts";
import { color, facts, print, printJson, table, wantsJson } from "../output.ts";

type Row = ErrorPhrase & { code: string };

export function addErrors(parent: Command): void {
  parent
    .command("errors")
    .description("explain the governor's refusals")
    .argument("[code]", "a code or its name; all of them without it")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExample:\n  $ quiesce errors 0x0704\n  $ quiesce errors LICENSE_EPOCH\n")
    .action((asked: string | undefined, _options: object, command: Command) => {
      const rows = asked === undefined ? allRows() : [rowOf(asked)];
      if (wantsJson(command)) printJson(asked === undefined ? rows : rows[0]);
      else if (asked === undefined) printAll(rows);
      else printOne(rows[0]!);
    });
}

function allRows(): Row[] {
  return Object.entries(ERROR_PHRASES)
    .map(([code, phrase]) => ({ code: errorCodeText(Number(code)), ...phrase }))
    .sort((a, b) => a.code.localeCompare(b.code));
}

function rowOf(asked: string): Row {
  const isNumber = /^(0x[0-9a-f]{1,8}|[0-9]{1,10})$/i.test(asked);
  const code = isNumber ? errorCodeText(Number(asked)) : undefined;
  const found = allRows().find((row) => row.code === code || row.name === asked.toUpperCase());
  if (!found) throw wrongUse(`there is no refusal '${asked}'; \`quiesce errors\` lists them all`);
  return found;
}

function printOne(row: Row): void {
  print(`${color.bold(row.code)}  ${row.name}`);
  print(
    facts([
      ["meaning", row.phrase],
      ["what to do", row.remedy],
    ]),
  );
}

function printAll(rows: Row[]): void {
  const columns = [{ title: "code" }, { title: "name" }, { title: "meaning" }];
  print(
    table(
      columns,
      rows.map(({ code, name, phrase }) => [code, name, phrase]),
      "",
    ),
  );
}
