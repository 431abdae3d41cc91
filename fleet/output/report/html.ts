/** Tables, links and figures of the report. */
import { element, escaped } from "../markup.ts";

/**
 * Cells are markup; `classes` are those of the columns. The first column heads its rows. Where it is `stacked`, a narrow
 * screen has a row's cells below each other, each with its column's name: roles keep it a table for who hears it.
 */
export function table(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  classes: readonly string[] = [],
  isStacked = false,
): string {
  const role = (name: string) => (isStacked ? name : undefined);
  const style = (at: number) => classes[at] || undefined;
  const header = head.map((cell, at) =>
    element("th", { scope: "col", role: role("columnheader"), class: style(at) }, escaped(cell)),
  );
  const lines = rows.map((row) =>
    element(
      "tr",
      { role: role("row") },
      ...row.map((cell, at) =>
        at === 0
          ? element("th", { scope: "row", role: role("rowheader"), class: style(0) }, cell)
          : element("td", { class: style(at), role: role("cell"), "data-label": role(head[at]!) }, cell),
      ),
    ),
  );
  return element(
    "div",
    { class: "scroll", role: "region", tabindex: 0, "aria-label": caption },
    element(
      "table",
      { class: isStacked ? "stacked" : undefined, role: role("table") },
      element("caption", {}, escaped(caption)),
      element("thead", { role: role("rowgroup") }, element("tr", { role: role("row") }, ...header)),
      element("tbody", { role: role("rowgroup") }, ...lines),
    ),
  );
}

/** Text with its addresses as links, which load nothing until somebody follows them. */
export function linked(text: string): string {
  return text
    .split(/(https:\/\/[^\s<>"']*[^\s<>"'.,;:)\]])/)
    .map((part, at) => (at % 2 === 1 ? element("a", { href: part, rel: "noreferrer" }, escaped(part)) : escaped(part)))
    .join("");
}

export function section(id: string, title: string, ...children: readonly string[]): string {
  return element(
    "section",
    { id, "aria-labelledby": `${id}-heading` },
    element("h2", { id: `${id}-heading` }, escaped(title)),
    ...children,
  );
}

export function paragraph(text: string, style?: string): string {
  return element("p", { class: style }, escaped(text));
}
