/** `quiesce key`: a party's keys. `quiesce key sign`: see key-sign.ts. */
import { type Command, Option } from "commander";
import { CoseKey, CoseKeyValue } from "../../../firmware/protocol/cose-labels.ts";
import type { StoredKey } from "../../keys/keystore.ts";
import { SIGN_TYPES, type SignType } from "../../keys/sign-names.ts";
import type { KeyInfo } from "../../keys/signer.ts";
import { wrongUse } from "../exit.ts";
import { group } from "../group.ts";
import { plainText, timeText } from "../names.ts";
import { facts, hex, print, printJson, table, wantsJson } from "../output.ts";
import { addDeal } from "./key-deal.ts";
import {
  addKeysOption,
  addPassphraseOption,
  addSignerOption,
  type KeyOptions,
  keystoreOf,
  kidArgument,
  passphraseOf,
  sourceOf,
  withKeys,
} from "./key-options.ts";
import { addKeySign } from "./key-sign.ts";

export function addKey(parent: Command): void {
  const key = group(parent, "key", "a party's keys: encrypted in a folder, or behind a process that signs").addHelpText(
    "after",
    "\nExample:\n  $ quiesce key create --keys keys --label 'Party A'\n  $ quiesce key list --keys keys\n",
  );
  addCreate(key);
  addList(key);
  addPublic(key);
  addRotate(key);
  addRetire(key);
  addKeySign(key);
  addDeal(key);
  addServe(key);
}

function addCreate(parent: Command): void {
  addPassphraseOption(parent.command("create"))
    .description("make a new active key; the folder is made if there is none")
    .requiredOption("--label <text>", "what people call it: 1 to 64 bytes")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExample:\n  $ quiesce key create --keys keys --label 'Party A' --passphrase-file secret\n")
    .action((options: KeyOptions & { label: string }, command: Command) =>
      withKeys(async () => {
        const store = await keystoreOf(options, true);
        const key = await store.create(options.label, await passphraseOf(options, true));
        await printKey(key, wantsJson(command));
      }),
    );
}

function addList(parent: Command): void {
  addSignerOption(addKeysOption(parent.command("list")))
    .description("list the keys of a folder, or those that a process signs with; no passphrase is needed")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExample:\n  $ quiesce key list --keys keys --json\n")
    .action((options: KeyOptions, command: Command) =>
      withKeys(async () => {
        const keys = await listed(options);
        if (wantsJson(command)) printJson(keys);
        else printList(keys);
      }),
    );
}

async function listed(options: KeyOptions): Promise<readonly (KeyInfo & Partial<StoredKey>)[]> {
  if (options.signer === undefined) return (await keystoreOf(options)).list();
  const source = await sourceOf(options);
  try {
    return await source.list();
  } finally {
    await source.close();
  }
}

function addPublic(parent: Command): void {
  addKeysOption(parent.command("public"))
    .description("print what others need of a key: kid, public key, COSE_Key")
    .argument("[kid]", "which key; without it the only active one")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExample:\n  $ quiesce key public --keys keys\n")
    .action((kid: string | undefined, options: KeyOptions, command: Command) =>
      withKeys(async () => {
        await printKey(await chosen(options, kid), wantsJson(command));
      }),
    );
}

function addRotate(parent: Command): void {
  addPassphraseOption(parent.command("rotate"))
    .description("make a new active key in place of one, which goes on signing until it is retired")
    .argument("[kid]", "the key to replace; without it the only active one")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExample:\n  $ quiesce key rotate --keys keys\n")
    .action((kid: string | undefined, options: KeyOptions, command: Command) =>
      withKeys(async () => {
        const old = await chosen(options, kid);
        const store = await keystoreOf(options);
        await printKey(await store.rotate(old.kid, await passphraseOf(options)), wantsJson(command));
      }),
    );
}

function addRetire(parent: Command): void {
  addPassphraseOption(parent.command("retire"))
    .description("take a key out of use for good: its secret is removed from the file")
    .argument("<kid>", "the key, which another must have replaced")
    .option("--active", "even though no other key replaces it")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExample:\n  $ quiesce key retire 0123456789abcdef --keys keys\n")
    .action((kid: string, options: KeyOptions & { active?: boolean }, command: Command) =>
      withKeys(async () => {
        const store = await keystoreOf(options);
        const passphrase = await passphraseOf(options);
        await printKey(await store.retire(kidArgument(kid), passphrase, options.active === true), wantsJson(command));
      }),
    );
}

function addServe(parent: Command): void {
  const types = new Option("--types <list>", `sign these only, with commas between: ${SIGN_TYPES.join(", ")}`);
  addPassphraseOption(parent.command("serve"))
    .description("sign for another process, by the signer protocol on stdin and stdout, until stdin ends")
    .addOption(types.argParser(typesOption))
    .addHelpText(
      "after",
      "\nExample:\n  $ quiesce key serve --keys keys --passphrase-file secret --types license,order\n",
    )
    .action((options: KeyOptions & { types?: SignType[] }) =>
      withKeys(async () => {
        const source = await sourceOf(options);
        const { serveSigner } = await import("../../keys/signer-server.ts");
        // A wrong passphrase is to be seen now and not at the first signature.
        for (const { kid } of await source.list()) await source.signer(kid);
        try {
          await serveSigner(source, process.stdin, process.stdout, options.types);
        } finally {
          await source.close();
        }
      }),
    );
}

function typesOption(text: string): SignType[] {
  return text.split(",").map((name) => {
    const type = SIGN_TYPES.find((known) => known === name);
    if (!type) throw wrongUse(`there is no type '${name}', but: ${SIGN_TYPES.join(", ")}`);
    return type;
  });
}

async function chosen(options: KeyOptions, kid: string | undefined): Promise<StoredKey> {
  const { chooseKey } = await import("../../keys/signer.ts");
  return chooseKey((await keystoreOf(options)).list(), kid === undefined ? undefined : kidArgument(kid));
}

/** A COSE_Key (RFC 9052 section 7) with nothing but the key: what the kid is the thumbprint of. */
async function coseKeyOf(publicKey: Uint8Array): Promise<Uint8Array> {
  const { encode } = await import("../../protocol/cbor.ts");
  return encode(
    new Map<number, number | Uint8Array>([
      [CoseKey.KTY, CoseKeyValue.KTY_OKP],
      [CoseKey.CRV, CoseKeyValue.CRV_ED25519],
      [CoseKey.X, publicKey],
    ]),
  );
}

async function printKey(key: StoredKey, asJson: boolean): Promise<void> {
  const coseKey = await coseKeyOf(key.publicKey);
  if (asJson) return printJson({ ...key, coseKey });
  print(
    facts(
      [
        ["kid", hex(key.kid)],
        ["label", plainText(key.label)],
        ["status", key.status],
        ["public key", hex(key.publicKey)],
        ["COSE_Key", hex(coseKey)],
        ["created", timeText(key.createdSeconds)],
        ...(key.replaces ? [["replaces", hex(key.replaces)] as const] : []),
      ],
      "",
    ),
  );
}

function printList(keys: readonly (KeyInfo & Partial<StoredKey>)[]): void {
  const columns = ["kid", "status", "created", "replaces", "label"].map((title) => ({ title }));
  const rows = keys.map(({ kid, status, createdSeconds, replaces, label }) => [
    hex(kid),
    status,
    createdSeconds === undefined ? "" : timeText(createdSeconds),
    replaces ? hex(replaces) : "",
    plainText(label),
  ]);
  print(table(columns, rows, ""));
}
