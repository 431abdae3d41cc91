/** Which pages are made from the sources, whole or in part. */
import { readFileSync } from "node:fs";
import { errorsPage } from "./errors-page.ts";
import { splice } from "./markdown.ts";
import { statesPage } from "./states-page.ts";
import { wearCurve } from "./wear-curve.ts";

export type Page = {
  /** From the top of the project. */
  path: string;
  text: string;
};

/** The pages as the sources make them. `root` is the top of the project. */
export function pages(root: URL): Page[] {
  const journal = "docs/journal.md";
  return [
    { path: "docs/errors.md", text: errorsPage() },
    { path: "docs/states.md", text: statesPage() },
    { path: journal, text: splice(readFileSync(new URL(journal, root), "utf8"), "wear-curve", wearCurve()) },
  ];
}
