/** Tables, links and figures of the report. */
import { element, escaped } from "../markup.ts";

/** Cells are markup; `classes` are those of the columns. The first column heads its rows. */
export function table(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  classes: readonly string[] = [],
): string {
  const style = (at: number) => classes[at] || undefined;
  const header = head.map((cell, at) => element("th", { scope: "col", class: style(at) }, escaped(cell)));
  const lines = rows.map((row) =>
    element(
      "tr",
      {},
      ...row.map((cell, at) =>
        at === 0 ? element("th", { scope: "row", class: style(0) }, cell) : element("td", { class: style(at) }, cell),
      ),
    ),
  );
  return element(
    "div",
    { class: "scroll", role: "region", tabindex: 0, "aria-label": caption },
    element(
      "table",
      {},
      element("caption", {}, escaped(caption)),
      element("thead", {}, element("tr", {}, ...header)),
      element("tbody", {}, ...lines),
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
