import { meanOf, ndcgAt, seededRandom } from './judge.mjs';

/**
 * Scores of one leg for one question: only what the leg found, higher is better.
 * @typedef {Map<string, number>} Scores
 */

const ndcg = ndcgAt(10);
const FOLDS = 5;
/** Weights of the vector leg that are tried; the keyword leg has the rest. */
const GRID = Array.from({ length: 21 }, (_, step) => step / 20);

/**
 * Best first; equal scores by id, so that a ranking does not depend on the order of insertion.
 * @param {Scores} scores
 * @returns {string[]}
 */
export const ranked = (scores) =>
  [...scores].toSorted(([a, left], [b, right]) => right - left || (a < b ? -1 : 1)).map(([id]) => id);

/**
 * The scores of the best `depth`, moved to 0 (the last of them) up to 1 (the first).
 * @param {Scores} scores
 * @param {number} depth
 * @returns {Scores}
 */
export function normalised(scores, depth = 100) {
  const kept = ranked(scores).slice(0, depth);
  const high = scores.get(kept[0]) ?? 0;
  const low = scores.get(kept[kept.length - 1]) ?? 0;
  const span = high - low;
  return new Map(kept.map((id) => [id, span === 0 ? 1 : (scores.get(id) - low) / span]));
}

/**
 * Convex combination of two legs (Bruch et al., 2023); what a leg did not find has 0 there.
 * @param {Scores} keyword normalised
 * @param {Scores} vector normalised
 * @param {number} weight of the vector leg, 0 to 1
 * @returns {Scores} at weight 0 and 1 that of one leg alone
 */
export function combined(keyword, vector, weight) {
  if (weight === 0) return keyword;
  if (weight === 1) return vector;
  const scores = new Map();
  for (const [id, score] of keyword) scores.set(id, (1 - weight) * score);
  for (const [id, score] of vector) scores.set(id, (scores.get(id) ?? 0) + weight * score);
  return scores;
}

/**
 * nDCG@10 by weight of the grid and question.
 * @param {{keyword: Scores[], vector: Scores[], grades: Map<string, number>[]}} legs one entry a question, scores normalised
 */
const table = ({ keyword, vector, grades }) =>
  GRID.map((weight) => grades.map((one, index) => ndcg(ranked(combined(keyword[index], vector[index], weight)), one)));

/** The weight that is best on the questions of the indices; of equals the one nearest to the keyword leg. */
function bestWeight(values, indices) {
  const means = values.map((row) => meanOf(indices.map((index) => row[index])));
  return means.indexOf(Math.max(...means));
}

/**
 * Fits the weight by grid search. The reported nDCG is cross-validated: each question is judged with a weight that was
 * fitted on the other folds.
 * @param {{keyword: Scores[], vector: Scores[], grades: Map<string, number>[]}} legs one entry a question, scores normalised
 * @param {() => number} [random] deals the questions to the folds
 */
export function fitWeight(legs, random = seededRandom(1)) {
  const values = table(legs);
  const all = legs.grades.map((_, index) => index);
  const dealt = all.map((index) => ({ index, at: random() })).toSorted((a, b) => a.at - b.at);
  const foldOf = new Map(dealt.map(({ index }, place) => [index, place % FOLDS]));
  const weights = Array.from({ length: FOLDS }, (_, fold) =>
    bestWeight(
      values,
      all.filter((one) => foldOf.get(one) !== fold),
    ),
  );
  const held = all.map((index) => values[weights[foldOf.get(index)]][index]);
  const legMeans = { keyword: meanOf(values[0]), vector: meanOf(values[GRID.length - 1]) };
  return {
    weight: GRID[bestWeight(values, all)],
    foldWeights: weights.map((step) => GRID[step]),
    ndcg: meanOf(held),
    perQuestion: held,
    legs: legMeans,
    gain: meanOf(held) - Math.max(legMeans.keyword, legMeans.vector),
    curve: Object.fromEntries(GRID.map((weight, step) => [weight, meanOf(values[step])])),
  };
}
