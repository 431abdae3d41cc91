/** The little Markdown that the generated pages need. */

export const NOTICE = "<!-- Made by `npm run docs` from the sources; a test holds it current. Do not edit. -->";

/** A table; a `|` in a cell is escaped. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  return line(head) + line(head.map(() => "---")) + rows.map(line).join("");
}

/**
 * Puts `body` between `<!-- name: -->` and `<!-- :name -->` of a page that people write.
 * @throws Error if the page does not have both marks, in this order and once.
 */
export function splice(page: string, name: string, body: string): string {
  const [open, close] = [`<!-- ${name}: made by \`npm run docs\` -->\n`, `<!-- :${name} -->`];
  const [before, rest, ...more] = page.split(open);
  const [, after, ...others] = rest?.split(close) ?? [];
  if (after === undefined || more.length > 0 || others.length > 0) {
    throw new Error(`a page must have the marks of "${name}" once: ${open.trim()} and ${close}`);
  }
  return `${before}${open}\n${body}\n${close}${after}`;
}
