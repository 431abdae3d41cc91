/** What docs/verifier.md has of the sources: the keys of the configuration, and every refusal with its status. */
import { CLASS_STATUS, HTTP_PROBLEMS, type ProblemClass } from "../http/problem-codes.ts";
import { CONFIG_KEYS, type KeySpec } from "../service/config/keys.ts";
import { STORE_ERRORS } from "../store/errors.ts";
import { VERIFIER_ERRORS } from "../verifier/errors.ts";
import { markdownTable } from "./markdown.ts";

/** One table a group; keys without one come first. */
export function configTables(specs: Readonly<Record<string, KeySpec>> = CONFIG_KEYS): string {
  const keys = Object.keys(specs);
  const groupOf = (key: string) => (key.includes(".") ? key.split(".")[0]! : "");
  const groups = [...new Set(keys.map(groupOf))].sort((a, b) => Number(a !== "") - Number(b !== ""));
  return groups
    .map((group) => {
      const rows = keys.filter((key) => groupOf(key) === group).map((key) => [`\`${key}\``, ...cellsOf(specs[key]!)]);
      return markdownTable(["key", "type", "default", "meaning"], rows);
    })
    .join("\n");
}

const TYPES: Readonly<Record<KeySpec["type"], string>> = {
  text: "text",
  path: "path",
  integer: "integer",
  flag: "true or false",
  choice: "one of",
  texts: "list of texts",
  paths: "list of paths",
  urls: "list of URLs",
  networks: "list of networks",
  hexes: "list of hex",
  models: "object",
  peers: "list of objects",
  shares: "list of objects",
  witnesses: "list of objects",
};

function cellsOf(spec: KeySpec): string[] {
  const type =
    spec.type === "integer"
      ? `${grouped(spec.min)} to ${grouped(spec.max)}`
      : spec.type === "choice"
        ? spec.of.map((name) => `\`${name}\``).join(", ")
        : TYPES[spec.type];
  const given = "default" in spec ? spec.default : undefined;
  const shown = typeof given === "number" ? grouped(given) : given === undefined ? "" : `\`${given}\``;
  return [type, shown, spec.doc];
}

/** Ports have four digits and no comma. */
function grouped(value: number): string {
  return value < 10_000 ? `${value}` : value.toLocaleString("en-US");
}

/** Those of the verifier, of the HTTP layer, and those of the store that an asker hears of. */
export function refusalTables(): string {
  const told = Object.entries(STORE_ERRORS)
    .filter(([, [errorClass]]) => errorClass === "wait")
    .map(([code, [, phrase]]) => [code, ["unavailable", phrase]] as const);
  return [Object.entries(VERIFIER_ERRORS), Object.entries(HTTP_PROBLEMS), told].map(tableOf).join("\n");
}

function tableOf(entries: readonly (readonly [string, readonly [string, string]])[]): string {
  const rows = entries.map(([code, [errorClass, phrase]]) => {
    return [`\`${code}\``, `${CLASS_STATUS[errorClass as ProblemClass]} ${errorClass}`, phrase];
  });
  return markdownTable(["code", "status and class", "meaning"], rows);
}
