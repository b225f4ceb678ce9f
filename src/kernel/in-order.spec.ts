import { inOrder } from './in-order.js';

async function* numbers(count: number): AsyncGenerator<number> {
  for (let each = 0; each < count; each += 1) yield each;
}

describe('work on several items at once', () => {
  it('gives the results in the order of the items, with no more at once than allowed', async () => {
    let running = 0;
    let most = 0;
    const work = async (item: number): Promise<number> => {
      most = Math.max(most, (running += 1));
      // The later, the faster.
      await new Promise((resolve) => setTimeout(resolve, 20 - item));
      running -= 1;
      return item * 2;
    };
    const results: number[] = [];
    for await (const result of inOrder(numbers(10), 3, work)) results.push(result);
    expect(results).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
    expect(most).toBe(3);
  });

  it('tells of a failure at its place, after what has begun has ended', async () => {
    const ended: number[] = [];
    const work = async (item: number): Promise<number> => {
      if (item === 1) throw new Error('one fails');
      await new Promise((resolve) => setTimeout(resolve, 5));
      ended.push(item);
      return item;
    };
    const results: number[] = [];
    const all = (async () => {
      for await (const result of inOrder(numbers(10), 3, work)) results.push(result);
    })();
    await expect(all).rejects.toThrow('one fails');
    expect(results).toEqual([0]);
    expect(new Set(ended)).toEqual(new Set([0, 2, 3]));
  });

  it('gives nothing of nothing', async () => {
    for await (const result of inOrder(numbers(0), 3, (item) => Promise.resolve(item))) throw new Error(`${result}`);
  });
});
