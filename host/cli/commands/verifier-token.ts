/** `quiesce verifier token`: tokens of people. docs/auth.md */
import type { Command } from "commander";
import { Exit, wrongUse } from "../exit.ts";
import { group } from "../group.ts";
import { plainText, timeText } from "../names.ts";
import { facts, print, printJson, table, wantsJson } from "../output.ts";
import { type AccessOptions, addAccessOptions, type TokenInfo, withAccess } from "./verifier-access.ts";
import { collect } from "./verifier-options.ts";

const DAYS_DEFAULT = "90";

export function addVerifierToken(parent: Command): void {
  const token = group(parent, "token", "tokens of people: each has a name, roles and an end");
  token.addHelpText(
    "after",
    "\nExample:\n  $ quiesce verifier token create --config north/verifier.json --name Ada --role approver\n",
  );
  addCreate(token);
  addList(token);
  addRevoke(token);
}

type CreateOptions = AccessOptions & { name: string; role: string[]; days: string };

function addCreate(parent: Command): void {
  addAccessOptions(parent.command("create"))
    .description("make a token; it is shown once, and only its hash is kept")
    .requiredOption("--name <name>", "whose it is")
    .requiredOption("--role <role>", "what it may do, as often as needed: docs/auth.md", collect, [])
    .option("--days <days>", "how long it lasts, 1 to 366", DAYS_DEFAULT)
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nExample:\n  $ quiesce verifier token create --config north/verifier.json --name Ada --role approver --days 30\n",
    )
    .action((options: CreateOptions, command: Command) =>
      withAccess(options, async (access) => {
        const { token, ...record } = await access.createToken(options.name, options.role, daysOf(options.days));
        if (wantsJson(command)) return printJson({ token, ...shownToken(record) });
        const rows = [["token", token], ...rowsOf(record)] as const;
        print(facts(rows, ""));
        process.stderr.write("The token is shown this once: keep it like a password.\n");
      }),
    );
}

function addList(parent: Command): void {
  addAccessOptions(parent.command("list"))
    .description("list the tokens: ids, names, roles, ends; never the tokens themselves")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExample:\n  $ quiesce verifier token list --config north/verifier.json\n")
    .action((options: AccessOptions, command: Command) =>
      withAccess(options, async (access) => {
        const all = await access.tokens();
        if (wantsJson(command)) return printJson(all.map(shownToken));
        const columns = ["id", "name", "roles", "ends", "status"].map((title) => ({ title }));
        const rows = all.map((record) => rowsOf(record).map(([, value]) => value));
        print(table(columns, rows, ""));
      }),
    );
}

function addRevoke(parent: Command): void {
  addAccessOptions(parent.command("revoke"))
    .description("take a token out of use, for good")
    .argument("<id>", "its id, which `token list` shows")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nExample:\n  $ quiesce verifier token revoke 0123456789abcdef --config north/verifier.json\n",
    )
    .action((id: string, options: AccessOptions, command: Command) =>
      withAccess(options, async (access) => {
        if (!/^[0-9a-f]{16}$/.test(id)) throw wrongUse(`'${id}' is no id of a token: it has 16 hex digits`);
        const isRevoked = await access.revokeToken(id);
        if (!isRevoked) process.exitCode = Exit.NOT_GOOD;
        if (wantsJson(command)) printJson({ ok: isRevoked, id });
        else print(isRevoked ? `${id} is revoked` : `there is no token ${id}`);
      }),
    );
}

function daysOf(text: string): number {
  const days = Number(text);
  if (/^[0-9]{1,3}$/.test(text) && days >= 1 && days <= 366) return days;
  throw wrongUse(`--days is a whole number from 1 to 366, not '${text}'`);
}

function shownToken({ id, name, roles, createdMs, expiresMs, revokedMs }: TokenInfo) {
  return { id, name, roles, createdMs, expiresMs, ...(revokedMs !== undefined && { revokedMs }) };
}

function rowsOf(record: TokenInfo): (readonly [string, string])[] {
  return [
    ["id", record.id],
    ["name", plainText(record.name)],
    ["roles", record.roles.join(", ")],
    ["ends", timeText(Math.floor(record.expiresMs / 1000))],
    ["status", statusOf(record)],
  ];
}

function statusOf({ expiresMs, revokedMs }: TokenInfo): string {
  if (revokedMs !== undefined) return "revoked";
  return expiresMs <= Date.now() ? "ended" : "good";
}
