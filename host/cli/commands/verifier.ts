/** `quiesce verifier`: the service of a party or of several. docs/verifier.md */
import type { Command } from "commander";
import { group } from "../group.ts";
import { addVerifierBackup, addVerifierRestore } from "./verifier-backup.ts";
import { addVerifierClient } from "./verifier-client.ts";
import { addVerifierFsck } from "./verifier-fsck.ts";
import { addVerifierInit } from "./verifier-init.ts";
import { addVerifierOpenApi } from "./verifier-openapi.ts";
import { addVerifierServe } from "./verifier-serve.ts";
import { addVerifierToken } from "./verifier-token.ts";
import { addVerifierExport, addVerifierImport } from "./verifier-transfer.ts";

export function addVerifier(parent: Command): void {
  const verifier = group(
    parent,
    "verifier",
    "a verifier: issues licenses on evidence, takes reports, keeps the ceremony of pause and resume",
  ).addHelpText(
    "after",
    "\nExample:\n  $ quiesce verifier init north --name North\n  $ quiesce verifier serve --config north/verifier.json\n",
  );
  addVerifierInit(verifier);
  addVerifierServe(verifier);
  addVerifierToken(verifier);
  addVerifierClient(verifier);
  addVerifierFsck(verifier);
  addVerifierBackup(verifier);
  addVerifierRestore(verifier);
  addVerifierExport(verifier);
  addVerifierImport(verifier);
  addVerifierOpenApi(verifier);
}
