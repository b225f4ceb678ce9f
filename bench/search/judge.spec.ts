import {
  bootstrap,
  compare,
  judge,
  meanOf,
  ndcgAt,
  recallAt,
  reciprocalRank,
  seededRandom,
  summaryOf,
} from './judge.mjs';

const grades = new Map([
  ['right', 2],
  ['second', 1],
]);

describe('judge of rankings', () => {
  describe('nDCG', () => {
    it.each([
      { ranking: ['right', 'second'], value: 1 },
      { ranking: [], value: 0 },
      { ranking: ['wrong', 'other'], value: 0 },
      // (1 / log2 2 + 3 / log2 4) / (3 / log2 2 + 1 / log2 3) = 2.5 / 3.63093
      { ranking: ['second', 'wrong', 'right'], value: 0.68853 },
      // 3 / 3.63093
      { ranking: ['right'], value: 0.82623 },
    ])('of $ranking is $value', ({ ranking, value }) => {
      expect(ndcgAt(10)(ranking, grades)).toBeCloseTo(value, 5);
    });

    it('looks at the first k only', () => {
      expect(ndcgAt(2)(['second', 'wrong', 'right'], grades)).toBeCloseTo(1 / 3.63093, 5);
    });

    it('counts a provision of which several pieces were found once, at its best place', () => {
      // (1 + 3 / log2 3) / 3.63093
      expect(ndcgAt(10)(['second', 'second', 'second', 'right'], grades)).toBeCloseTo(0.79671, 5);
    });

    it('refuses a question without an answer', () => {
      expect(() => ndcgAt(10)(['right'], new Map())).toThrow('without a right answer');
    });
  });

  it('recall is the share of the right answers, the second best left out', () => {
    const two = new Map([...grades, ['also right', 2]]);
    expect(recallAt(10)(['also right', 'second', 'wrong'], two)).toBe(0.5);
    expect(recallAt(1)(['second', 'right', 'also right'], two)).toBe(0);
    expect(recallAt(2)(['right', 'right', 'also right'], two)).toBe(1);
  });

  it('the reciprocal rank is that of the first right answer', () => {
    expect(reciprocalRank(['second', 'second', 'wrong', 'right'], grades)).toBeCloseTo(1 / 3, 10);
    expect(reciprocalRank(['second'], grades)).toBe(0);
  });

  it('means are told over all questions and by kind', () => {
    const questions = [
      { id: 'a', kind: 'exact', question: 'one', grades },
      { id: 'b', kind: 'typo', question: 'two', grades },
    ];
    const summary = summaryOf(judge(questions, ({ id }) => (id === 'a' ? ['right', 'second'] : ['wrong'])));
    expect(summary).toMatchObject({ questions: 2, ndcgByKind: { exact: 1, typo: 0 } });
    expect([summary.ndcg.mean, summary.recall.mean, summary.mrr.mean]).toEqual([0.5, 0.5, 0.5]);
  });

  describe('intervals', () => {
    it('are the same for the same seed, and hold the mean', () => {
      const values = Array.from({ length: 50 }, (_, index) => index / 49);
      const { mean, low, high } = bootstrap(values);
      expect(bootstrap(values)).toEqual({ mean, low, high });
      expect(mean).toBeCloseTo(0.5, 10);
      // Standard error of the mean: 0.294 / sqrt 50 = 0.0416; 1.96 of it on either side.
      expect(low).toBeCloseTo(0.5 - 0.0816, 1);
      expect(high).toBeCloseTo(0.5 + 0.0816, 1);
    });

    it('of equal values has no width', () => {
      expect(bootstrap([0.7, 0.7])).toEqual({ mean: 0.7, low: 0.7, high: 0.7 });
    });
  });

  describe('two runs', () => {
    it('that are alike differ by chance', () => {
      const values = [0.1, 0.5, 0.9];
      expect(compare(values, values)).toMatchObject({ difference: { mean: 0 }, chance: 1, better: 0, worse: 0 });
    });

    it('of which one is better throughout do not', () => {
      const worse = Array.from({ length: 40 }, (_, index) => index / 100);
      const { difference, chance, better } = compare(
        worse.map((value) => value + 0.1),
        worse,
      );
      expect(difference.mean).toBeCloseTo(0.1, 10);
      expect(difference.low).toBeGreaterThan(0.09);
      expect(chance).toBeLessThan(0.01);
      expect(better).toBe(40);
    });

    it('of which one wins as often as it loses do not differ', () => {
      const a = Array.from({ length: 40 }, (_, index) => index % 2);
      const b = a.map((value) => 1 - value);
      expect(compare(a, b)).toMatchObject({ better: 20, worse: 20, difference: { mean: 0 } });
      expect(compare(a, b).chance).toBeGreaterThan(0.5);
    });

    it('of different length are refused', () => {
      expect(() => compare([1], [1, 0])).toThrow('1 and 2 questions');
    });
  });

  it('random numbers are spread evenly', () => {
    const random = seededRandom(7);
    const drawn = Array.from({ length: 4000 }, () => random());
    expect(meanOf(drawn)).toBeCloseTo(0.5, 1);
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...drawn)).toBeLessThan(1);
  });
});
