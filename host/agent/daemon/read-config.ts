/** Reads the agent's configuration: JSON, every key by its type and bounds, and one line for each mistake. */
import { readFileSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { EngineClass } from "../../../firmware/protocol/classes.ts";
import { LOG_LEVELS } from "../../log-levels.ts";
import { NONCES_MAX } from "../../objects/nonces.ts";
import { CLASS_KEYS, isByteClass } from "../../policy/classes.ts";
import { PolicyError } from "../../policy/errors.ts";
import { parseQuantity } from "../../policy/quantity.ts";
import type { LicenseRequest } from "../../verifier/licensing.ts";
import type { AgentConfig, VerifierConfig } from "./config.ts";
import { Fields, Unfit } from "./config-fields.ts";

export class ConfigError extends Error {
  readonly mistakes: readonly string[];

  /** One line each. */
  constructor(file: string, mistakes: readonly string[]) {
    super(mistakes.map((mistake) => `${file}: ${mistake}`).join("\n"));
    this.name = "ConfigError";
    this.mistakes = this.message.split("\n");
  }
}

const FILE_BYTES_MAX = 1_048_576;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/;
const NAME_TEXT = "1 to 32 letters, digits, dots, hyphens and underscores";
const PLACE = /^[^\p{Cc}\u2028\u2029]{1,64}$/u;
const PLACE_TEXT = "a text of 1 to 64 characters";
const U64_MAX = 2n ** 64n - 1n;
const YEAR_SECONDS = 31_536_000;

/** Throws a `ConfigError`. */
export function readAgentConfig(path: string): AgentConfig {
  return parseAgentConfig(readText(path), basename(path), dirname(path));
}

/** `file` is what mistakes call it; paths in it are relative to `base`. Throws a `ConfigError`. */
export function parseAgentConfig(text: string, file: string, base: string): AgentConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ConfigError(file, ["is not JSON"]);
  }
  const mistakes: string[] = [];
  const fields = new Fields(value, "", mistakes, base);
  if (mistakes.length > 0) throw new ConfigError(file, mistakes);
  const config = readAll(fields);
  fields.end();
  if (mistakes.length > 0) throw new ConfigError(file, mistakes);
  return config;
}

function readAll(fields: Fields): AgentConfig {
  const verifiers = fields.list("verifiers", 1, NONCES_MAX, readVerifier);
  const names = verifiers.map(({ name }) => name);
  if (new Set(names).size !== names.length) fields.mistake("verifiers", "must have different names");
  return {
    state: fields.requiredPath("state"),
    boards: fields.object("boards", (boards) => ({
      sockets: boards.requiredPath("sockets"),
      everySeconds: boards.number("everySeconds", 0.1, 3600, 5),
      timeoutSeconds: boards.number("timeoutSeconds", 0.1, 600, 10),
    })),
    verifiers,
    signing: fields.optional("signing", (signing) => ({
      keys: signing.requiredPath("keys"),
      kid: signing.text("kid", /^[0-9a-f]{16}$/, "the 16 hexadecimal digits of a key's id"),
      passphraseFile: signing.path("passphraseFile"),
    })),
    registration: fields.optional("registration", (registration) => ({
      owner: registration.text("owner", PLACE, PLACE_TEXT),
      site: registration.text("site", PLACE, PLACE_TEXT),
      profile: registration.choice("profile", ["training", "inference"]),
    })),
    license: fields.object("license", (license) => ({
      terms: readTerms(license),
      renewAt: license.number("renewAt", 0.01, 0.99, 0.25),
      jitter: license.number("jitter", 0, 1, 0.2),
    })),
    reports: fields.object("reports", (reports) => ({
      everySeconds: reports.number("everySeconds", 0.1, YEAR_SECONDS, 300),
      waitingMax: reports.whole("waitingMax", 1, 10_000, 64),
      keep: reports.whole("keep", 1, 100_000, 1024),
    })),
    pollSeconds: fields.number("pollSeconds", 0.1, 3600, 15),
    requests: fields.object("requests", (requests) => ({
      inFlightMax: requests.whole("inFlightMax", 1, 256, 16),
      timeoutSeconds: requests.number("timeoutSeconds", 0.1, 600, 15),
      triesMax: requests.whole("triesMax", 1, 10, 3),
    })),
    recover: fields.flag("recover", true),
    logLevel: fields.choice("logLevel", LOG_LEVELS) ?? "info",
  };
}

function readVerifier(fields: Fields): VerifierConfig {
  const verifier = {
    name: fields.required("name", NAME, NAME_TEXT),
    url: fields.required("url", /^https?:\/\/[^\s]+$/, "an address that begins with https:// or http://"),
    socket: fields.path("socket"),
    ca: fields.path("ca"),
    cert: fields.path("cert"),
    key: fields.path("key"),
    tokenFile: fields.path("tokenFile"),
  };
  if ((verifier.cert === undefined) !== (verifier.key === undefined)) fields.mistake("cert", "goes with key");
  return verifier;
}

/** All or nothing: a license has a budget, ticks and a window, or verifiers say. */
function readTerms(license: Fields): LicenseRequest | undefined {
  const isAsked = ["budget", "ticksMax", "windowSeconds", "rate", "drain"].some((name) => license.has(name));
  if (!isAsked) return undefined;
  for (const name of ["budget", "ticksMax", "windowSeconds"]) {
    if (!license.has(name)) license.mistake(name, "is missing: budget, ticksMax and windowSeconds go together");
  }
  const works = (name: string) => license.optional(name, (fields) => fields.entries(readWork));
  const rates = license.optional("rate", (fields) => fields.entries(readRate));
  return {
    budget: works("budget") ?? new Map(),
    ticksMax: license.value("ticksMax", (value) => wholeOf(value, U64_MAX)) ?? 1n,
    windowSeconds: license.whole("windowSeconds", 1, 2 ** 32 - 1, 1),
    rate: rates,
    drain: works("drain"),
  };
}

function readWork(key: string, value: unknown): readonly [EngineClass, bigint] {
  const engineClass = classOf(key);
  if (typeof value !== "string")
    throw new Unfit(`must be a text such as "${isByteClass(engineClass) ? "1GB" : "1e18FLOP"}"`);
  try {
    return [engineClass, parseQuantity(value, isByteClass(engineClass) ? "bytes" : "operations", key)];
  } catch (error) {
    if (error instanceof PolicyError)
      throw new Unfit(`must be an amount such as ${isByteClass(engineClass) ? "1GB" : "1e18FLOP"}`);
    throw error;
  }
}

function readRate(key: string, value: unknown): readonly [EngineClass, bigint] {
  return [classOf(key), wholeOf(value, U64_MAX)];
}

function classOf(key: string): EngineClass {
  const engineClass = CLASS_KEYS.get(key);
  if (engineClass === undefined) throw new Unfit(`is no engine class: ${[...CLASS_KEYS.keys()].join(", ")}`);
  return engineClass;
}

/** In decimal, since JSON has no wide integers; small ones may be numbers. */
function wholeOf(value: unknown, most: bigint): bigint {
  const text = Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text !== "string" || !/^[1-9][0-9]{0,19}$/.test(text) || BigInt(text) > most) {
    throw new Unfit(`must be a whole number from 1 to ${most}, as a text where it is over 2^53`);
  }
  return BigInt(text);
}

function readText(path: string): string {
  const file = basename(path);
  try {
    if (statSync(path).size > FILE_BYTES_MAX) throw new ConfigError(file, [`has over ${FILE_BYTES_MAX} bytes`]);
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError(file, [`cannot be read: ${(cause as NodeJS.ErrnoException).code}`]);
  }
}
