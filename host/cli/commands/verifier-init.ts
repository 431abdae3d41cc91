/** `quiesce verifier init`: a folder that a verifier can be started from, in one command. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import type { Member, Quorums } from "../../objects/agreement.ts";
import type { InitResult } from "../../service/init/init.ts";
import { wrongUse } from "../exit.ts";
import { wantsJson } from "../output.ts";
import { collect, withVerifier } from "./verifier-options.ts";

type Options = {
  name: string;
  party: string[];
  member: string[];
  timeMember: string[];
  time: boolean;
  agreement: boolean;
  quorum: string[];
  accelerator: string[];
  model: string[];
  manufacturer: string[];
  measurement: string[];
  policy: string;
  lease: string;
  license: string;
  offline?: boolean;
  port?: string;
  passphraseFile?: string;
  token: boolean;
};

export function addVerifierInit(parent: Command): void {
  parent
    .command("init")
    .description("make a folder to start from: keys, agreement, configuration, and a token for its admin")
    .argument("<folder>", "where; it must be empty or not there")
    .requiredOption("--name <name>", "what the verifier and its agreement are called")
    .option("--party <name>", "a party that lives here, as often as needed (default: the verifier's name)", collect, [])
    .option("--member <name=key>", "a party that lives elsewhere, and its public key in hex", collect, [])
    .option("--time-member <name=key>", "a time authority that lives elsewhere", collect, [])
    .option("--no-time", "keep no time authority here")
    .option("--no-agreement", "make keys only: the agreement comes from elsewhere")
    .option("--quorum <what=number>", "license, pause, resume, update or amend: how many it takes", collect, [])
    .option(
      "--accelerator <name>",
      "hardware whose rates the agreement allows (default: all that are known)",
      collect,
      [],
    )
    .option("--model <model=accelerator>", "what a hardware model is, for the leak bound", collect, [])
    .option("--manufacturer <key>", "public key of a manufacturer that is trusted, in hex", collect, [])
    .option("--measurement <sha256>", "governor image that may run (default: the one of this release)", collect, [])
    .option("--policy <policy>", "what the parties here sign licenses by: a preset's name or a file", "none")
    .option("--lease <time>", "how long a beacon keeps a gate alive", "5min")
    .option("--license <time>", "the longest that one license may last", "24h")
    .option("--offline", "take licenses without a nonce, for sites without a network")
    .option("--port <number>", "port to listen on")
    .option("--passphrase-file <file>", "an existing passphrase (default: a new one, in the folder)")
    .option("--no-token", "make no admin's token")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nExamples:\n  $ quiesce verifier init north --name North\n" +
        "  $ quiesce verifier init north --name North --member South=PUBLICKEY --quorum license=2\n",
    )
    .action((folder: string, options: Options, command: Command) =>
      withVerifier(async () => {
        const made = await init(folder, options);
        const token = options.token && isComplete(made) ? await adminToken(made.configFile) : undefined;
        const { showInit } = await import("./verifier-init-view.ts");
        showInit(folder, made, token, wantsJson(command));
      }),
    );
}

async function init(folder: string, options: Options): Promise<InitResult> {
  const { initVerifier } = await import("../../service/init/init.ts");
  const { quantityOption } = await import("./policy-input.ts");
  const seconds = (text: string, option: string) => Number(quantityOption(text, "seconds", option));
  const parties = options.party.length > 0 ? options.party : [options.name];
  return initVerifier({
    folder,
    name: options.name,
    parties,
    members: await Promise.all(options.member.map((text) => memberOf(text, "--member"))),
    timeMembers: await Promise.all(options.timeMember.map((text) => memberOf(text, "--time-member"))),
    keepsTime: options.time,
    agreement: options.agreement
      ? {
          quorums: quorumsOf(options.quorum),
          ratesMax: await ratesOf(options.accelerator),
          leaseSeconds: seconds(options.lease, "--lease"),
          licenseSeconds: seconds(options.license, "--license"),
          offline: options.offline === true,
        }
      : undefined,
    passphraseFile: options.passphraseFile && resolve(options.passphraseFile),
    settings: {
      policy: /[/\\.]/.test(options.policy) ? resolve(options.policy) : options.policy,
      manufacturers: options.manufacturer,
      references: { measurements: options.measurement.length > 0 ? options.measurement : [releaseMeasurement()] },
      models: Object.fromEntries(options.model.map((text) => pairOf(text, "--model"))),
      ...(options.port !== undefined && { listen: { port: portOf(options.port) } }),
    },
  });
}

function isComplete({ agreement }: InitResult): boolean {
  return agreement?.missing.length === 0;
}

const TOKEN_DAYS = 90;
const DAY_MS = 86_400_000;

/** Opens the new verifier once: whatever is wrong with it is seen now. */
async function adminToken(configFile: string): Promise<string> {
  const { openOf } = await import("./verifier-options.ts");
  const { readConfigFile } = await import("../../service/config/read-config.ts");
  const { createToken } = await import("../../auth/token.ts");
  const open = await openOf(readConfigFile(configFile, {}));
  try {
    const nowMs = Date.now();
    const roles = ["admin", "registrar", "auditor"];
    const { token, record } = createToken({ name: "admin", roles, expiresMs: nowMs + TOKEN_DAYS * DAY_MS, nowMs });
    await open.tokens.addToken(record);
    return token;
  } finally {
    await open.close();
  }
}

function pairOf(text: string, option: string): [string, string] {
  const end = text.lastIndexOf("=");
  if (end < 1 || end === text.length - 1) throw wrongUse(`${option} is NAME=VALUE, not '${text}'`);
  return [text.slice(0, end), text.slice(end + 1)];
}

async function memberOf(text: string, option: string): Promise<Member> {
  const { verificationKey } = await import("../../protocol/cose.ts");
  const [name, key] = pairOf(text, option);
  if (!/^[0-9a-f]{64}$/i.test(key)) throw wrongUse(`${option}: the key of ${name} has 64 hex digits`);
  return { name, ...verificationKey(new Uint8Array(Buffer.from(key, "hex"))) };
}

const QUORUMS = ["license", "pause", "resume", "update", "amend"] as const;

function quorumsOf(texts: readonly string[]): Partial<Quorums> {
  const pairs = texts.map((text) => {
    const [name, count] = pairOf(text, "--quorum");
    if (!(QUORUMS as readonly string[]).includes(name) || !/^[1-8]$/.test(count)) {
      throw wrongUse(`--quorum is one of ${QUORUMS.join(", ")} and a number from 1 to 8, not '${text}'`);
    }
    return [name, Number(count)] as const;
  });
  return Object.fromEntries(pairs);
}

/** Of each class the rate of the fastest: the agreement is for all hardware that may come under it. */
async function ratesOf(names: readonly string[]) {
  const { fleetOption, nominalTerms } = await import("./policy-input.ts");
  const { ACCELERATORS } = await import("../../../sim-board/accelerators.ts");
  const all = names.length > 0 ? names : [...ACCELERATORS.keys()];
  const { caps } = nominalTerms(fleetOption(all.map((name) => `1x${name}`).join(",")));
  return new Map([...caps].map(([engineClass, { rateMax }]) => [engineClass, rateMax]));
}

/** SHA-256 of the governor image that this release was tested with. */
function releaseMeasurement(): string {
  return readFileSync(new URL("../../../firmware/governor.sha256", import.meta.url), "utf8").slice(0, 64);
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^[0-9]{1,5}$/.test(text) && port <= 65_535) return port;
  throw wrongUse(`--port is a whole number from 0 to 65535, not '${text}'`);
}
