import { setTimeout as wait } from 'node:timers/promises';
import { Turns } from './turns.js';

describe('Turns', () => {
  it('runs so many at a time, in order, and gives back what they answer', async () => {
    const turns = new Turns(2);
    const started: number[] = [];
    let running = 0;
    let most = 0;
    const work = async (index: number): Promise<number> => {
      started.push(index);
      most = Math.max(most, (running += 1));
      await wait(1);
      running -= 1;
      return index * 2;
    };
    const answers = await Promise.all([0, 1, 2, 3, 4].map((index) => turns.run(() => work(index))));
    expect({ answers, started, most }).toEqual({ answers: [0, 2, 4, 6, 8], started: [0, 1, 2, 3, 4], most: 2 });
  });

  it('goes on after work that failed', async () => {
    const turns = new Turns(1);
    await expect(turns.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await expect(turns.run(() => Promise.resolve('fine'))).resolves.toBe('fine');
  });

  it('lets only so many wait', async () => {
    const turns = new Turns(1, 1);
    const first = turns.run(() => wait(5));
    const second = turns.run(() => wait(5));
    await expect(turns.run(() => wait(5))).rejects.toThrow('More than 1 requests wait');
    await Promise.all([first, second]);
  });
});
