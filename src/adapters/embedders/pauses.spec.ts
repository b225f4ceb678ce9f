import { partsOf } from './request-parts.js';
import { restPauseMs } from './rest-pause.js';

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
