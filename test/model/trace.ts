/**
 * Traces of the model: what `spin` printed in a random walk, as steps. Three kinds of line: what is done, which moves of
 * the gate it makes, and what the model's governor says and is afterwards.
 */
export type Step = {
  /** The line of `DO`: a verb and its arguments. */
  readonly verb: string;
  readonly words: readonly string[];
  /** State and event of each move. */
  readonly moves: readonly string[];
  /** The power goes in this call: after so many records, at this stage of the next one. */
  readonly cut: { readonly records: number; readonly stage: number } | undefined;
  /** Undefined where the governor is not asked. */
  readonly says: readonly string[] | undefined;
};

/** @throws Error with the line that can't be read. */
export function readTrace(text: string): Step[] {
  const steps: Step[] = [];
  let moves: string[] = [];
  for (const [at, raw] of text.split("\n").entries()) {
    const [kind, ...words] = raw.trim().split(/\s+/);
    if (kind === "" || kind!.startsWith("#")) continue;
    const step = steps.at(-1);
    if (kind === "DO" && words.length > 0) {
      moves = [];
      steps.push({ verb: words[0]!, words: words.slice(1), moves, cut: undefined, says: undefined });
    } else if (kind === "MOVE" && step && words.length === 2) moves.push(words.join(" "));
    else if (kind === "CUT" && step && words.length === 2) {
      steps[steps.length - 1] = { ...step, cut: { records: Number(words[0]), stage: Number(words[1]) } };
    } else if (kind === "SAYS" && step && words.length > 0) steps[steps.length - 1] = { ...step, says: words };
    else throw new Error(`line ${at + 1} of the trace is none: ${raw}`);
  }
  return steps;
}

/** The lines of a trace in what `spin` prints. */
export function traceLines(printed: string): string[] {
  return printed
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /^(?:DO|MOVE|CUT|SAYS) /.test(line));
}
