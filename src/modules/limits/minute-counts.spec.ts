import { Clock } from '../../kernel/clock.js';
import { limitHeaders, MinuteCounts, tooMany } from './minute-counts.js';

class HandClock extends Clock {
  ms = 1_000_000;
  now(): number {
    return this.ms;
  }
  sleep(): Promise<void> {
    return Promise.resolve();
  }
}

describe('counts over a minute', () => {
  let clock: HandClock;
  beforeEach(() => (clock = new HandClock()));

  it('are kept by key, and begin anew a minute after the first', () => {
    const counts = new MinuteCounts(clock, 2);
    counts.add('a');
    clock.ms += 59_999;
    counts.add('a');
    expect(counts.isUsedUp('a')).toBe(true);
    expect(counts.isUsedUp('b')).toBe(false);
    expect(counts.usage('a')).toEqual({ limit: 2, used: 2, seconds: 1 });
    clock.ms += 1;
    expect(counts.isUsedUp('a')).toBe(false);
    expect(counts.usage('a')).toEqual({ limit: 2, used: 0, seconds: 60 });
  });

  it('take back what did not happen, from the minute it was counted in', () => {
    const counts = new MinuteCounts(clock, 1);
    const takeBack = counts.add('a');
    takeBack();
    expect(counts.usage('a').used).toBe(0);
    const late = counts.add('a');
    clock.ms += 60_000;
    counts.add('a');
    late();
    expect(counts.usage('a').used).toBe(1);
  });

  it('never are used up without a limit', () => {
    const counts = new MinuteCounts(clock, 0);
    for (let round = 0; round < 10; round += 1) counts.add('a');
    expect(counts.isUsedUp('a')).toBe(false);
  });

  it('of a million keys take the room of the newest', () => {
    const counts = new MinuteCounts(clock, 5, 1000);
    for (let key = 0; key < 1_000_000; key += 1) counts.add(`key ${key}`);
    expect(counts.keys).toBeLessThanOrEqual(1000);
    for (const newest of [999_999, 999_900, 999_101]) expect(counts.usage(`key ${newest}`).used).toBe(1);
    expect(counts.usage('key 998999').used).toBe(0);
  });

  it('are told in the standard headers, and never below zero', () => {
    const usage = { limit: 5, used: 7, seconds: 12 };
    const told = { 'RateLimit-Limit': '5', 'RateLimit-Remaining': '0', 'RateLimit-Reset': '12' };
    expect(limitHeaders(usage)).toEqual(told);
    expect(tooMany('Too much', usage)).toMatchObject({
      status: 429,
      message: 'Too much; try again in 12 s',
      headers: { ...told, 'Retry-After': '12' },
    });
  });
});
