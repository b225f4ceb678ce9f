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

  it('ends with the reason of the signal', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(until(async () => undefined, { timeoutMs: 5000, everyMs: 1, signal })).rejects.toThrow('enough');
  });
});
