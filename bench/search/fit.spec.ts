import { fitWeight, GRID } from './fit.mjs';

const QUESTIONS = 20;

/** The value of each question at each weight. */
const values = (valueAt: (weight: number, question: number) => number): number[][] =>
  GRID.map((weight) => Array.from({ length: QUESTIONS }, (_, question) => valueAt(weight, question)));

describe('weights of two legs', () => {
  it('go to the leg that is right', () => {
    expect(fitWeight(values((weight) => 1 - weight)).weight).toBe(0);
    const { weight, value, gain } = fitWeight(values((at) => at));
    expect([weight, value, gain]).toEqual([1, 1, 0]);
  });

  it('gain where the legs together are better than each alone', () => {
    const { weight, legs, gain } = fitWeight(values((at) => 1 - Math.abs(at - 0.4)));
    expect(weight).toBe(0.4);
    expect(legs.keyword).toBeCloseTo(0.6, 10);
    expect(legs.vector).toBeCloseTo(0.4, 10);
    expect(gain).toBeCloseTo(0.4, 10);
  });

  it('of equal value go to the keyword leg', () => {
    expect(fitWeight(values(() => 0.5)).weight).toBe(0);
  });

  it('are judged on questions that they were not fitted on', () => {
    // Each question likes a weight of its own: what is best for the others is worth nothing to it.
    const { value, foldWeights, perQuestion } = fitWeight(
      values((weight, question) => (GRID.indexOf(weight) === question ? 1 : 0)),
    );
    expect(value).toBe(0);
    expect(foldWeights).toHaveLength(5);
    expect(perQuestion).toHaveLength(QUESTIONS);
  });
});
