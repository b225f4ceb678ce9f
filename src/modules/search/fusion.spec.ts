import { fuse, normalised, type FusedLeg } from './fusion.js';
import { weightsFor } from './fusion-weights.js';

const found = (scores: Record<string, number>) =>
  Object.entries(scores).map(([chunkId, score]) => ({ chunkId, documentId: `of ${chunkId}`, score }));
const weights = (vector: number): Record<FusedLeg, number> => ({ vector, keyword: 1 - vector, relational: 0 });
const order = (hits: { chunkId: string }[]) => hits.map(({ chunkId }) => chunkId);

describe('scores of one leg', () => {
  it('of words are shares of the best', () => {
    expect(normalised('keyword', found({ a: 8, b: 4, c: 2 }))).toEqual([1, 0.5, 0.25]);
  });

  it('of likenesses lie between the least and the best', () => {
    const [best, middle, least] = normalised('vector', found({ a: 0.9, b: 0.85, c: 0.8 }));
    expect([best, least]).toEqual([1, 0]);
    expect(middle).toBeCloseTo(0.5, 10);
  });

  it.each<FusedLeg>(['keyword', 'vector', 'relational'])(
    'of %s are 1 where there is but one, and where all are equal',
    (leg) => {
      expect(normalised(leg, found({ a: 0.3 }))).toEqual([1]);
      expect(normalised(leg, found({ a: 0.3, b: 0.3 }))).toEqual([1, 1]);
      expect(normalised(leg, [])).toEqual([]);
    },
  );
});

describe('fusion', () => {
  const legs = { keyword: found({ a: 10, b: 9, c: 1 }), vector: found({ b: 0.9, d: 0.85, c: 0.8 }) };

  it('puts what both legs found above what one of them found best', () => {
    const [first, second] = fuse(legs, weights(0.5), 'weighted');
    expect(first).toMatchObject({ chunkId: 'b', documentId: 'of b', source: 'vector' });
    expect(first?.score).toBeCloseTo(0.95, 10);
    expect(first?.ranks).toEqual({ keyword: { rank: 2, score: 9 }, vector: { rank: 1, score: 0.9 } });
    expect(second).toMatchObject({ chunkId: 'a', score: 0.5, source: 'keyword' });
  });

  it('gives each leg its weight', () => {
    expect(order(fuse(legs, weights(0.1), 'weighted'))).toEqual(['b', 'a', 'c', 'd']);
    expect(order(fuse(legs, weights(0.9), 'weighted')).slice(0, 2)).toEqual(['b', 'd']);
  });

  it.each(['weighted', 'rrf'] as const)('by %s keeps the order of a leg that is alone', (method) => {
    expect(order(fuse(legs, weights(0), method))).toEqual(['a', 'b', 'c']);
    expect(order(fuse(legs, weights(1), method))).toEqual(['b', 'd', 'c']);
  });

  it('gives the weight of a leg that found nothing to the others', () => {
    const [first] = fuse({ keyword: legs.keyword, vector: [] }, weights(0.9), 'weighted');
    expect(first).toMatchObject({ chunkId: 'a', score: 1 });
    expect(fuse({}, weights(0.5), 'weighted')).toEqual([]);
  });

  it('by reciprocal rank looks at places only', () => {
    const [first, second] = fuse(legs, weights(0.5), 'rrf');
    expect(first?.chunkId).toBe('b');
    expect(first?.score).toBeCloseTo((61 / 62 + 1) / 2, 10);
    // c is third in both, a and d are first and second in one.
    expect(second?.chunkId).toBe('c');
  });

  it('orders equal scores by chunk, in any order of the legs', () => {
    expect(order(fuse({ keyword: found({ z: 1, y: 1 }) }, weights(0.1), 'weighted'))).toEqual(['y', 'z']);
  });
});

describe('weights of the legs', () => {
  it.each([
    { model: 'intfloat/multilingual-e5-small', vector: 0.65 },
    { model: '/models/Multilingual-E5-base', vector: 0.65 },
    { model: 'sentence-transformers/all-MiniLM-L6-v2', vector: 0.3 },
    { model: 'somebody/else', vector: 0.1 },
    { model: null, vector: 0.1 },
  ])('of $model give the vectors $vector', ({ model, vector }) => {
    expect(weightsFor(model)).toMatchObject({ vector, keyword: 1 - vector });
  });
});
