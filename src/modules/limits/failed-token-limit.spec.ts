import { readSettings } from '../../config/settings.js';
import { SystemClock } from '../../kernel/clock.js';
import { FailedTokenLimit } from './failed-token-limit.js';

const limitIn = (mode: string, limit?: string): FailedTokenLimit =>
  new FailedTokenLimit(
    readSettings(
      { CLARA_SECURITY_MODE: mode, ...(limit ? { CLARA_RATE_LIMIT_FAILED_TOKENS_PER_MINUTE: limit } : {}) },
      '/srv',
    ),
    new SystemClock(),
  );

/** How many may fail before the address is blocked; 1000 at most are tried. */
function allowed(limit: FailedTokenLimit): number {
  for (let failed = 0; failed < 1000; failed += 1) {
    if (limit.blocked('a') !== null) return failed;
    limit.failed('a');
  }
  return Number.POSITIVE_INFINITY;
}

describe('the limit of failed tokens', () => {
  it.each([
    ['development', undefined, 300],
    ['development', '7', 7],
    ['development', '0', Number.POSITIVE_INFINITY],
    ['debug', undefined, Number.POSITIVE_INFINITY],
    ['testing', undefined, Number.POSITIVE_INFINITY],
    ['testing', '7', 7],
  ])('in %s mode, set to %s, is %s', (mode, set, most) => expect(allowed(limitIn(mode, set))).toBe(most));

  it('says for how long, and blocks no other address', () => {
    const limit = limitIn('debug', '1');
    limit.failed('a');
    expect(limit.blocked('a')).toBeGreaterThan(0);
    expect(limit.blocked('a')).toBeLessThanOrEqual(60);
    expect(limit.blocked('b')).toBeNull();
  });
});
