/**
 * A folder that a verifier can be started from: keys under a passphrase, the agreement (or a draft of it, where parties
 * live elsewhere), and the configuration. Nothing that is there already is touched.
 */
import { join } from "node:path";
import { ObjectType } from "../../../firmware/protocol/claims.ts";
import { KeyFolder } from "../../keys/folder.ts";
import { Keystore, type StoredKey } from "../../keys/keystore.ts";
import { readPassphrase } from "../../keys/passphrase.ts";
import { addSignatureAsync } from "../../keys/signer.ts";
import { objectAad } from "../../objects/aad.ts";
import { encodeAgreement, type Member, verifyAgreement } from "../../objects/agreement.ts";
import { draftSign } from "../../protocol/cose.ts";
import { type AgreementWish, firstAgreement } from "./first-agreement.ts";
import { makeNewFolder, newPassphrase, writeNew } from "./new-folder.ts";

export interface InitOptions {
  readonly folder: string;
  /** What the verifier is called: the keys of its time authority, its verdicts and its log are too. */
  readonly name: string;
  /** Names of the parties that live here; a key is made for each. */
  readonly parties: readonly string[];
  /** Parties that live elsewhere, with their keys. */
  readonly members: readonly Member[];
  /** Time authorities that live elsewhere. */
  readonly timeMembers: readonly Member[];
  /** Whether a time authority lives here. */
  readonly keepsTime: boolean;
  /** Its terms; undefined: the agreement comes from elsewhere. */
  readonly agreement: Omit<AgreementWish, "name" | "parties" | "timeAuthorities"> | undefined;
  /** Of an existing passphrase; undefined: one is made, and kept in the folder. */
  readonly passphraseFile: string | undefined;
  /** Further keys of the configuration. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface InitResult {
  readonly configFile: string;
  readonly passphraseFile: string;
  readonly keys: readonly { readonly use: "party" | "time" | "verdicts" | "log"; readonly key: StoredKey }[];
  /** Undefined where none was made. `missing`: the parties that have yet to sign. */
  readonly agreement: { readonly file: string; readonly missing: readonly string[] } | undefined;
}

const AGREEMENT_FILE = "agreement.cbor";
const DRAFT_FILE = "agreement-draft.cbor";

/** Throws `ConfigError`, `KeyError`, and a `Refusal` for an agreement that no governor would take. */
export async function initVerifier(options: InitOptions): Promise<InitResult> {
  const { folder, name } = options;
  makeNewFolder(folder);
  const passphraseFile = options.passphraseFile ?? newPassphrase(folder);
  const passphrase = await readPassphrase({ file: passphraseFile, isNew: true });
  const store = new Keystore(KeyFolder.make(join(folder, "keys")));
  const make = async (use: InitResult["keys"][number]["use"], label: string) => ({
    use,
    key: await store.create(label, passphrase),
  });
  const labels = { time: `${name} time`, verdicts: `${name} verdicts`, log: `${name} log` };
  const keys: Awaited<ReturnType<typeof make>>[] = [];
  for (const party of options.parties) keys.push(await make("party", party));
  if (options.keepsTime) keys.push(await make("time", labels.time));
  keys.push(await make("verdicts", labels.verdicts));
  keys.push(await make("log", labels.log));
  const agreement = options.agreement && (await draftAgreement(options, keys, store, passphrase));
  const configFile = join(folder, "verifier.json");
  const config = {
    keystore: { folder: "keys", passphraseFile: options.passphraseFile ?? "passphrase" },
    folder: "store",
    agreement: AGREEMENT_FILE,
    parties: options.parties,
    timeAuthority: options.keepsTime ? [labels.time] : [],
    verdictKey: labels.verdicts,
    log: { origin: originOf(name), key: labels.log, witnesses: [] },
    ...options.settings,
  };
  writeNew(configFile, `${JSON.stringify(config, null, 2)}\n`);
  passphrase.fill(0);
  await store.forget();
  return { configFile, passphraseFile, keys, agreement };
}

/** A name of a log in lower case: where it will be served, nobody knows yet, and what it is called never changes. */
function originOf(name: string): string {
  const plain = name.toLowerCase().replace(/[^a-z0-9.-]+/g, "-");
  return `${plain.slice(0, ORIGIN_CHARACTERS_MAX - LOG_PATH.length)}${LOG_PATH}`;
}

const LOG_PATH = "/log";
const ORIGIN_CHARACTERS_MAX = 64;

/** Signed by the parties that are here: by all, then it is the agreement; else a draft that goes to the others. */
async function draftAgreement(
  { folder, name, members, timeMembers, agreement: terms }: InitOptions,
  keys: InitResult["keys"],
  store: Keystore,
  passphrase: Uint8Array,
) {
  const mine = (use: string) => keys.filter((one) => one.use === use).map(({ key }) => memberOf(key));
  const agreement = firstAgreement({
    ...terms!,
    name,
    parties: [...mine("party"), ...members],
    timeAuthorities: [...mine("time"), ...timeMembers],
  });
  let bytes = draftSign(encodeAgreement(agreement));
  for (const { kid } of mine("party")) {
    const signer = await store.unlock(kid, passphrase);
    const asked = { ...signer, sign: async (message: Uint8Array) => signer.sign(message) };
    bytes = await addSignatureAsync(bytes, asked, objectAad(ObjectType.AGREEMENT));
  }
  const missing = members.map((member) => member.name);
  if (missing.length === 0) verifyAgreement(bytes);
  const file = join(folder, missing.length === 0 ? AGREEMENT_FILE : DRAFT_FILE);
  writeNew(file, bytes);
  return { file, missing };
}

function memberOf({ kid, label, publicKey }: StoredKey): Member {
  return { kid, name: label, publicKey };
}
