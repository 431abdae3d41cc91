/** What `quiesce courier` is given: verifiers with their tokens, a folder of boards, the terms of an offline license. */
import { join } from "node:path";
import type { EngineClass } from "../../firmware/protocol/classes.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { SocketDriver } from "../agent/socket-driver.ts";
import { Circle } from "../client/circle.ts";
import { VerifierClient } from "../client/client.ts";
import { CredentialError, readPlain, readSecret, signingWith } from "../client/credentials.ts";
import type { SignRequest } from "../client/options.ts";
import { kidText } from "../keys/signer.ts";
import { CLASS_KEYS, isByteClass } from "../policy/classes.ts";
import type { OfflineLicenseCall } from "../service/service.ts";
import type { VerifierOptions } from "./commands/courier-options.ts";
import type { PackOptions } from "./commands/courier-pack.ts";
import { kidArgument } from "./commands/key-options.ts";
import { quantityOption } from "./commands/policy-input.ts";
import { wrongUse } from "./exit.ts";

/** Within the folder of the boards. */
const KEEP = "courier";

/** Each is named by its address: nonces that travel are found again by that. Rejects with a `KeyError`, too. */
export async function circleOf(options: VerifierOptions): Promise<Circle> {
  const { verifier: urls = [], ca } = options;
  const tokens = forEach(urls, options.tokenFile, "--token-file", readPlain);
  const certs = forEach(urls, options.cert, "--cert", readPlain);
  const keys = forEach(urls, options.key, "--key", readSecret);
  if ((options.cert === undefined) !== (options.key === undefined)) throw wrongUse("--cert goes with --key");
  const trusted = ca === undefined ? undefined : contentOf("--ca", ca, readPlain);
  const sign = await signingOf(options);
  const members = urls.map((url, index) => {
    const client = new VerifierClient({
      url,
      ca: trusted,
      cert: certs[index],
      key: keys[index],
      token: tokens[index]?.trim(),
      sign,
    });
    return { name: url.replace(/\/+$/, ""), client };
  });
  return new Circle(members);
}

async function signingOf({ keys, kid, passphraseFile }: VerifierOptions): Promise<SignRequest | undefined> {
  if (keys !== undefined) return signingWith({ keys, kid: kid && kidText(kidArgument(kid)), passphraseFile });
  if ((kid ?? passphraseFile) !== undefined) throw wrongUse("--kid and --passphrase-file go with --keys");
  return undefined;
}

/** The contents of one file for all verifiers, or of one for each. */
function forEach(
  urls: readonly string[],
  files: readonly string[] | undefined,
  option: string,
  read: (path: string) => string,
): readonly string[] {
  if (files === undefined) return [];
  if (files.length > 1 && files.length !== urls.length) {
    throw wrongUse(
      `${option} has ${files.length} files for ${urls.length} verifiers: give one for all, or one for each`,
    );
  }
  const contents = files.map((path) => contentOf(option, path, read));
  return urls.map((_url, index) => contents[index] ?? contents[0]!);
}

function contentOf(option: string, path: string, read: (path: string) => string): string {
  try {
    return read(path);
  } catch (cause) {
    if (cause instanceof CredentialError) throw wrongUse(`${option} ${cause.message}`, cause);
    throw cause;
  }
}

export function socketsOf(folder: string): SocketDriver {
  return new SocketDriver(folder);
}

export function keepOf({ keep, boards }: { readonly keep?: string; readonly boards?: string }): string {
  return keep ?? join(boards!, KEEP);
}

/** Undefined where none is asked for. */
export function offlineCallOf(options: PackOptions): OfflineLicenseCall | undefined {
  const { offlineLicense, budget, ticks, window } = options;
  if (offlineLicense === undefined) {
    if ((budget ?? ticks ?? window) === undefined) return undefined;
    throw wrongUse("--budget, --ticks and --window are the terms of an --offline-license");
  }
  if (budget === undefined || ticks === undefined || window === undefined) {
    throw wrongUse("--offline-license needs its terms: --budget, --ticks and --window");
  }
  const ueids = offlineLicense.split(",").map(ueidOf);
  if (ueids.length > Limit.COHORT_MAX) throw wrongUse(`an offline license is for ${Limit.COHORT_MAX} boards at most`);
  return {
    ueids,
    terms: {
      budget: new Map(budget.split(",").map(workOf)),
      ticksMax: quantityOption(ticks, "ticks", "--ticks"),
      windowSeconds: Number(quantityOption(window, "seconds", "--window")),
    },
  };
}

function ueidOf(text: string): Uint8Array {
  if (!new RegExp(`^[0-9a-f]{${2 * Limit.UEID_BYTES}}$`).test(text)) {
    throw wrongUse(`'${text}' is no UEID: ${2 * Limit.UEID_BYTES} hex digits`);
  }
  return new Uint8Array(Buffer.from(text, "hex"));
}

function workOf(text: string): [EngineClass, bigint] {
  const [key = "", quantity = ""] = text.split("=", 2);
  const engineClass = CLASS_KEYS.get(key);
  if (engineClass === undefined) throw wrongUse(`--budget names no engine class '${key}': docs/policy.md lists them`);
  return [engineClass, quantityOption(quantity, isByteClass(engineClass) ? "bytes" : "operations", "--budget")];
}
