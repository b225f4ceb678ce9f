/**
 * Works on up to `atOnce` items at the same time and gives the results in the order of the items. Whoever stops early, or
 * hears of an error, waits for the work that has begun: `work` is to end it by a signal of its own.
 */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item>,
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const running: Promise<Result>[] = [];
  try {
    for await (const item of items) {
      const begun = work(item);
      // Its turn to be heard of may come after others have failed.
      begun.catch(() => undefined);
      running.push(begun);
      const first = running.length < atOnce ? undefined : running.shift();
      if (first) yield await first;
    }
    for (let first = running.shift(); first; first = running.shift()) yield await first;
  } finally {
    await Promise.allSettled(running);
  }
}
