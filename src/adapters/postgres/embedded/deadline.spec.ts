import { until } from './deadline.js';

describe('until', () => {
  it('asks until there is an answer', async () => {
    let asked = 0;
    const ask = async () => ((asked += 1) === 3 ? 'yes' : undefined);
    expect(await until(ask, { timeoutMs: 5000, everyMs: 1 })).toBe('yes');
  });

  it('gives up at the deadline', async () => {
    expect(await until(async () => undefined, { timeoutMs: 5, everyMs: 1 })).toBeUndefined();
  });

  it('ends with the reason of the signal, at once', async () => {
    const enough = new AbortController();
    setTimeout(() => enough.abort(new Error('enough')), 5);
    const waiting = until(async () => undefined, { timeoutMs: 60_000, everyMs: 60_000, signal: enough.signal });
    await expect(waiting).rejects.toThrow('enough');
  });
});
