/** `docs/errors.md`: every refusal, by module, with what was wrong and what to do. */
import { errorPhrase } from "../protocol/error-phrases.ts";
import { markdownTable, NOTICE } from "./markdown.ts";
import { type Entry, errorCodes } from "./tables.ts";

const INTRODUCTION = `# Refusals

${NOTICE}

Every refusal of the governor has one code, \`0xMMNN\`: the module in the high byte, the reason in the low one. The host
refuses the same inputs with the same codes. An answer that carries a code other than 0 carries nothing else. A code,
once published, is never given another meaning.
`;

export function errorsPage(): string {
  const entries = errorCodes().filter(({ value }) => value !== 0);
  const groups = [...new Set(entries.map(({ group }) => group))];
  const sections = groups.map((group) => {
    return `## ${headingOf(group)}\n\n${tableOf(entries.filter((entry) => entry.group === group))}`;
  });
  return [INTRODUCTION, ...sections].join("\n");
}

/** `0x02 CBOR: the profile ...` becomes `0x02 CBOR` and a sentence. */
function headingOf(group: string): string {
  const [heading, remark] = group.split(/: (.*)/s);
  return remark ? `${heading}\n\nConcerns ${remark}.` : heading!;
}

function tableOf(entries: readonly Entry[]): string {
  return markdownTable(
    ["code", "name", "what was wrong", "what to do"],
    entries.map(({ name, value }) => {
      const { phrase, remedy } = errorPhrase(value);
      return [`\`0x${value.toString(16).padStart(4, "0")}\``, `\`${name}\``, phrase, remedy];
    }),
  );
}
