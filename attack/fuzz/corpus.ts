/** A corpus as a file: a line for each input, and at its head how many branches they take together. */
export type Corpus = { inputs: readonly string[]; reached: number; branches: number };

export function corpusText({ inputs, reached, branches }: Corpus): string {
  return [`# ${reached} of ${branches} branches`, ...inputs, ""].join("\n");
}

/** Undefined for a text that is none. */
export function corpusOf(text: string): Corpus | undefined {
  const [first = "", ...inputs] = text.trimEnd().split("\n");
  const [, reached, branches] = /^# (\d{1,6}) of (\d{1,6}) branches$/.exec(first) ?? [];
  return branches === undefined ? undefined : { inputs, reached: Number(reached), branches: Number(branches) };
}
