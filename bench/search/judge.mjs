/**
 * How good rankings are, against judged answers: nDCG, recall and reciprocal rank, with intervals by the bootstrap.
 * Grade 2 is the right answer, 1 the second best, absent means 0.
 * @typedef {{id: string, kind: string, question: string, grades: Map<string, number>}} Question
 * @typedef {{id: string, kind: string, ndcg: number, recall: number, reciprocalRank: number}} Judgement
 * @typedef {{mean: number, low: number, high: number}} Interval of 95 %
 */

const RIGHT = 2;
const RESAMPLES = 2000;
const CUT = 10;

/** The gain of Burges et al. (2005): 2^grade - 1. */
const gain = (grade) => 2 ** grade - 1;
const discounted = (grades) => grades.reduce((sum, grade, index) => sum + gain(grade) / Math.log2(index + 2), 0);

/** A ranking of pieces becomes one of their wholes: an id counts where it comes first. */
const once = (ranking) => [...new Set(ranking)];

/**
 * Normalised discounted cumulative gain (Järvelin and Kekäläinen, 2002), 0 to 1.
 * @param {number} k
 * @returns {(ranking: string[], grades: Map<string, number>) => number}
 */
export const ndcgAt = (k) => (ranking, grades) => {
  const best = discounted([...grades.values()].toSorted((a, b) => b - a).slice(0, k));
  if (best === 0) throw new Error('a question without a right answer cannot be judged');
  const found = once(ranking).slice(0, k);
  return discounted(found.map((id) => grades.get(id) ?? 0)) / best;
};

/**
 * Share of the right answers (grade 2) among the first k; the second best do not count.
 * @param {number} k
 * @returns {(ranking: string[], grades: Map<string, number>) => number}
 */
export const recallAt = (k) => (ranking, grades) => {
  const right = [...grades].filter(([, grade]) => grade >= RIGHT).map(([id]) => id);
  const found = new Set(once(ranking).slice(0, k));
  return right.filter((id) => found.has(id)).length / right.length;
};

/**
 * 1 / rank of the first right answer (grade 2), 0 where there is none.
 * @param {string[]} ranking
 * @param {Map<string, number>} grades
 */
export function reciprocalRank(ranking, grades) {
  const index = once(ranking).findIndex((id) => (grades.get(id) ?? 0) >= RIGHT);
  return index === -1 ? 0 : 1 / (index + 1);
}

/**
 * @param {Question[]} questions
 * @param {(question: Question, index: number) => string[]} rankingOf ids, best first
 * @returns {Judgement[]} one a question
 */
export const judge = (questions, rankingOf) =>
  questions.map((question, index) => {
    const ranking = rankingOf(question, index);
    return {
      id: question.id,
      kind: question.kind,
      ndcg: ndcgAt(CUT)(ranking, question.grades),
      recall: recallAt(CUT)(ranking, question.grades),
      reciprocalRank: reciprocalRank(ranking, question.grades),
    };
  });

/** @param {number[]} values */
export const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Mulberry32: the same numbers for the same seed, so that a report can be made again.
 * @param {number} seed
 * @returns {() => number} 0 to 1
 */
export function seededRandom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Mean with its 95 % interval by the percentile bootstrap over the questions.
 * @param {number[]} values one a question
 * @param {() => number} [random]
 * @returns {Interval}
 */
export function bootstrap(values, random = seededRandom(1)) {
  const means = Array.from({ length: RESAMPLES }, () =>
    meanOf(values.map(() => values[Math.floor(random() * values.length)])),
  ).toSorted((a, b) => a - b);
  return {
    mean: meanOf(values),
    low: means[Math.floor(RESAMPLES * 0.025)],
    high: means[Math.ceil(RESAMPLES * 0.975) - 1],
  };
}

/**
 * Two runs over the same questions: the difference a - b, and how often chance alone makes one as large
 * (Fisher's randomisation test: signs of the differences flipped at random, two-sided).
 * @param {number[]} a
 * @param {number[]} b
 * @param {() => number} [random]
 * @returns {{difference: Interval, chance: number, better: number, worse: number}} better, worse: questions
 */
export function compare(a, b, random = seededRandom(1)) {
  if (a.length !== b.length) throw new Error(`runs over ${a.length} and ${b.length} questions cannot be compared`);
  const differences = a.map((value, index) => value - b[index]);
  const observed = Math.abs(meanOf(differences)) - 1e-12;
  let asLarge = 0;
  for (let trial = 0; trial < RESAMPLES; trial++)
    if (Math.abs(meanOf(differences.map((value) => (random() < 0.5 ? value : -value)))) >= observed) asLarge++;
  return {
    difference: bootstrap(differences, random),
    chance: (asLarge + 1) / (RESAMPLES + 1),
    better: differences.filter((value) => value > 0).length,
    worse: differences.filter((value) => value < 0).length,
  };
}

/**
 * Means of a run, over all questions and by their kind.
 * @param {Judgement[]} judgements
 */
export function summaryOf(judgements) {
  const kinds = [...new Set(judgements.map(({ kind }) => kind))];
  const of = (measure) => bootstrap(judgements.map((one) => one[measure]));
  return {
    questions: judgements.length,
    ndcg: of('ndcg'),
    recall: of('recall'),
    mrr: of('reciprocalRank'),
    ndcgByKind: Object.fromEntries(
      kinds.map((kind) => [kind, meanOf(judgements.filter((one) => one.kind === kind).map(({ ndcg }) => ndcg))]),
    ),
  };
}
