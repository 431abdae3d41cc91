/** `quiesce verifier serve`: runs until it is told to stop. */
import type { Command } from "commander";
import { Exit } from "../exit.ts";
import { print, printJson, wantsJson } from "../output.ts";
import { version } from "../version.ts";
import { addConfigOption, type ConfigOption, configOf, openOf, withVerifier } from "./verifier-options.ts";

export function addVerifierServe(parent: Command): void {
  addConfigOption(parent.command("serve"))
    .description("serve until SIGTERM or SIGINT; SIGHUP reads the certificate again. The log goes to stdout, as JSON")
    .option("--check", "read configuration, keys and store, and stop there")
    .option("--json", "with --check: print one JSON document")
    .addHelpText("after", "\nExample:\n  $ quiesce verifier serve --config north/verifier.json\n")
    .action((options: ConfigOption & { check?: boolean }, command: Command) =>
      withVerifier(() => (options.check ? check(options, wantsJson(command)) : serve(options))),
    );
}

async function check(options: ConfigOption, asJson: boolean): Promise<void> {
  const open = await openOf(await configOf(options));
  try {
    const { agreementVersion, epoch, parties } = await open.service.about();
    const here = parties.filter((party) => party.here).map(({ name }) => name);
    if (asJson) printJson({ ok: true, agreementVersion, epoch, parties: here });
    else print(`ready to serve for ${here.join(", ") || "nobody"}: agreement ${agreementVersion}, epoch ${epoch}`);
  } finally {
    await open.close();
  }
}

async function serve(options: ConfigOption): Promise<void> {
  const config = await configOf(options);
  const { serviceLogger } = await import("../../http/logging.ts");
  const { ServiceMetrics } = await import("../../http/metrics.ts");
  const { runVerifier } = await import("../../http/run.ts");
  const { policyOf } = await import("../../service/config/policy-of.ts");
  const { policyDocument } = await import("../../policy/read-policy.ts");
  const logger = serviceLogger(config.logLevel);
  const metrics = new ServiceMetrics({ processMetrics: true });
  const open = await openOf(config, (seconds, requests) => metrics.committed(seconds, requests));
  const settings = { logger, metrics, version: version(), policy: policyDocument(policyOf(config)) };
  const running = await runVerifier(config, open, settings).catch(async (error: unknown) => {
    await open.close();
    throw await listenError(error);
  });
  logger.info({ addresses: running.addresses }, "listening");
  const renew = () => {
    try {
      running.reloadTls();
      logger.info("certificate read again");
    } catch (err) {
      logger.error({ err }, "the certificate could not be read: the one before stays");
    }
  };
  process.on("SIGHUP", renew);
  const signal = await stopSignal();
  logger.info({ signal }, "stopping");
  const isFinished = await running.close();
  process.off("SIGHUP", renew);
  logger.info({ isFinished }, "stopped");
  if (!isFinished) process.exitCode = Exit.NOT_GOOD;
}

/** The first of them is a request; whoever sends a second one will not wait. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(Exit.NOT_GOOD));
        resolve(signal);
      });
    }
  });
}

/** What listening and reading certificates throw comes from the configuration. */
async function listenError(error: unknown): Promise<unknown> {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (code === undefined || !(error instanceof Error)) return error;
  const { ConfigError } = await import("../../service/config/errors.ts");
  const isListening = syscall === "listen" || syscall === "getaddrinfo";
  const isTls = code.startsWith("ERR_OSSL") || code.startsWith("ERR_TLS");
  if (isListening) return new ConfigError([`listen: ${message}`]);
  return isTls || syscall === "open" ? new ConfigError([`tls: ${message}`]) : error;
}
