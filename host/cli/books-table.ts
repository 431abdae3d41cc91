/** The books as a table and as JSON: licensed, done and reported work side by side. */
import type { BooksLine } from "../demo/books.ts";
import { classKey, className, exactText, workText } from "./names.ts";
import { color, table, widthOf } from "./output.ts";

/** Exact quantities where three columns of them fit, rounded ones where not. */
export function booksTable(books: readonly BooksLine[], columns: number): string {
  const exact = booksRows(books, true);
  const fits = exact.split("\n").every((line) => widthOf(line) <= columns);
  return fits ? exact : booksRows(books, false);
}

function booksRows(books: readonly BooksLine[], isExact: boolean): string {
  const heads = [{ title: "class" }, ...["licensed", "done", "reported"].map((title) => ({ title, right: true }))];
  const rows = books.map(({ engineClass, licensed, done, reported }) => {
    const text = (work: bigint) => (isExact ? exactText(work) : workText(work, engineClass));
    const equal = licensed === done && done === reported;
    return [
      className(engineClass),
      text(licensed),
      text(done),
      text(reported),
      equal ? color.green("=") : color.red("differs"),
      isExact ? color.dim(workText(done, engineClass)) : "",
    ];
  });
  return table([...heads, { title: "" }, { title: "" }], rows);
}

/** `{ tensor_fp8: { licensed, done, reported } }`. */
export function booksDocument(books: readonly BooksLine[]): object {
  return Object.fromEntries(
    books.map(({ engineClass, licensed, done, reported }) => [classKey(engineClass), { licensed, done, reported }]),
  );
}

export function outputColumns(): number {
  return process.stdout.isTTY ? (process.stdout.columns ?? 80) : 120;
}
