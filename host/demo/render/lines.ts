/** The story's lines, the same on a terminal and in a file. */
import { className, codeName, countText, exactText, plainText, workText } from "../../cli/names.ts";
import { color, pad, widthOf } from "../../cli/output.ts";
import { isBalanced } from "../books.ts";
import type { DemoResult } from "../result.ts";
import type { Attempt } from "../teller.ts";
import { clock } from "./strips.ts";

/** Where an attempt's explanation begins: on its line from so many columns on, else on the next. */
const DETAIL = 82;
const WIDE = 116;
const DETAIL_BELOW = 14;

/** Where the text of a line begins. */
const TEXT = 24;

export function toldLines(seconds: number, label: string, text: string, columns: number): string[] {
  const [first, ...rest] = wrapWords(plainText(text), columns - TEXT);
  return [
    `  ${color.dim(pad(clock(seconds), 10))}${color.bold(pad(label, 12))}${first}`,
    ...rest.map((line) => `${" ".repeat(TEXT)}${line}`),
  ];
}

/** Breaks between words; a word that is too long stays whole. */
export function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const joined = `${lines.at(-1) ?? ""} ${word}`;
    if (lines.length > 0 && widthOf(joined) <= width) lines[lines.length - 1] = joined;
    else lines.push(word);
  }
  return lines;
}

export function attemptLines({ name, refused, code, detail }: Attempt, columns: number): string[] {
  const mark = refused ? color.red("✗") : color.red("! NOT REFUSED");
  const line = `  ${pad("", 10)}${mark} ${pad(name, 38)} ${pad(codeName(code), 28)}`;
  const start = columns >= WIDE ? DETAIL : DETAIL_BELOW;
  const details = wrapWords(detail, columns - start).map((text) => color.dim(text));
  const rest = (lines: string[]) => lines.map((text) => `${" ".repeat(start)}${text}`);
  if (columns >= WIDE) return [`${line} ${details[0]}`, ...rest(details.slice(1))];
  return [line.trimEnd(), ...rest(details)];
}

/** What was shown, in a few lines. */
export function verdictLines(result: DemoResult, columns: number): string[] {
  const { pause, attempts, invariants, verifiers } = result;
  const refused = attempts.filter((attempt) => attempt.refused).length;
  const after = pause.workAfterClose === 0n ? "no work" : `${exactText(pause.workAfterClose)} of work`;
  const ticks = countText(pause.closedAtTick - pause.orderedAtTick, "tick");
  const saved = pause.checkpointBytes > 0n ? `, checkpoint of ${workText(pause.checkpointBytes, 9)} saved` : "";
  const repeated = [...result.repeated].map(([c, work]) => `${workText(work, c)} ${className(c)}`);
  const again = repeated.length === 0 ? "" : `; done again after the pause: ${repeated.join(", ")}`;
  const lines: [boolean, string][] = [
    [
      pause.checkpointSaved && pause.workAfterClose === 0n,
      `paused ${ticks} after the order${saved}; after that ${after}`,
    ],
    [refused === attempts.length, `${refused} of ${attempts.length} attempts to run on refused`],
    [invariants.broken === 0, `${exactText(invariants.checked)} checks of invariants, ${invariants.broken} broken`],
    [
      isBalanced(result.books),
      `${isBalanced(result.books) ? "licensed = done = reported" : "the books differ"}${again}`,
    ],
  ];
  if (verifiers.length > 1) lines.push(verifiersLine(result));
  return lines.flatMap(([good, text]) => {
    const [first, ...rest] = wrapWords(text, columns - 4);
    return [`  ${good ? color.green("✓") : color.red("✗")} ${first}`, ...rest.map((line) => `    ${line}`)];
  });
}

function verifiersLine({ verifiers, reports }: DemoResult): [boolean, string] {
  const agree = verifiers.every(({ booksAgree, reportsTaken }) => booksAgree && reportsTaken === BigInt(reports));
  const signed = verifiers.map(({ name, licensesSigned }) => `${name}'s ${licensesSigned}`).join(", ");
  const books = agree ? `all have ${countText(BigInt(reports), "report")} and the same books` : "their books differ";
  return [agree, `${verifiers.length} verifiers: ${books}; licenses signed: ${signed}`];
}
