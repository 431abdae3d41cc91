/** `quiesce verifier client`: agents, other verifiers and other programs, by the keys that they sign requests with. */
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import type { ClientRecord } from "../../auth/stores.ts";
import { Exit, wrongUse } from "../exit.ts";
import { group } from "../group.ts";
import { plainText, timeText } from "../names.ts";
import { facts, hex, print, printJson, table, wantsJson } from "../output.ts";
import { type AccessOptions, addAccessOptions, withAccess } from "./verifier-access.ts";
import { collect } from "./verifier-options.ts";

export function addVerifierClient(parent: Command): void {
  const client = group(parent, "client", "agents and other programs, by their public keys");
  client.addHelpText("after", "\nExample:\n  $ quiesce verifier client list --config north/verifier.json\n");
  addAdd(client);
  addList(client);
  addRevoke(client);
}

type AddOptions = AccessOptions & { name: string; role: string[] };

function addAdd(parent: Command): void {
  addAccessOptions(parent.command("add"))
    .description("let a program in that signs its requests with a key (RFC 9421): docs/auth.md")
    .argument("<key>", "its Ed25519 public key: 64 hex digits, or a file of them or of 32 bytes")
    .requiredOption("--name <name>", "what it is called")
    .requiredOption("--role <role>", "what it may do, as often as needed", collect, [])
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nExample:\n  $ quiesce verifier client add agent.pub --name 'agent hall 1' --role agent --config north/verifier.json\n",
    )
    .action((key: string, options: AddOptions, command: Command) =>
      withAccess(options, async (access) => {
        const record = await access.addClient(options.name, options.role, publicKeyOf(key));
        if (wantsJson(command)) printJson(shownClient(record));
        else print(facts(rowsOf(record), ""));
      }),
    );
}

function addList(parent: Command): void {
  addAccessOptions(parent.command("list"))
    .description("list the programs that are let in")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExample:\n  $ quiesce verifier client list --config north/verifier.json\n")
    .action((options: AccessOptions, command: Command) =>
      withAccess(options, async (access) => {
        const all = await access.clients();
        if (wantsJson(command)) return printJson(all.map(shownClient));
        const columns = ["kid", "name", "roles", "since", "status", "public key"].map((title) => ({ title }));
        const rows = all.map((record) => rowsOf(record).map(([, value]) => value));
        print(table(columns, rows, ""));
      }),
    );
}

function addRevoke(parent: Command): void {
  addAccessOptions(parent.command("revoke"))
    .description("let a key in no more, for good")
    .argument("<kid>", "its kid, which `client list` shows")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nExample:\n  $ quiesce verifier client revoke 0123456789abcdef --config north/verifier.json\n",
    )
    .action((kid: string, options: AccessOptions, command: Command) =>
      withAccess(options, async (access) => {
        if (!/^[0-9a-f]{16}$/.test(kid)) throw wrongUse(`'${kid}' is no kid: it has 16 hex digits`);
        const isRevoked = await access.revokeClient(kid);
        if (!isRevoked) process.exitCode = Exit.NOT_GOOD;
        if (wantsJson(command)) printJson({ ok: isRevoked, kid });
        else print(isRevoked ? `${kid} is revoked` : `there is no client ${kid}`);
      }),
    );
}

const KEY_BYTES = 32;
const FILE_BYTES_MAX = 4096;

function publicKeyOf(text: string): Uint8Array {
  const isHex = (value: string) => value.length === 2 * KEY_BYTES && /^[0-9a-f]+$/i.test(value);
  if (isHex(text)) return new Uint8Array(Buffer.from(text, "hex"));
  let bytes: Buffer;
  try {
    bytes = readFileSync(text);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw wrongUse(`'${text}' is neither 64 hex digits nor a file that can be read (${code})`, cause);
  }
  if (bytes.length === KEY_BYTES) return new Uint8Array(bytes);
  const inside = bytes.subarray(0, FILE_BYTES_MAX).toString("latin1").trim();
  if (isHex(inside)) return new Uint8Array(Buffer.from(inside, "hex"));
  throw wrongUse(`${text} holds neither 32 bytes nor 64 hex digits`);
}

function shownClient({ kid, publicKey, name, roles, createdMs, revokedMs }: ClientRecord) {
  return { kid, publicKey, name, roles, createdMs, ...(revokedMs !== undefined && { revokedMs }) };
}

function rowsOf({ kid, publicKey, name, roles, createdMs, revokedMs }: ClientRecord): (readonly [string, string])[] {
  return [
    ["kid", kid],
    ["name", plainText(name)],
    ["roles", roles.join(", ")],
    ["since", timeText(Math.floor(createdMs / 1000))],
    ["status", revokedMs === undefined ? "good" : "revoked"],
    ["public key", hex(publicKey)],
  ];
}
