/** Values of keys by their types: the form each has in JSON, and in an environment variable. */
import { isIP } from "node:net";
import { LogError } from "../../log/errors.ts";
import { type NoteKey, NoteType, parseVkey } from "../../log/note.ts";
import type { KeySpec } from "./keys.ts";

export interface Peer {
  readonly name: string;
  readonly url: string;
}

/** A share of a group's key that is here, and the names of the peers that have the others. */
export interface ShareHere {
  readonly group: string;
  readonly share: string;
  readonly holders: ReadonlyMap<number, string>;
}

/** A witness of the log. */
export interface WitnessConfigured {
  readonly name: string;
  /** The submission prefix (C2SP tlog-witness), which may have a path. */
  readonly url: string;
  /** Type 4. */
  readonly key: NoteKey;
}

/** What a key of a type gives. */
export interface ValueOf {
  text: string | undefined;
  path: string | undefined;
  integer: number;
  flag: boolean;
  choice: string;
  texts: readonly string[];
  paths: readonly string[];
  urls: readonly string[];
  networks: readonly string[];
  hexes: readonly Uint8Array[];
  models: ReadonlyMap<string, string>;
  peers: readonly Peer[];
  shares: readonly ShareHere[];
  witnesses: readonly WitnessConfigured[];
}

/** Thrown by readers: what a value must be. */
export class Unfit extends Error {}

const TEXT_CHARACTERS_MAX = 1024;
const ITEMS_MAX = 1024;
/** No character that a terminal or a log would act on. */
const PRINTABLE = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u;
const UNSIGNED = /^(?:0|[1-9][0-9]{0,15})$/;

/** The value as the key's type has it, in JSON. Throws `Unfit`. */
export function readValue(spec: KeySpec, value: unknown): unknown {
  switch (spec.type) {
    case "text":
    case "path":
      return textOf(value, spec.type === "path" ? 1 : 0);
    case "integer":
      return integerOf(value, spec.min, spec.max);
    case "flag":
      return typeof value === "boolean" ? value : unfit("must be true or false");
    case "choice":
      return spec.of.includes(value as string) ? value : unfit(`must be one of ${spec.of.join(", ")}`);
    case "texts":
    case "paths":
      return listOf(value, (item) => textOf(item, 1));
    case "urls":
      return listOf(value, urlOf);
    case "networks":
      return listOf(value, networkOf);
    case "hexes":
      return listOf(value, (item) => hexOf(item, spec.bytes));
    case "models":
      return modelsOf(value);
    case "peers":
      return peersOf(value);
    case "shares":
      return listOf(value, shareOf);
    case "witnesses":
      return listOf(value, witnessOf);
  }
}

/**
 * The JSON value that a variable's text stands for: a number, a flag, or a text as it is; lists with commas between, or
 * as JSON, which what is more than a list needs.
 */
export function ofVariable(spec: KeySpec, text: string): unknown {
  if (spec.type === "integer") return UNSIGNED.test(text) ? Number(text) : text;
  if (spec.type === "flag") return text === "true" ? true : text === "false" ? false : text;
  if (spec.type === "text" || spec.type === "path" || spec.type === "choice") return text;
  if (/^\s*[[{]/.test(text)) return parsed(text);
  if (spec.type === "models" || spec.type === "peers" || spec.type === "shares" || spec.type === "witnesses")
    return unfit("must be JSON");
  return text === "" ? [] : text.split(",").map((item) => item.trim());
}

/** What a list, a map or nothing is where no value is given. */
export function emptyOf(spec: KeySpec): unknown {
  if ("default" in spec) return spec.default;
  if (spec.type === "text" || spec.type === "path") return undefined;
  return spec.type === "models" ? new Map() : [];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return unfit("must be JSON");
  }
}

function textOf(value: unknown, charactersMin: number): string {
  const isText = typeof value === "string" && value.length <= TEXT_CHARACTERS_MAX && PRINTABLE.test(value);
  if (isText && (value as string).length >= charactersMin) return value as string;
  return unfit(`must be a text of ${charactersMin} to ${TEXT_CHARACTERS_MAX} printable characters`);
}

function integerOf(value: unknown, min: number, max: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
  return unfit(`must be a whole number from ${min} to ${max}`);
}

function listOf<T>(value: unknown, read: (item: unknown) => T): T[] {
  if (!Array.isArray(value) || value.length > ITEMS_MAX) return unfit(`must be a list of at most ${ITEMS_MAX} items`);
  return value.map((item, index) => at(`item ${index}`, () => read(item)));
}

function urlOf(value: unknown): string {
  const text = textOf(value, 1);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url && url.pathname === "/" && url.search === "" && url.hash === "" && url.username === "";
  if (isPlain && (url.protocol === "http:" || url.protocol === "https:")) return url.origin;
  return unfit("must be like https://verifier.example:8470");
}

/** Networks that have a name: RFC 1122, 3927, 1918 and 4193. */
const NETWORK_NAMES = ["loopback", "linklocal", "uniquelocal"];

function networkOf(value: unknown): string {
  const text = textOf(value, 1);
  if (NETWORK_NAMES.includes(text)) return text;
  const [, address, prefix] = /^([0-9a-f:.]+)(?:\/([1-9][0-9]{0,2}))?$/i.exec(text) ?? [];
  const version = isIP(address ?? "");
  const isNetwork = version !== 0 && Number(prefix ?? 1) <= (version === 4 ? 32 : 128);
  return isNetwork ? text : unfit(`must be an address, a network like 10.0.0.0/8, or ${NETWORK_NAMES.join(", ")}`);
}

function hexOf(value: unknown, bytes: number): Uint8Array {
  const isHex = typeof value === "string" && value.length === 2 * bytes && /^[0-9a-f]+$/i.test(value);
  return isHex ? new Uint8Array(Buffer.from(value as string, "hex")) : unfit(`must have ${2 * bytes} hex digits`);
}

function objectOf(value: unknown): [string, unknown][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return unfit("must be an object");
  const entries = Object.entries(value);
  return entries.length <= ITEMS_MAX ? entries : unfit(`must have at most ${ITEMS_MAX} members`);
}

function modelsOf(value: unknown): Map<string, string> {
  return new Map(objectOf(value).map(([model, name]) => [textOf(model, 1), at(model, () => textOf(name, 1))]));
}

function peersOf(value: unknown): Peer[] {
  return listOf(value, (item) => {
    const fields = new Map(objectOf(item));
    const peer = {
      name: at("name", () => textOf(fields.get("name"), 1)),
      url: at("url", () => urlOf(fields.get("url"))),
    };
    return fields.size === 2 ? peer : unfit("must have name and url, and nothing else");
  });
}

function witnessOf(value: unknown): WitnessConfigured {
  const fields = new Map(objectOf(value));
  const witness = {
    name: at("name", () => textOf(fields.get("name"), 1)),
    url: at("url", () => prefixOf(fields.get("url"))),
    key: at("key", () => witnessKeyOf(fields.get("key"))),
  };
  return fields.size === 3 ? witness : unfit("must have name, url and key, and nothing else");
}

/** Where something is added to: no query, and no credentials, which would be shown. */
function prefixOf(value: unknown): string {
  const text = textOf(value, 1);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url && url.search === "" && url.hash === "" && url.username === "" && url.password === "";
  if (isPlain && (url.protocol === "http:" || url.protocol === "https:")) return url.href;
  return unfit("must be like https://witness.example/prefix");
}

function witnessKeyOf(value: unknown): NoteKey {
  const text = textOf(value, 1);
  try {
    const key = parseVkey(text);
    return key.type === NoteType.COSIGNATURE ? key : unfit("must be the key of a witness, and is one of a log");
  } catch (error) {
    if (error instanceof LogError) return unfit(error.message);
    throw error;
  }
}

function shareOf(value: unknown): ShareHere {
  const fields = new Map(objectOf(value));
  const share = {
    group: at("group", () => textOf(fields.get("group"), 1)),
    share: at("share", () => textOf(fields.get("share"), 1)),
    holders: at("holders", () => holdersOf(fields.get("holders") ?? {})),
  };
  const known = fields.has("holders") ? 3 : 2;
  return fields.size === known ? share : unfit("must have group, share and holders, and nothing else");
}

function holdersOf(value: unknown): Map<number, string> {
  return new Map(
    objectOf(value).map(([holder, name]) => {
      if (!/^[1-8]$/.test(holder)) return unfit("must have holders by their numbers, 1 to 8");
      return [Number(holder), at(holder, () => textOf(name, 1))];
    }),
  );
}

/** Says where within a value it is that something is wrong. */
function at<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Unfit) throw new Unfit(`${where}: ${error.message}`);
    throw error;
  }
}

function unfit(allowed: string): never {
  throw new Unfit(allowed);
}
