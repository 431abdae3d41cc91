/** The folder of one verifier: its party's key, the agreement, its configuration, its store, a token for its people. */
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createToken } from "../auth/token.ts";
import { KeyFolder } from "../keys/folder.ts";
import { Keystore } from "../keys/keystore.ts";
import type { ConfigKey } from "../service/config/keys.ts";
import { SqlTokenStore } from "../store/auth-stores.ts";
import { openStore } from "../store/store.ts";
import type { Founding, KeyHolder } from "./founding.ts";
import { BEACON_SECONDS } from "./terms.ts";
import type { VerifierHost } from "./verifiers.ts";

export type VerifierFolder = { readonly configFile: string; readonly socketPath: string; readonly token: string };

/** The least that is read: these keys come from a run's seed, so that there is nothing to guess. */
const SCRYPT_COST = { logN: 10, r: 8, p: 1 };
const PASSPHRASE_BYTES = 24;
const TOKEN_LIFETIME_MS = 86_400_000;
/** The clock is set by an administrator, orders come from an approver, books go to an auditor. */
const ROLES = ["admin", "approver", "auditor"];
const NAMES = {
  agreement: "agreement.cbor",
  config: "verifier.json",
  keys: "keys",
  passphrase: "passphrase",
  socket: "verifier.sock",
  store: "store",
} as const;

/** Makes it. `measurement` is the SHA-256 of the governor image that may run. */
export async function makeVerifierFolder(
  folder: string,
  host: VerifierHost,
  founding: Founding,
  measurement: Uint8Array,
): Promise<VerifierFolder> {
  const path = (name: keyof typeof NAMES) => join(folder, NAMES[name]);
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(path("agreement"), founding.agreementBytes);
  const passphrase = randomBytes(PASSPHRASE_BYTES).toString("base64url");
  writeFileSync(path("passphrase"), passphrase, { mode: 0o600 });
  const holders = founding.parties.filter(({ name }) => host.parties.includes(name));
  const clocks = host.tellsTime ? [founding.clock] : [];
  await writeKeys(path("keys"), [...holders, ...clocks], Buffer.from(passphrase));
  const config = configOf(host, clocks, founding, measurement);
  writeFileSync(path("config"), `${JSON.stringify(config, null, 2)}\n`);
  return { configFile: path("config"), socketPath: path("socket"), token: await newToken(path("store")) };
}

async function writeKeys(folder: string, holders: readonly KeyHolder[], passphrase: Uint8Array): Promise<void> {
  const keystore = new Keystore(KeyFolder.make(folder), SCRYPT_COST);
  for (const { name, seed } of holders) await keystore.import(name, seed, passphrase);
}

function configOf(
  { parties }: VerifierHost,
  clocks: readonly KeyHolder[],
  { manufacturer }: Founding,
  measurement: Uint8Array,
): object {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
  const values: Partial<Record<ConfigKey, unknown>> = {
    "listen.host": "",
    "listen.socket": NAMES.socket,
    folder: NAMES.store,
    "keystore.folder": NAMES.keys,
    "keystore.passphraseFile": NAMES.passphrase,
    parties,
    timeAuthority: clocks.map(({ name }) => name),
    agreement: NAMES.agreement,
    "references.measurements": [hex(measurement)],
    manufacturers: [hex(manufacturer.signer.publicKey)],
    beaconSeconds: BEACON_SECONDS,
    clock: "simulated",
    // Hours go by in seconds here.
    "rate.readPerSecond": 0,
    "rate.evidencePerSecond": 0,
    "rate.writePerSecond": 0,
    "log.level": "error",
  };
  return grouped(values);
}

/** `listen.host` is the member `host` of the object `listen`. */
function grouped(values: object): object {
  const document: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values)) {
    const [group, name] = key.split(".") as [string, string?];
    if (name === undefined) document[group] = value;
    else document[group] = { ...(document[group] as object), [name]: value };
  }
  return document;
}

/** Into the store before its verifier opens it: only one process may at a time. */
async function newToken(folder: string): Promise<string> {
  const nowMs = Date.now();
  const { token, record } = createToken({ name: "demo", roles: ROLES, nowMs, expiresMs: nowMs + TOKEN_LIFETIME_MS });
  const store = await openStore({ folder });
  try {
    await new SqlTokenStore(store).addToken(record);
  } finally {
    await store.close();
  }
  return token;
}
