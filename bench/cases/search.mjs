import { join } from 'node:path';
import { startPostgres } from '../postgres.mjs';
import { models as known } from '../search/dense.mjs';
import { fitWeight, GRID } from '../search/fit.mjs';
import { compare, judge, summaryOf } from '../search/judge.mjs';
import { postgresRankings } from '../search/postgres-ranking.mjs';
import { canonicalIds, markdownIn, openProduct } from '../search/product.mjs';
import { judgedSets } from '../search/sets.mjs';
import { findPython, installTrainer } from '../../scripts/python.mjs';

export const title = 'German questions: each leg of the search and all together, beside the ranking of PostgreSQL';
export const usage =
  '--laws FOLDER (shared/data/gesetze, left out where it is not there) --models e5,minilm (whose vectors are made where they are not cached; default: only for small sets)';

const DEPTH = 100;
/** Of so many chunks the vectors are made in a few minutes. */
const FEW_CHUNKS = 500;
const LEAST_OF_THE_BEST = -0.01;
/** A leg below this share of the other does not have to help. */
const COMPARABLE = 0.8;
const three = (value) => value.toFixed(3);

/** @param {ReturnType<typeof summaryOf>} summary */
const told = ({ ndcg, recall, mrr, ndcgByKind }) =>
  `nDCG@10 ${three(ndcg.mean)} (${three(ndcg.low)} - ${three(ndcg.high)}), recall@10 ${three(recall.mean)}, MRR ${three(mrr.mean)}; nDCG@10 by kind: ` +
  Object.entries(ndcgByKind)
    .map(([kind, value]) => `${kind} ${three(value)}`)
    .join(', ');

const figuresOf = (name, { ndcg, recall, mrr }) => [
  { name: `${name}: nDCG@10`, value: ndcg.mean, unit: '', min: ndcg.low, max: ndcg.high },
  { name: `${name}: recall@10`, value: recall.mean, unit: '' },
  { name: `${name}: MRR`, value: mrr.mean, unit: '' },
];

/** The better of PostgreSQL's own ways to rank. */
async function peerOf(postgres, { passages, questions }) {
  const runs = await postgresRankings(postgres, passages, questions);
  const judged = runs.map(({ rankings }) => judge(questions, (_, index) => rankings[index]));
  return judged.toSorted((a, b) => summaryOf(b).ndcg.mean - summaryOf(a).ndcg.mean)[0];
}

async function inTurn(list, work) {
  const done = [];
  for (const [index, one] of list.entries()) done.push(await work(one, index));
  return done;
}

const ndcgs = (judged) => judged.map((one) => one.ndcg);
const meanNdcg = (judged) => summaryOf(judged).ndcg.mean;

/** Collects figures, and says each as it comes. */
function reporter(set, say) {
  const figures = [];
  return {
    figures,
    say: (line) => say(`${set}, ${line}`),
    add: (figure) => figures.push({ ...figure, name: `${set}, ${figure.name}` }),
    report: (leg, judged) => {
      const summary = summaryOf(judged);
      say(`${set}, ${leg}: ${told(summary)}`);
      figures.push(...figuresOf(`${set}, ${leg}`, summary));
      return judged;
    },
  };
}

/** @returns {Promise<{model: string, keyword: number, vector: number, fused: number}>} nDCG@10 of the legs, and of both as shipped */
async function withVectors(model, { set: { questions }, product, keyword, out }) {
  const space = await product.embed(model);
  const asked = await product.embedQuestions(
    model,
    questions.map(({ question }) => question),
  );
  const vector = await inTurn(asked, (embedding) => product.findByMeaning(space, embedding, DEPTH));
  const legs = questions.map((_, index) => ({ keyword: keyword[index], vector: vector[index] }));
  const mixed = (weight, method) =>
    judge(questions, (_, at) =>
      product.mixed(legs[at], { keyword: 1 - weight, vector: weight, relational: 0 }, method),
    );
  const byMeaning = out.report(`vectors of ${model}`, mixed(1));
  const fit = fitWeight(GRID.map((weight) => ndcgs(mixed(weight))));
  out.say(
    `${model}: best weight ${fit.weight} (folds ${fit.foldWeights.join(', ')}), cross-validated nDCG@10 ${three(fit.value)}, gain over the better leg ${three(fit.gain)}; ` +
      Object.entries(fit.curve)
        .map(([weight, value]) => `${weight} ${three(value)}`)
        .join(', '),
  );
  out.add({ name: `words and ${model}, weight fitted: nDCG@10, cross-validated`, value: fit.value, unit: '' });
  const weights = product.weightsFor(model);
  const shipped = out.report(`words and ${model}, weight ${weights.vector}`, mixed(weights.vector));
  out.report(`words and ${model}, reciprocal rank`, mixed(0.5, 'rrf'));
  const best = Math.max(fit.legs.keyword, fit.legs.vector);
  out.add({
    name: `words and ${model}: nDCG@10 over the better leg`,
    value: meanNdcg(shipped) - best,
    unit: '',
    target: { least: LEAST_OF_THE_BEST },
  });
  const answers = await inTurn(questions, ({ question }, at) => product.answerTo(question, legs[at], weights));
  out.report(
    `the whole answer with ${model}`,
    judge(questions, (_, at) => answers[at]),
  );
  return { model, keyword: fit.legs.keyword, vector: meanNdcg(byMeaning), fused: meanNdcg(shipped) };
}

/** Provisions that are asked for by their number must come first. */
async function lookUps({ questions }, product, keyword, out) {
  const exact = questions.map((one, at) => ({ ...one, at })).filter(({ kind }) => kind === 'exact');
  if (exact.length === 0) return;
  const weights = { keyword: 1, vector: 0, relational: 0 };
  const answers = await inTurn(exact, ({ question, at }) =>
    product.answerTo(question, { keyword: keyword[at] }, weights),
  );
  const missed = exact.filter(({ grades }, at) => grades.get(answers[at][0]) !== 2);
  for (const { id, question } of missed) out.say(`${id}, "${question}": its provision does not come first`);
  const value = 100 * (1 - missed.length / exact.length);
  out.add({ name: `provisions asked for by number that come first`, value, unit: '%', target: { least: 100 } });
}

async function measure(set, { postgres, python, models, say }) {
  const out = reporter(set.name, say);
  const peer = out.report('PostgreSQL german', await peerOf(postgres, set));
  const canonical = await canonicalIds();
  const questions = set.questions.map(({ grades, ...question }) => ({
    ...question,
    grades: new Map([...grades].map(([id, grade]) => [canonical(id), grade])),
  }));
  const product = await openProduct({ connection: postgres.connection, files: markdownIn(set.folder), python });
  try {
    out.say(`${set.passages.length} passages, ${product.chunks} chunks, ${questions.length} questions`);
    const keyword = await inTurn(questions, ({ question }) => product.findByWord(question, DEPTH));
    const byWord = out.report(
      'words',
      judge(questions, (_, at) => product.idsOf(keyword[at])),
    );
    const { difference, chance } = compare(ndcgs(byWord), ndcgs(peer));
    out.say(
      `words - PostgreSQL: ${three(difference.mean)} (${three(difference.low)} - ${three(difference.high)}), by chance ${three(chance)}`,
    );
    out.add({ name: 'words over PostgreSQL: nDCG@10', value: difference.mean, unit: '', target: { least: 0 } });
    await lookUps({ questions }, product, keyword, out);
    const wanted = Object.keys(known).filter(
      (model) => models?.includes(model) ?? (product.chunks <= FEW_CHUNKS || product.isEmbedded(model)),
    );
    const mixes = await inTurn(wanted, (model) => withVectors(model, { set: { questions }, product, keyword, out }));
    return { figures: out.figures, mixes };
  } finally {
    await product.close();
  }
}

/** By model: what mixing brings on the average over the sets, where the legs are comparable. */
function gains(mixes) {
  return Object.keys(known).flatMap((model) => {
    const ofModel = mixes.filter((one) => one.model === model);
    if (ofModel.length === 0) return [];
    const mean = (leg) => ofModel.reduce((sum, one) => sum + one[leg], 0) / ofModel.length;
    const [low, high] = [mean('keyword'), mean('vector')].toSorted((a, b) => a - b);
    const least = low < COMPARABLE * high ? 0 : 0.005;
    const name = `mean over ${ofModel.length} sets, words and ${model}: nDCG@10 over the better leg`;
    return [{ name, value: mean('fused') - high, unit: '', target: { least } }];
  });
}

/** @param {{folder: string, options: Record<string, any>, say: (line: string) => void, closing: (close: () => unknown) => void}} bench */
export async function run({ folder, options, say, closing }) {
  const python = await installTrainer({ python: await findPython(), dev: false, say });
  const sets = judgedSets(options.laws);
  const models = options.models?.split(',');
  const done = await inTurn(sets, async (set, index) => {
    const postgres = await startPostgres(join(folder, String(index)));
    closing(() => postgres.stop());
    return measure(set, { postgres, python, models, say });
  });
  const figures = [...done.flatMap((one) => one.figures), ...gains(done.flatMap(({ mixes }) => mixes))];
  const setup = [
    'Questions written for this purpose, judged by grade (2: right, 1: second best); min - max: 95 % interval by the bootstrap.',
    "The product's own parsers, chunks, index, stores, legs, fusion and order; of its parts only the embedder is not the application's.",
    'minilm: all-MiniLM-L6-v2, English; e5: multilingual-e5-small at 4 bits.',
    'PostgreSQL: to_tsvector(german), any word, the better of ts_rank with and without the length of the text.',
  ];
  if (!sets.some(({ name }) => name === 'laws')) setup.push('Without the laws: their folder is not there.');
  return { figures, setup };
}
