import { meanOf, seededRandom } from './judge.mjs';

const FOLDS = 5;
/** Weights of the vector leg that are tried; the keyword leg has the rest. */
export const GRID = Array.from({ length: 21 }, (_, step) => step / 20);

/** The place of the weight that is best on the questions of the indices; of equals the one nearest to the keyword leg. */
function bestStep(values, indices) {
  const means = values.map((row) => meanOf(indices.map((index) => row[index])));
  return means.indexOf(Math.max(...means));
}

/**
 * Fits the weight of a convex combination of two legs (Bruch et al., 2023) by grid search. The reported value is
 * cross-validated: each question is judged with a weight that was fitted on the other folds.
 * @param {number[][]} values such as nDCG@10, by weight of GRID and question; at weight 0 and 1 those of one leg alone
 * @param {() => number} [random] deals the questions to the folds
 */
export function fitWeight(values, random = seededRandom(1)) {
  const all = values[0].map((_, index) => index);
  const dealt = all.map((index) => ({ index, at: random() })).toSorted((a, b) => a.at - b.at);
  const foldOf = new Map(dealt.map(({ index }, place) => [index, place % FOLDS]));
  const steps = Array.from({ length: FOLDS }, (_, fold) =>
    bestStep(
      values,
      all.filter((one) => foldOf.get(one) !== fold),
    ),
  );
  const held = all.map((index) => values[steps[foldOf.get(index)]][index]);
  const legs = { keyword: meanOf(values[0]), vector: meanOf(values[GRID.length - 1]) };
  return {
    weight: GRID[bestStep(values, all)],
    foldWeights: steps.map((step) => GRID[step]),
    value: meanOf(held),
    perQuestion: held,
    legs,
    gain: meanOf(held) - Math.max(legs.keyword, legs.vector),
    curve: Object.fromEntries(GRID.map((weight, step) => [weight, meanOf(values[step])])),
  };
}
