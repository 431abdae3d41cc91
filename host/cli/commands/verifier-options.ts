/** What the `quiesce verifier` commands share: the configuration, how a verifier is opened, and how a refusal ends. */
import type { Command } from "commander";
import type { AuthError } from "../../auth/errors.ts";
import type { ClientError } from "../../client/errors.ts";
import type { KeyError } from "../../keys/errors.ts";
import type { Config } from "../../service/config/config.ts";
import type { OpenVerifier, OpenOptions as OpenVerifierOptions } from "../../service/open.ts";
import type { StoreError, StoreErrorCode } from "../../store/errors.ts";
import type { OpenOptions, Store } from "../../store/store.ts";
import { CliError, Exit, wrongUse } from "../exit.ts";

export type ConfigOption = { config: string };

export function addConfigOption(command: Command): Command {
  return command.requiredOption("--config <file>", "the verifier's configuration: docs/verifier.md");
}

const LOCKED = "store/locked: a verifier runs on this store: stop it, or ask it with --url where the command has that";

/** What the store says of itself, or of a backup or an export: all else is about what was asked for. */
const DAMAGE: ReadonlySet<string> = new Set<StoreErrorCode>([
  "store/corrupt",
  "store/broken",
  "store/copy",
  "store/constraint",
  "store/value",
]);

/** Runs it; what is wrong with configuration, keys or store ends the command, each in one line. */
export async function withVerifier<T>(work: () => Promise<T>, whenLocked = LOCKED): Promise<T> {
  const { ConfigError } = await import("../../service/config/errors.ts");
  const { KeyError } = await import("../../keys/errors.ts");
  const { StoreError } = await import("../../store/errors.ts");
  const { AuthError } = await import("../../auth/errors.ts");
  const { ClientError } = await import("../../client/errors.ts");
  try {
    return await work();
  } catch (error) {
    if (error instanceof ConfigError) throw severalLines(error.lines);
    if (error instanceof StoreError && error.code === "store/locked") throw wrongUse(whenLocked, error);
    const isKnown = [KeyError, StoreError, AuthError, ClientError].some((known) => error instanceof known);
    if (!isKnown) throw error;
    const { code, message } = error as Coded;
    throw new CliError(exitOf(error as Coded), `${code}: ${message}`, { cause: error });
  }
}

type Coded = KeyError | StoreError | AuthError | ClientError;

function exitOf({ name, code, class: errorClass }: Coded): Exit {
  if (errorClass === "wait" || errorClass === "network") return Exit.UNREACHABLE;
  const isUse = errorClass === "use" || name === "StoreError" || name === "AuthError";
  return isUse && !DAMAGE.has(code) ? Exit.WRONG_USE : Exit.NOT_GOOD;
}

/** All of them go to stderr, the last one as the error that ends the command. */
function severalLines(lines: readonly string[]): CliError {
  for (const line of lines.slice(0, -1)) process.stderr.write(`quiesce: ${line}\n`);
  return wrongUse(lines.at(-1) ?? "the configuration is wrong");
}

export async function configOf({ config }: ConfigOption): Promise<Config> {
  const { readConfigFile } = await import("../../service/config/read-config.ts");
  return readConfigFile(config, process.env);
}

/** The store alone, without keys or agreement. */
export async function withStore<T>(
  config: Config,
  options: OpenOptions,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const { openStore } = await import("../../store/store.ts");
  const { placeOf } = await import("../../service/open.ts");
  const store = await openStore(placeOf(config), options);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** Opens the verifier that the configuration describes. The caller closes it. */
export async function openOf(
  config: Config,
  told: Pick<OpenVerifierOptions, "committed" | "published"> = {},
): Promise<OpenVerifier> {
  const { openVerifier } = await import("../../service/open.ts");
  const { boardKindOf } = await import("./policy-input.ts");
  return openVerifier(config, { boardKind: boardKindOf, ...told });
}

export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
