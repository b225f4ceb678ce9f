import { SystemClock } from './clock.js';

describe('the clock', () => {
  it('sleeps, and tells the time', async () => {
    const clock = new SystemClock();
    const began = clock.now();
    await clock.sleep(20);
    expect(clock.now() - began).toBeGreaterThanOrEqual(15);
  });

  it('wakes when the signal fires, or does not fall asleep at all', async () => {
    const clock = new SystemClock();
    const ending = new AbortController();
    setTimeout(() => ending.abort(), 5);
    await clock.sleep(60_000, ending.signal);
    await clock.sleep(60_000, ending.signal);
  });
});
