/** JSON, more strictly than `JSON.parse` reads it, which passes over names that stand twice and nests without end. */
import { throwAny } from "./errors.ts";

/** Of lists and objects inside one another: what walks through a value later does so by calling itself. */
export const DEPTH_MAX = 64;
/** The way to what is too deep is told so far. */
const DEPTH_SHOWN_MAX = 4;

/** Names that stand twice are told up to so many: each with its path, which may be as long as the file. */
const MISTAKES_MAX = 100;

/** Where a walk is inside one object or list. */
type Level = { readonly names: Set<string>; name: string } | { readonly names: undefined; index: number };

/**
 * @throws `SyntaxError` for what is no JSON.
 * @throws `ScenarioError` for a name that stands in one object twice, and for lists and objects that lie too deep.
 */
export function parseJson(text: string): unknown {
  // It does not call itself for what lies deep.
  const value: unknown = JSON.parse(text);
  throwAny(mistakesIn(text));
  return value;
}

/** Of a text that is JSON: texts and marks are all that it takes to know where one is. */
function mistakesIn(text: string): string[] {
  const mistakes = new Set<string>();
  const levels: Level[] = [];
  let isName = false;
  for (let i = 0; i < text.length && mistakes.size < MISTAKES_MAX; i++) {
    const mark = text[i];
    if (mark === "{" || mark === "[") {
      if (levels.length === DEPTH_MAX) {
        const path = pathOf(levels.slice(0, DEPTH_SHOWN_MAX));
        return [
          ...mistakes,
          `${path}: lists and objects lie too deep in it: must be at most ${DEPTH_MAX} inside one another`,
        ];
      }
      isName = mark === "{";
      levels.push(isName ? { names: new Set(), name: "" } : { names: undefined, index: 0 });
    } else if (mark === "}" || mark === "]") {
      levels.pop();
    } else if (mark === ",") {
      const level = levels.at(-1)!;
      isName = level.names !== undefined;
      if (level.names === undefined) level.index++;
    } else if (mark === '"') {
      const end = endOfText(text, i);
      const level = levels.at(-1);
      if (isName && level?.names) {
        level.name = JSON.parse(text.slice(i, end + 1)) as string;
        if (level.names.has(level.name)) mistakes.add(`${pathOf(levels)}: it is given twice: must be given once`);
        level.names.add(level.name);
        isName = false;
      }
      i = end;
    }
  }
  return [...mistakes];
}

/** Of the quotation mark that ends the text that begins at `start`. */
function endOfText(text: string, start: number): number {
  let i = start + 1;
  while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return i;
}

function pathOf(levels: readonly Level[]): string {
  const parts = levels.map((level) => (level.names ? `.${level.name}` : `[${level.index}]`));
  return parts.join("").replace(/^\./, "");
}
