/** The circle of verifiers as the configuration names them: certificates, tokens and the agent's own key are read here. */
import { readFileSync, statSync } from "node:fs";
import { Circle } from "../../client/circle.ts";
import { VerifierClient } from "../../client/client.ts";
import { ClientError } from "../../client/errors.ts";
import type { SignRequest } from "../../client/options.ts";
import { signWith } from "../../client/signing.ts";
import { KeyError } from "../../keys/errors.ts";
import { KeyFolder } from "../../keys/folder.ts";
import { Keystore, OpenKeystore } from "../../keys/keystore.ts";
import { readPassphrase } from "../../keys/passphrase.ts";
import { kidText } from "../../keys/signer.ts";
import type { AgentConfig, VerifierConfig } from "./config.ts";
import { ConfigError } from "./read-config.ts";

const FILE_BYTES_MAX = 262_144;

/** `file` is what mistakes call the configuration. Throws a `ConfigError`, with a line for each mistake. */
export async function connect(config: AgentConfig, file: string): Promise<Circle> {
  const mistakes: string[] = [];
  const sign = await note(mistakes, "signing", () => signingOf(config));
  const members = config.verifiers.flatMap((verifier, i) => {
    const at = `verifiers[${i}]`;
    const { name, url, socket } = verifier;
    try {
      const client = new VerifierClient({
        url,
        socketPath: socket,
        ca: readPlain(verifier.ca),
        cert: readPlain(verifier.cert),
        key: readSecret(verifier.key),
        token: readSecret(verifier.tokenFile)?.trim(),
        sign: verifier.tokenFile === undefined ? sign : undefined,
        timeoutMs: config.requests.timeoutSeconds * 1000,
        triesMax: config.requests.triesMax,
        inFlightMax: config.requests.inFlightMax,
      });
      return [{ name, client }];
    } catch (error) {
      mistakes.push(`${at} ${textOf(error)}`);
      return [];
    }
  });
  if (mistakes.length > 0) {
    await Promise.all(members.map(({ client }) => client.close()));
    throw new ConfigError(file, mistakes);
  }
  return new Circle(members);
}

/** Verifiers believe whose a board is only of those who say who they are. */
export function saysWhoItIs(config: AgentConfig, name: string): boolean {
  const verifier: VerifierConfig | undefined = config.verifiers.find((one) => one.name === name);
  return config.signing !== undefined || verifier?.tokenFile !== undefined;
}

async function signingOf({ signing }: AgentConfig): Promise<SignRequest | undefined> {
  if (!signing) return undefined;
  const store = new Keystore(new KeyFolder(signing.keys));
  const passphrase = await readPassphrase({ file: signing.passphraseFile });
  const source = new OpenKeystore(store, passphrase);
  const usable = (await source.list()).filter(({ kid, status }) =>
    signing.kid === undefined ? status === "active" : kidText(kid) === signing.kid,
  );
  if (usable.length === 0) throw new KeyError("keys/unknown", signing.kid);
  if (usable.length > 1) throw new KeyError("keys/ambiguous");
  return signWith(await source.signer(usable[0]!.kid));
}

async function note<T>(mistakes: string[], at: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    mistakes.push(`${at} ${textOf(error)}`);
    return undefined;
  }
}

/** Of what the operator can mend; a fault is thrown on. */
function textOf(error: unknown): string {
  if (error instanceof ClientError || error instanceof KeyError) return `cannot be used: ${error.message}`;
  const { code, path } = error as NodeJS.ErrnoException;
  if (typeof code === "string" && path !== undefined) return `names ${path}, which cannot be read: ${code}`;
  if (error instanceof Mistake) return error.message;
  throw error;
}

class Mistake extends Error {}

function readSecret(path: string | undefined): string | undefined {
  if (path !== undefined && process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0) {
    throw new Mistake(`names ${path}, to which others than the owner have access: take it from them with chmod`);
  }
  return readPlain(path);
}

function readPlain(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  if (statSync(path).size > FILE_BYTES_MAX) throw new Mistake(`names ${path}, which has over ${FILE_BYTES_MAX} bytes`);
  return readFileSync(path, "utf8");
}
