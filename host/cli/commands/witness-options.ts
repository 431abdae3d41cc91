/** What the `quiesce witness` commands share: the configuration, and how a refusal ends. */
import type { Command } from "commander";
import type { WitnessConfig } from "../../witness/config.ts";
import { withVerifier } from "./verifier-options.ts";

export type WitnessOption = { config: string };

export function addWitnessOption(command: Command): Command {
  return command.requiredOption("--config <file>", "the witness's configuration: docs/witness.md");
}

export async function witnessConfigOf({ config }: WitnessOption): Promise<WitnessConfig> {
  const { readWitnessFile } = await import("../../witness/config.ts");
  return readWitnessFile(config, process.env);
}

/** Runs it; what is wrong with configuration, keys or store ends the command, each in one line. */
export function withWitness<T>(work: () => Promise<T>): Promise<T> {
  return withVerifier(work, "store/locked: another witness runs on this folder, and one is all that may");
}
