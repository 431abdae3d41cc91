/** What was carried, as a table or a document. */
import type { Row, RowOutcome } from "../courier/row.ts";
import { plainText } from "./names.ts";
import { color, print, printJson, table } from "./output.ts";

const PAINT: Readonly<Record<RowOutcome, (text: string) => string>> = {
  done: color.green,
  known: color.dim,
  left: color.yellow,
  refused: color.red,
  unreached: color.red,
};

/** A UEID as far as people tell boards apart. */
const WHO_CHARACTERS_MAX = 40;

export function showRows(rows: readonly Row[], ok: boolean, asJson: boolean): void {
  if (asJson) printJson({ ok, rows });
  else print(rows.length === 0 ? "there was nothing to carry" : tableOf(rows));
}

function tableOf(rows: readonly Row[]): string {
  const columns = ["who", "what", "outcome", "code", "detail"].map((title) => ({ title }));
  const lines = rows.map(({ who, what, outcome, code = "", detail = "" }) => {
    const short = who.length > WHO_CHARACTERS_MAX ? `${who.slice(0, WHO_CHARACTERS_MAX - 1)}…` : who;
    return [plainText(short), plainText(what), PAINT[outcome](outcome), code, plainText(detail)];
  });
  return table(columns, lines, "");
}
