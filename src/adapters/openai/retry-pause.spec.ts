import { isPassing, retryPauseMs } from './retry-pause.js';

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
