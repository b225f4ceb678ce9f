import { trigramSimilarity, trigramsOf } from './trigrams.js';

describe('trigrams', () => {
  it('are the threes of letters, with blanks around the term', () => {
    expect(trigramsOf('amt')).toEqual(['  a', ' am', 'amt', 'mt ']);
  });

  it('are listed once each', () => {
    expect(trigramsOf('aaaaa')).toEqual(['  a', ' aa', 'aaa', 'aa ']);
  });

  it('keep characters outside the basic plane whole', () => {
    expect(trigramsOf('𝔞b')).toEqual(['  𝔞', ' 𝔞b', '𝔞b ']);
  });

  it('of nothing are none', () => {
    expect(trigramsOf('')).toEqual([]);
  });
});

describe('trigram similarity', () => {
  it('is 1 for a term itself and 0 for terms that share nothing', () => {
    expect(trigramSimilarity('behord', 'behord')).toBe(1);
    expect(trigramSimilarity('behord', 'xyz')).toBe(0);
    expect(trigramSimilarity('', 'xyz')).toBe(0);
  });

  it('is the same both ways, and a share of all trigrams', () => {
    expect(trigramSimilarity('amt', 'amts')).toBeCloseTo(3 / 6);
    expect(trigramSimilarity('amts', 'amt')).toBeCloseTo(3 / 6);
  });

  it.each([
    ['genehmigung', 'genemigung', 'gewerbe'],
    ['behord', 'behorde', 'gehor'],
    ['wiederspruch', 'widerspruch', 'anspruch'],
  ])('puts the misspelled %s nearer to %s than to %s', (typed, meant, other) => {
    expect(trigramSimilarity(typed, meant)).toBeGreaterThan(0.5);
    expect(trigramSimilarity(typed, meant)).toBeGreaterThan(2 * trigramSimilarity(typed, other));
  });
});
