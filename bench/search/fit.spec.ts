import { combined, fitWeight, normalised, ranked } from './fit.mjs';

const scores = (found: Record<string, number>) => new Map(Object.entries(found));

describe('fusion of two legs', () => {
  it('ranks by score, and equal scores by id', () => {
    expect(ranked(scores({ c: 1, b: 2, a: 1 }))).toEqual(['b', 'a', 'c']);
  });

  it('normalises the kept scores to 0 up to 1', () => {
    expect(normalised(scores({ a: 8, b: 4, c: 6, d: 1 }), 3)).toEqual(scores({ a: 1, c: 0.5, b: 0 }));
    expect(normalised(scores({ a: 3 }))).toEqual(scores({ a: 1 }));
    expect(normalised(new Map())).toEqual(new Map());
  });

  it('gives a leg that did not find a passage 0 there', () => {
    expect(combined(scores({ a: 1, b: 0.5 }), scores({ b: 1, c: 0.4 }), 0.25)).toEqual(
      scores({ a: 0.75, b: 0.625, c: 0.1 }),
    );
  });

  describe('weights', () => {
    const questions = Array.from({ length: 20 }, (_, index) => index);
    const grades = questions.map(() => new Map([['right', 2]]));
    const finds = questions.map(() => scores({ right: 1, wrong: 0.9 }));
    const misses = questions.map(() => scores({ wrong: 1, right: 0.1 }));

    it('go to the leg that is right', () => {
      expect(fitWeight({ keyword: finds, vector: misses, grades }).weight).toBe(0);
      const { weight, ndcg, gain } = fitWeight({ keyword: misses, vector: finds, grades });
      expect(weight).toBeGreaterThan(0.5);
      expect(ndcg).toBe(1);
      expect(gain).toBe(0);
    });

    it('gain where each leg is right on its own half, strongly', () => {
      const sure = scores({ right: 1, wrong: 0 });
      const unsure = scores({ wrong: 1, right: 0.9 });
      const odd = questions.map((index) => (index % 2 ? sure : unsure));
      const even = questions.map((index) => (index % 2 ? unsure : sure));
      const { ndcg, legs, gain } = fitWeight({ keyword: odd, vector: even, grades });
      // The leg alone: half of the questions at rank 2, 1 / log2 3.
      expect(legs.keyword).toBeCloseTo((1 + 0.63093) / 2, 4);
      expect(ndcg).toBe(1);
      expect(gain).toBeCloseTo(0.18454, 4);
    });

    it('are judged on questions that they were not fitted on', () => {
      const { foldWeights, perQuestion } = fitWeight({ keyword: finds, vector: misses, grades });
      expect(foldWeights).toEqual([0, 0, 0, 0, 0]);
      expect(perQuestion).toHaveLength(20);
    });
  });
});
