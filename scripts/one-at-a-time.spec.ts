import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { oneAtATime } from './one-at-a-time.mjs';

describe('oneAtATime', () => {
  let folder: string;
  let lock: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clara-lock-'));
    lock = join(folder, 'below', '.lock');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('lets the second wait for the first, and says so once', async () => {
    const seen: string[] = [];
    const work = (name: string) => async () => {
      seen.push(`${name} begins`);
      await sleep(300);
      seen.push(`${name} ends`);
      return name;
    };
    const onWait = () => void seen.push('waits');
    const first = oneAtATime(lock, { onWait }, work('one'));
    await sleep(50);
    expect(await Promise.all([first, oneAtATime(lock, { onWait }, work('two'))])).toEqual(['one', 'two']);
    expect(seen).toEqual(['one begins', 'waits', 'one ends', 'two begins', 'two ends']);
    expect(await readdir(join(folder, 'below'))).toEqual([]);
  });

  it('gives the lock back when the work fails', async () => {
    const fail = () => Promise.reject(new Error('no'));
    await expect(oneAtATime(lock, {}, fail)).rejects.toThrow('no');
    expect(await oneAtATime(lock, {}, () => Promise.resolve('yes'))).toBe('yes');
  });

  it.each([
    ['of this machine that is dead', { pid: 2 ** 22 + 1, host: hostname() }, 0],
    ['that has given no sign of life', { pid: process.pid, host: 'elsewhere' }, 60_000],
  ])('does not wait for a holder %s', async (_what, holder, age) => {
    lock = join(folder, '.lock');
    await writeFile(lock, JSON.stringify(holder));
    const then = new Date(Date.now() - age);
    await utimes(lock, then, then);
    expect(await oneAtATime(lock, {}, () => Promise.resolve('mine'))).toBe('mine');
  });
});
