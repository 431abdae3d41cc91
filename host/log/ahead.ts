/** Work in order, some of it begun ahead. */

/** What `work` gives for each item, in their order, with up to `count` begun at a time. */
export async function* ahead<T, R>(
  items: Iterable<T>,
  count: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const begun: Promise<R>[] = [];
  for (const item of items) {
    const one = work(item);
    // Whoever waits for it hears of a failure; until then it is no unhandled one.
    one.catch(() => {});
    begun.push(one);
    if (begun.length === count) yield await begun.shift()!;
  }
  while (begun.length > 0) yield await begun.shift()!;
}
