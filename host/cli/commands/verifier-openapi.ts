/** `quiesce verifier openapi`: the document that the service serves at /openapi.json, without a service. */
import type { Command } from "commander";
import { printJson } from "../output.ts";
import { version } from "../version.ts";

export function addVerifierOpenApi(parent: Command): void {
  parent
    .command("openapi")
    .description("print the OpenAPI 3.1 document of the service")
    .option("--json", "print one JSON document (it always is one)")
    .addHelpText("after", "\nExample:\n  $ quiesce verifier openapi > openapi.json\n")
    .action(async () => {
      const { openApiDocument } = await import("../../http/openapi-document.ts");
      printJson(await openApiDocument(version()));
    });
}
