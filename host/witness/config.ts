/** A witness's configuration: docs/witness.md says what each key means, from this table. */
import { dirname, resolve } from "node:path";
import { Limit } from "../../firmware/protocol/limits.ts";
import type { TlsFiles } from "../http/tls.ts";
import { checkpointBody } from "../log/checkpoint.ts";
import { LogError } from "../log/errors.ts";
import { EMPTY_ROOT } from "../log/merkle.ts";
import { type NoteKey, NoteType, noteKey, parseVkey } from "../log/note.ts";
import { isSameKey } from "../log/note-key.ts";
import { LOG_LEVELS, type LogLevel } from "../log-levels.ts";
import { ConfigError } from "../service/config/errors.ts";
import type { KeySpec } from "../service/config/keys.ts";
import { readKeys, textOf } from "../service/config/read-config.ts";
import type { WitnessedLog } from "./witness.ts";

// biome-ignore format: a table, one row a key
export const WITNESS_KEYS = {
  "name": { type: "text", doc: "what the witness is called in its cosignatures; best a URL without a scheme" },
  "logs": { type: "texts", doc: "the logs, by vkey: `NAME+ID+KEY`; behind it, with a space between, the origin where that is not the key's name. Two entries of one origin: either key signs" },
  "folder": { type: "path", default: "store", doc: "where heads and conflicts are kept; made if it is not there" },

  "listen.host": { type: "text", default: "127.0.0.1", doc: "address to listen on" },
  "listen.port": { type: "integer", default: 8480, min: 0, max: 65_535, doc: "port to listen on; 0 takes a free one" },

  "tls.cert": { type: "path", doc: "certificate with its chain, PEM; read again on SIGHUP" },
  "tls.key": { type: "path", doc: "its private key, PEM" },

  "keystore.folder": { type: "path", default: "keys", doc: "encrypted keys: docs/keys.md" },
  "keystore.passphraseFile": { type: "path", doc: "its passphrase; without it QUIESCE_PASSPHRASE, or a terminal is asked" },
  "signer.command": { type: "texts", doc: "a process that holds the key instead, with its arguments: docs/keys.md" },

  "key": { type: "text", doc: "kid of the key that cosigns, in hex; without it the only active one" },

  "log.level": { type: "choice", default: "info", of: LOG_LEVELS, doc: "how much the witness says on stdout" },
} as const satisfies Record<string, KeySpec>;

export type WitnessConfigKey = keyof typeof WITNESS_KEYS;

export interface WitnessConfig {
  readonly name: string;
  readonly logs: readonly WitnessedLog[];
  readonly folder: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly tls: TlsFiles | undefined;
  readonly keystore: { readonly folder: string; readonly passphraseFile: string | undefined };
  readonly signer: readonly string[] | undefined;
  readonly kid: Uint8Array | undefined;
  readonly logLevel: LogLevel;
}

const VARIABLE_PREFIX = "QUIESCE_WITNESS_";

type Environment = Readonly<Record<string, string | undefined>>;

/** Of a file and the environment; paths are seen from the file's folder. Throws `ConfigError`. */
export function readWitnessFile(path: string, environment: Environment): WitnessConfig {
  return readWitnessConfig(textOf(path), dirname(resolve(path)), environment);
}

/** The same of a text. `folder` is where relative paths begin. Throws `ConfigError`. */
export function readWitnessConfig(text: string, folder: string, environment: Environment): WitnessConfig {
  const values = readKeys<WitnessConfigKey>(text, environment, WITNESS_KEYS, VARIABLE_PREFIX);
  const of = <T>(key: WitnessConfigKey) => values.get(key) as T;
  const pathOf = (key: WitnessConfigKey) => {
    const path = of<string | undefined>(key);
    return path === undefined ? undefined : resolve(folder, path);
  };
  const name = of<string | undefined>("name");
  if (name === undefined) throw new ConfigError(["name: is missing"]);
  // Of any key: it is the name that is judged.
  at("name", () => noteKey(name, NoteType.COSIGNATURE, new Uint8Array(Limit.PUBLIC_KEY_BYTES)));
  const command = of<readonly string[]>("signer.command");
  return {
    name,
    logs: logsOf(of("logs")),
    folder: pathOf("folder")!,
    listen: { host: of("listen.host"), port: of("listen.port") },
    tls: tlsOf(pathOf("tls.cert"), pathOf("tls.key")),
    keystore: { folder: pathOf("keystore.folder")!, passphraseFile: pathOf("keystore.passphraseFile") },
    signer: command.length > 0 ? command : undefined,
    kid: kidOf(of("key")),
    logLevel: of("log.level"),
  };
}

function tlsOf(cert: string | undefined, key: string | undefined): TlsFiles | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert !== undefined && key !== undefined) return { cert, key, ca: undefined, requireClientCertificate: false };
  throw new ConfigError([`tls.${cert === undefined ? "cert" : "key"}: goes with the other, and is missing`]);
}

function kidOf(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined;
  if (!/^[0-9a-f]{16}$/i.test(text)) throw new ConfigError(["key: a kid has 16 hex digits"]);
  return new Uint8Array(Buffer.from(text, "hex"));
}

function logsOf(texts: readonly string[]): WitnessedLog[] {
  const logs = new Map<string, NoteKey[]>();
  for (const [index, text] of texts.entries()) {
    const { origin, key } = at(`logs: item ${index}`, () => readLog(text));
    const keys = logs.get(origin) ?? [];
    if (keys.some((known) => isSameKey(known, key))) {
      throw new ConfigError([`logs: item ${index}: the key is there already`]);
    }
    logs.set(origin, [...keys, key]);
  }
  return [...logs].map(([origin, keys]) => ({ origin, keys }));
}

/** A vkey, and behind it the origin where that is another than the key's name. Throws `LogError`. */
function readLog(text: string): { origin: string; key: NoteKey } {
  const space = text.indexOf(" ");
  const key = parseVkey(space < 0 ? text : text.slice(0, space));
  if (key.type !== NoteType.ED25519) throw new LogError("log/key-malformed", "this is the key of a witness");
  const origin = space < 0 ? key.name : text.slice(space + 1);
  // As checkpoints write it.
  checkpointBody({ origin, size: 0, root: EMPTY_ROOT });
  return { origin, key };
}

function at<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof LogError) throw new ConfigError([`${where}: ${error.message}`]);
    throw error;
  }
}
