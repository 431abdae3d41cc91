/** The table of cheats in `docs/fleet.md`: the adversary library of the study `fleet`. */
import { TRAITS } from "../../fleet/actors/strategies.ts";
import { markdownTable } from "./markdown.ts";

export function cheatsTable(): string {
  return markdownTable(
    ["cheat", "what it tries"],
    TRAITS.map(({ name, tries }) => [`\`${name}\``, tries]),
  );
}
