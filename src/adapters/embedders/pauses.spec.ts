import { partsOf } from './request-parts.js';
import { restPauseMs } from './rest-pause.js';
import { isPassing, retryPauseMs } from '../openai/retry-pause.js';

describe('the next try', () => {
  const now = Date.parse('2026-11-27T10:00:00Z');

  it('waits as long as the server asks', () => {
    expect(retryPauseMs(1, '7', now)).toBe(7000);
    expect(retryPauseMs(1, 'Fri, 27 Nov 2026 10:00:05 GMT', now)).toBe(5000);
    expect(retryPauseMs(1, 'Fri, 27 Nov 2026 09:00:00 GMT', now)).toBe(0);
  });

  it('else twice as long each time, up to half a minute', () => {
    expect([1, 2, 3, 10].map((tries) => retryPauseMs(tries, null, now))).toEqual([500, 1000, 2000, 30_000]);
    expect(retryPauseMs(2, 'soon', now)).toBe(1000);
  });

  it('is of use only where the trouble may pass', () => {
    expect([408, 429, 500, 502, 503].every(isPassing)).toBe(true);
    expect([200, 400, 401, 404, 413, 422].some(isPassing)).toBe(false);
  });
});

describe('a worker that ended', () => {
  it('is replaced at once when it was the first time, then later and later', () => {
    expect([1, 2, 3, 4, 9].map((failures) => restPauseMs('crash', failures))).toEqual([0, 1000, 4000, 16_000, 60_000]);
  });

  it('for want of a model looks again in a while', () => {
    expect(restPauseMs('model', 1)).toBe(10_000);
  });
});

describe('parts of a request', () => {
  it('keep the order, and both limits', () => {
    const texts = ['a', 'bb', 'ccc', 'd'.repeat(9), 'e'];
    expect(partsOf(texts, { texts: 2, characters: 5 })).toEqual([['a', 'bb'], ['ccc'], ['d'.repeat(9)], ['e']]);
    expect(partsOf(texts, { texts: 3, characters: 100 }).map((part) => part.length)).toEqual([3, 2]);
    expect(partsOf([], { texts: 2, characters: 5 })).toEqual([]);
  });
});
