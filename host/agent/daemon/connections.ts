/** The circle of verifiers as the configuration names them: certificates, tokens and the agent's own key are read here. */
import { Circle } from "../../client/circle.ts";
import { VerifierClient } from "../../client/client.ts";
import { CredentialError, readPlain, readSecret, signingWith } from "../../client/credentials.ts";
import { ClientError } from "../../client/errors.ts";
import { KeyError } from "../../keys/errors.ts";
import type { AgentConfig, VerifierConfig } from "./config.ts";
import { ConfigError } from "./read-config.ts";

/** `file` is what mistakes call the configuration. Throws a `ConfigError`, with a line for each mistake. */
export async function connect(config: AgentConfig, file: string): Promise<Circle> {
  const mistakes: string[] = [];
  const sign = await note(mistakes, "signing", async () => config.signing && signingWith(config.signing));
  const members = config.verifiers.flatMap((verifier, i) => {
    const at = `verifiers[${i}]`;
    const { name, url, socket } = verifier;
    try {
      const client = new VerifierClient({
        url,
        socketPath: socket,
        ca: given(verifier.ca, readPlain),
        cert: given(verifier.cert, readPlain),
        key: given(verifier.key, readSecret),
        token: given(verifier.tokenFile, readSecret)?.trim(),
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
  if (error instanceof CredentialError) return error.message;
  const { code, path } = error as NodeJS.ErrnoException;
  if (typeof code === "string" && path !== undefined) return `names ${path}, which cannot be read: ${code}`;
  throw error;
}

function given(path: string | undefined, read: (path: string) => string): string | undefined {
  return path === undefined ? undefined : read(path);
}
