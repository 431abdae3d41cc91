/** The tables of attacks by a hostile host in `docs/security.md`: what each hopes for, what meets it, what it is told. */
import { ATTACK_GROUPS, ATTACKS } from "../../attack/host/table.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
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

const LICENSES_A_DAY = 24;

/** What a governor draws by lot, and so could choose if it were another: bits, and how often. */
export function freeBits(): string {
  const each = 8 * Limit.NONCE_BYTES;
  const perBoot = 3 * each;
  const perDay = perBoot + LICENSES_A_DAY * each;
  const count = (bits: number) => bits.toLocaleString("en-US");
  return markdownTable(
    ["field", "drawn anew at", "bits", `bits a day, with one boot and ${LICENSES_A_DAY} licenses`],
    [
      ["boot seed", "each boot", count(each), count(each)],
      [
        "challenge",
        "each boot, each license, each step of the back-off",
        count(each),
        count((1 + LICENSES_A_DAY) * each),
      ],
      ["time nonce", "each time challenge: one a boot", count(each), count(each)],
      ["all", "", "", count(perDay)],
    ],
  );
}
