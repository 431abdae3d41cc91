/**
 * A folder that a verifier can be started from: keys under a passphrase, the agreement (or a draft of it, where parties
 * live elsewhere), and the configuration. Nothing that is there already is touched.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ObjectType } from "../../../firmware/protocol/claims.ts";
import { KeyFolder } from "../../keys/folder.ts";
import { Keystore, type StoredKey } from "../../keys/keystore.ts";
import { readPassphrase } from "../../keys/passphrase.ts";
import { addSignatureAsync } from "../../keys/signer.ts";
import { objectAad } from "../../objects/aad.ts";
import { encodeAgreement, type Member, verifyAgreement } from "../../objects/agreement.ts";
import { draftSign } from "../../protocol/cose.ts";
import { ConfigError } from "../config/errors.ts";
import { type AgreementWish, firstAgreement } from "./first-agreement.ts";

export interface InitOptions {
  readonly folder: string;
  /** What the verifier is called: its time authority's and its verdicts' keys are too. */
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
  readonly keys: readonly { readonly use: "party" | "time" | "verdicts"; readonly key: StoredKey }[];
  /** Undefined where none was made. `missing`: the parties that have yet to sign. */
  readonly agreement: { readonly file: string; readonly missing: readonly string[] } | undefined;
}

const SECRET_BYTES = 32;
const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;
const AGREEMENT_FILE = "agreement.cbor";
const DRAFT_FILE = "agreement-draft.cbor";

/** Throws `ConfigError`, `KeyError`, and a `Refusal` for an agreement that no governor would take. */
export async function initVerifier(options: InitOptions): Promise<InitResult> {
  const { folder, name } = options;
  makeFolder(folder);
  const passphraseFile = options.passphraseFile ?? join(folder, "passphrase");
  if (options.passphraseFile === undefined) {
    writeNew(passphraseFile, `${randomBytes(SECRET_BYTES).toString("base64url")}\n`);
  }
  const passphrase = await readPassphrase({ file: passphraseFile, isNew: true });
  const store = new Keystore(KeyFolder.make(join(folder, "keys")));
  const make = async (use: InitResult["keys"][number]["use"], label: string) => ({
    use,
    key: await store.create(label, passphrase),
  });
  const labels = { time: `${name} time`, verdicts: `${name} verdicts` };
  const keys: Awaited<ReturnType<typeof make>>[] = [];
  for (const party of options.parties) keys.push(await make("party", party));
  if (options.keepsTime) keys.push(await make("time", labels.time));
  keys.push(await make("verdicts", labels.verdicts));
  const agreement = options.agreement && (await draftAgreement(options, keys, store, passphrase));
  const configFile = join(folder, "verifier.json");
  const config = {
    keystore: { folder: "keys", passphraseFile: options.passphraseFile ?? "passphrase" },
    folder: "store",
    agreement: AGREEMENT_FILE,
    parties: options.parties,
    timeAuthority: options.keepsTime ? [labels.time] : [],
    verdictKey: labels.verdicts,
    ...options.settings,
  };
  writeNew(configFile, `${JSON.stringify(config, null, 2)}\n`);
  passphrase.fill(0);
  return { configFile, passphraseFile, keys, agreement };
}

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

/** A folder of its own: what it holds is secret. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
    if (readdirSync(folder).length > 0) throw new ConfigError([`${folder} is not empty, and nothing is overwritten`]);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError([`${folder} cannot be made: ${(error as NodeJS.ErrnoException).code}`]);
  }
}

function writeNew(path: string, content: string | Uint8Array): void {
  try {
    writeFileSync(path, content, { flag: "wx", mode: PRIVATE_FILE });
  } catch (error) {
    throw new ConfigError([`${path} cannot be written: ${(error as NodeJS.ErrnoException).code}`]);
  }
}
