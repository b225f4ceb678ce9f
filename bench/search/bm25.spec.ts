import { bm25 } from './bm25.mjs';

const passage = (id: string, text: string) => ({ id, law: 'X', path: ['Titel'], text });

describe('BM25 over German stems', () => {
  const score = bm25([passage('a', 'Hunde bellen laut'), passage('b', 'Katzen schnurren leise')]);

  it('weighs a word by its rarity', () => {
    // Found in one of two passages of equal length: ln(1 + 1.5 / 1.5) * 2.2 / 2.2.
    expect(score('Katze')).toEqual(new Map([['b', expect.closeTo(Math.log(2), 10)]]));
  });

  it('finds any word of the question', () => {
    expect([...score('bellende Katzen bellen').keys()].toSorted()).toEqual(['a', 'b']);
  });

  it('leaves function words out', () => {
    const withFunctionWords = bm25([passage('a', 'das ist mein Hund'), passage('b', 'Vogel')]);
    expect(withFunctionWords('Ist das mein Vogel?')).toEqual(new Map([['b', expect.any(Number)]]));
  });

  it('counts a word more in a short passage, and less than twice for two', () => {
    const lengths = bm25([passage('short', 'Hund'), passage('long', 'Hund und viele andere Tiere auf einem Hof')]);
    const scores = lengths('Hund');
    expect(scores.get('short')).toBeGreaterThan(scores.get('long') ?? Infinity);
    const twice = bm25([passage('one', 'Hund Hof'), passage('two', 'Hund Hund')])('Hund');
    expect((twice.get('two') ?? 0) / (twice.get('one') ?? 1)).toBeLessThan(2);
  });
});
