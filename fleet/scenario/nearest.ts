/** The known name that an unknown one was probably meant to be. */

/** Names further apart are different words. */
const DISTANCE_MAX = 3;

/** `, did you mean leaseSeconds?`, or which ones there are: the end of a refusal. */
export function nearestText(name: string, known: readonly string[]): string {
  const nearest = nearestOf(name, known);
  if (nearest !== undefined) return `, did you mean ${nearest}?`;
  return known.length === 0 ? ", there are none" : `, there are ${known.join(", ")}`;
}

function nearestOf(name: string, known: readonly string[]): string | undefined {
  const most = Math.min(DISTANCE_MAX, Math.floor(Math.max(name.length, 2) / 2));
  let [best, found]: [number, string | undefined] = [most + 1, undefined];
  for (const one of known) {
    if (Math.abs(one.length - name.length) >= best) continue;
    const distance = distanceOf(name.toLowerCase(), one.toLowerCase());
    if (distance < best) [best, found] = [distance, one];
  }
  return found;
}

/** Levenshtein's: letters to insert, to leave out and to replace. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
