/** `quiesce witness serve`: runs until it is told to stop. */
import type { Command } from "commander";
import { listenError, untilStopped } from "./serving.ts";
import { addWitnessOption, type WitnessOption, withWitness, witnessConfigOf } from "./witness-options.ts";

export function addWitnessServe(parent: Command): void {
  addWitnessOption(parent.command("serve"))
    .description("serve until SIGTERM or SIGINT; SIGHUP reads the certificate again. The log goes to stdout, as JSON")
    .addHelpText("after", "\nExample:\n  $ quiesce witness serve --config w1/witness.json\n")
    .action((options: WitnessOption) => withWitness(() => serve(options)));
}

async function serve(options: WitnessOption): Promise<void> {
  const config = await witnessConfigOf(options);
  const { serviceLogger } = await import("../../http/logging.ts");
  const { runWitness } = await import("../../witness/run.ts");
  const logger = serviceLogger(config.logLevel, undefined, "quiesce-witness");
  const running = await runWitness(config, logger).catch(async (error: unknown) => {
    throw await listenError(error);
  });
  logger.info({ vkey: running.vkey, logs: config.logs.map(({ origin }) => origin) }, "cosigning");
  await untilStopped(running, logger);
}
