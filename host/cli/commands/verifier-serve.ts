/** `quiesce verifier serve`: runs until it is told to stop. */
import type { Command } from "commander";
import { print, printJson, wantsJson } from "../output.ts";
import { version } from "../version.ts";
import { listenError, untilStopped } from "./serving.ts";
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
  const open = await openOf(config, {
    committed: (seconds, requests) => metrics.committed(seconds, requests),
    published: (seconds) => metrics.published(seconds),
  });
  const settings = { logger, metrics, version: version(), policy: policyDocument(policyOf(config)) };
  const running = await runVerifier(config, open, settings).catch(async (error: unknown) => {
    await open.close();
    throw await listenError(error);
  });
  await untilStopped(running, logger);
}
