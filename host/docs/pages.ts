/** Which pages are made from the sources, whole or in part. */
import { readFileSync } from "node:fs";
import { WITNESS_KEYS } from "../witness/config.ts";
import { attackTables, freeBits } from "./attacks-page.ts";
import { cheatsTable } from "./cheats-page.ts";
import { errorsPage } from "./errors-page.ts";
import { gateModel } from "./gate-model.ts";
import { splice } from "./markdown.ts";
import { statesPage } from "./states-page.ts";
import { configTables, refusalTables } from "./verifier-page.ts";
import { wearCurve } from "./wear-curve.ts";

export type Page = {
  /** From the top of the project. */
  path: string;
  text: string;
};

/** The pages, and the part of the model that is the table, as the sources make them. `root` is the top of the project. */
export function pages(root: URL): Page[] {
  const fleet = "docs/fleet.md";
  const journal = "docs/journal.md";
  const verifier = "docs/verifier.md";
  const witness = "docs/witness.md";
  const security = "docs/security.md";
  const written = (path: string) => readFileSync(new URL(path, root), "utf8");
  return [
    { path: "docs/errors.md", text: errorsPage() },
    { path: "docs/states.md", text: statesPage() },
    { path: "model/gate.pml", text: gateModel() },
    { path: witness, text: splice(written(witness), "witness-configuration", configTables(WITNESS_KEYS)) },
    { path: fleet, text: splice(written(fleet), "cheats", cheatsTable()) },
    { path: journal, text: splice(written(journal), "wear-curve", wearCurve()) },
    {
      path: security,
      text: splice(splice(written(security), "hostile-host", attackTables()), "free-bits", freeBits()),
    },
    {
      path: verifier,
      text: splice(splice(written(verifier), "configuration", configTables()), "refusals", refusalTables()),
    },
  ];
}
