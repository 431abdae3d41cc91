/** How far long work is: a bar on stderr, and only where somebody looks on. */
import { SingleBar } from "cli-progress";
import { exactText } from "./names.ts";

export function progressBar(total: number, unit: string): SingleBar | undefined {
  if (!process.stderr.isTTY) return undefined;
  const bar = new SingleBar({
    format: ` {bar} {percentage} %  {value} of {total} ${unit}  {eta_formatted} to go`,
    formatValue: (value, _options, type) => (type === "percentage" ? `${value}` : exactText(value)),
    barCompleteChar: "█",
    barIncompleteChar: "░",
    clearOnComplete: true,
    hideCursor: true,
    stream: process.stderr,
  });
  bar.start(total, 0);
  return bar;
}

/** Shows a bar while `work` runs, which says how far it is, and of how much where that was not known before. */
export async function withProgress<T>(
  total: number,
  unit: string,
  work: (update: (value: number, total?: number) => void) => Promise<T>,
): Promise<T> {
  const bar = progressBar(total, unit);
  try {
    return await work((value, newTotal) => {
      if (newTotal !== undefined) bar?.setTotal(newTotal);
      bar?.update(value);
    });
  } finally {
    bar?.stop();
  }
}
