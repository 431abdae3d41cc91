/** Reads a configuration strictly: every key by its type and bounds, none that is not known, all errors at once. */
import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type Config, configOf } from "./config.ts";
import { ConfigError } from "./errors.ts";
import { CONFIG_KEYS, type ConfigKey, type KeySpec, VARIABLE_PREFIX, variableOf } from "./keys.ts";
import { emptyOf, ofVariable, readValue, Unfit } from "./values.ts";

const FILE_BYTES_MAX = 1_048_576;
const SHOWN_CHARACTERS_MAX = 60;
/** What PostgreSQL's own programs and many hosts set. */
const DATABASE_URL = "DATABASE_URL";

type Environment = Readonly<Record<string, string | undefined>>;

/** The configuration of a file, and of the environment. Paths are seen from the file's folder. Throws `ConfigError`. */
export function readConfigFile(path: string, environment: Environment): Config {
  return readConfig(textOf(path), dirname(resolve(path)), environment);
}

/** The same of a text. `folder` is where relative paths begin. Throws `ConfigError`. */
export function readConfig(text: string, folder: string, environment: Environment): Config {
  const values = readKeys<ConfigKey>(text, environment, CONFIG_KEYS, VARIABLE_PREFIX);
  if (values.get("databaseUrl") === undefined) values.set("databaseUrl", environment[DATABASE_URL] || undefined);
  return configOf(values, folder);
}

/** Every key of a table, from a text and the variables that begin with the prefix. Throws `ConfigError`. */
export function readKeys<Key extends string>(
  text: string,
  environment: Environment,
  specs: Readonly<Record<Key, KeySpec>>,
  prefix: string,
): Map<Key, unknown> {
  const lines: string[] = [];
  const values = new Map<Key, unknown>();
  const document = parsed(text);
  const keys = Object.keys(specs) as Key[];
  for (const key of unknownKeys(document, keys)) lines.push(`${key}: there is no such key`);
  for (const name of unknownVariables(environment, keys, prefix)) lines.push(`${name}: there is no such key`);
  for (const key of keys) {
    const spec = specs[key];
    const name = variableOf(key, prefix);
    const variable = environment[name];
    const [given, where] = variable === undefined ? [memberOf(document, key), key] : [variable, name];
    try {
      const value = variable === undefined ? given : ofVariable(spec, variable);
      values.set(key, value === undefined ? emptyOf(spec) : readValue(spec, value));
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
      lines.push(`${where}: ${spec.isSecret ? "its value" : shown(given)}: ${error.message}`);
    }
  }
  if (lines.length > 0) throw new ConfigError(lines);
  return values;
}

/** The text of a configuration. Throws `ConfigError`. */
export function textOf(path: string): string {
  try {
    if (statSync(path).size > FILE_BYTES_MAX) throw new ConfigError([`${path} has over ${FILE_BYTES_MAX} bytes`]);
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError([`${path} cannot be read: ${code === "ENOENT" ? "there is no such file" : code}`]);
  }
}

function parsed(text: string): object {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new ConfigError(["the configuration is not JSON"]);
  }
  if (typeof document === "object" && document !== null && !Array.isArray(document)) return document;
  throw new ConfigError(["the configuration is not a JSON object"]);
}

function memberOf(document: object, key: string): unknown {
  const [group, name] = key.split(".") as [string, string?];
  const member: unknown = Object.hasOwn(document, group) ? (document as Record<string, unknown>)[group] : undefined;
  if (name === undefined) return member;
  return isGroup(member) && Object.hasOwn(member, name) ? member[name] : undefined;
}

function unknownKeys(document: object, keys: readonly string[]): string[] {
  const known = new Set(keys);
  const groups = new Set([...known].filter((key) => key.includes(".")).map((key) => key.split(".")[0]!));
  return Object.entries(document).flatMap(([name, value]) => {
    if (known.has(name)) return [];
    if (!groups.has(name)) return [printable(name)];
    if (!isGroup(value)) return [`${name} is a group of keys, and ${shown(value)} is none`];
    return Object.keys(value)
      .map((member) => `${name}.${member}`)
      .filter((key) => !known.has(key))
      .map(printable);
  });
}

function unknownVariables(environment: Environment, keys: readonly string[], prefix: string): string[] {
  const known = new Set(keys.map((key) => variableOf(key, prefix)));
  return Object.keys(environment).filter((name) => name.startsWith(prefix) && !known.has(name));
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value as a message shows it: short, and on one line. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return printable(text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}...` : text);
}

function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "\u{fffd}");
}
