import { postgresRankings } from '../search/postgres-ranking.mjs';
import { bm25 } from '../search/bm25.mjs';
import { denseScores } from '../search/dense.mjs';
import { fitWeight, normalised, ranked } from '../search/fit.mjs';
import { compare, judge, summaryOf } from '../search/judge.mjs';
import { judgedSets } from '../search/sets.mjs';
import { startPostgres } from '../postgres.mjs';
import { findPython, installTrainer } from '../../scripts/python.mjs';

export const title = 'German questions: rankings of PostgreSQL, BM25, sentence embeddings and their fusion';
export const usage = '--laws FOLDER (shared/data/gesetze, left out where it is not there)';

const DEPTH = 100;
const MODELS = /** @type {const} */ (['minilm', 'e5']);
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

/** @param {import('../search/sets.mjs').JudgedSet} set */
async function fused(set, keyword, model, python) {
  const dense = await denseScores({ model, python, ...set });
  const vector = dense.map((scores) => normalised(scores, DEPTH));
  const judged = judge(set.questions, (_, index) => ranked(vector[index]));
  const grades = set.questions.map((question) => question.grades);
  return { judged, fit: fitWeight({ keyword, vector, grades }) };
}

async function measure(set, { postgres, python, say }) {
  const { name, passages, questions } = set;
  say(`${name}: ${passages.length} passages, ${questions.length} questions`);
  const figures = [];
  const report = (leg, judged) => {
    const summary = summaryOf(judged);
    say(`${name}, ${leg}: ${told(summary)}`);
    figures.push(...figuresOf(`${name}, ${leg}`, summary));
    return judged;
  };
  const peer = report('PostgreSQL german', await peerOf(postgres, set));
  const score = bm25(passages);
  const keyword = questions.map(({ question }) => normalised(score(question), DEPTH));
  const plain = report(
    'BM25 over stems',
    judge(questions, (_, index) => ranked(keyword[index])),
  );
  const { difference, chance } = compare(
    plain.map((one) => one.ndcg),
    peer.map((one) => one.ndcg),
  );
  say(
    `${name}, BM25 - PostgreSQL: ${three(difference.mean)} (${three(difference.low)} - ${three(difference.high)}), by chance ${three(chance)}`,
  );
  for (const model of MODELS) {
    const { judged, fit } = await fused(set, keyword, model, python);
    report(model, judged);
    say(
      `${name}, BM25 and ${model}: weight of the vectors ${fit.weight} (folds ${fit.foldWeights.join(', ')}), gain over the better leg ${three(fit.gain)}`,
    );
    figures.push({ name: `${name}, BM25 and ${model}: nDCG@10, cross-validated`, value: fit.ndcg, unit: '' });
  }
  return figures;
}

/** @param {{folder: string, options: Record<string, any>, say: (line: string) => void, closing: (close: () => unknown) => void}} bench */
export async function run({ folder, options, say, closing }) {
  const python = await installTrainer({ python: await findPython(), dev: false, say });
  const postgres = await startPostgres(folder);
  closing(() => postgres.stop());
  const sets = judgedSets(options.laws);
  const figures = [];
  for (const set of sets) figures.push(...(await measure(set, { postgres, python, say })));
  const setup = [
    'Questions written for this purpose, judged by grade (2: right, 1: second best); min - max: 95 % interval by the bootstrap.',
    'minilm: all-MiniLM-L6-v2, English; e5: multilingual-e5-small at 4 bits; each passage in pieces of up to 1,200 characters, the best piece counts.',
    'PostgreSQL: to_tsvector(german), any word, the better of ts_rank with and without the length of the text.',
  ];
  if (!sets.some(({ name }) => name === 'laws')) setup.push('Without the laws: their folder is not there.');
  return { figures, setup };
}
