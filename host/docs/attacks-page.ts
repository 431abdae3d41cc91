/** The table of attacks by a hostile host in `docs/security.md`: what each hopes for, what meets it, what it is told. */
import { ATTACK_GROUPS, ATTACKS } from "../../attack/host/table.ts";
import { markdownTable } from "./markdown.ts";

export function attackTables(): string {
  const tables = ATTACK_GROUPS.map(([title, attacks]) => {
    const rows = attacks.map(({ name, who, hope, defense, says }) => [
      `\`${name}\``,
      who,
      hope,
      defense,
      says.map((word) => `\`${word}\``).join(", "),
    ]);
    const head = ["attack", "by", "hopes for", "what meets it", "answered with"];
    return `### ${title}\n\n${markdownTable(head, rows)}`;
  });
  return [`${ATTACKS.length} attacks.\n`, ...tables].join("\n");
}
