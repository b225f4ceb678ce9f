import { compare, judge } from './judge.mjs';
import { judgedIds, openSearch } from './large-search.mjs';
import { selectivities } from './large.mjs';

const WARM_UP = 60;
const RECALL_QUESTIONS = 100;
const CUT = 10;

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

/** Milliseconds of each, one after the other; the first ones are not counted. */
async function timed(list, work) {
  for (const one of list.slice(0, WARM_UP)) await work(one);
  const times = [];
  for (const one of list) {
    const started = performance.now();
    await work(one);
    times.push(performance.now() - started);
  }
  return times.toSorted((a, b) => a - b);
}

const timeFigures = (name, times, most) => [
  { name: `${name}, p50`, value: at(times, 0.5), unit: 'ms', of: times.length },
  { name: `${name}, p95`, value: at(times, 0.95), unit: 'ms', of: times.length, ...(most && { target: { most } }) },
];

async function recallOf(search, scope) {
  let found = 0;
  let wanted = 0;
  for (let question = 0; question < RECALL_QUESTIONS; question++) {
    const embedding = search.vector();
    const exact = await search.exactly(embedding, scope);
    const near = (await search.byMeaning(embedding, scope)).slice(0, CUT).map(({ chunkId }) => chunkId);
    wanted += exact.length;
    found += exact.filter((id) => near.includes(id)).length;
  }
  return found / wanted;
}

/** What reading few postings costs in quality, and how many of the first ten it changes. */
async function boundFigures(source, search, questions, say) {
  const ids = await judgedIds(source);
  const scope = await search.scopeOf({});
  const [bounded, all] = [[], []];
  for (const { question } of questions) {
    bounded.push((await search.byWord(question, scope)).map(({ chunkId }) => chunkId));
    all.push((await search.byWord(question, scope, Infinity)).map(({ chunkId }) => chunkId));
  }
  const judged = [bounded, all].map((found) =>
    judge(questions, (_, index) => found[index].map((chunk) => ids.get(chunk))).map(({ ndcg }) => ndcg),
  );
  const { difference } = compare(judged[1], judged[0]);
  const same = bounded.map((found, index) => {
    const best = all[index].slice(0, CUT);
    return best.length === 0 ? 1 : found.slice(0, CUT).filter((id) => best.includes(id)).length / best.length;
  });
  say(`bounding the postings loses ${difference.mean.toFixed(4)} nDCG@10`);
  return [
    {
      name: 'nDCG@10 lost by bounding the postings',
      value: difference.mean,
      min: difference.low,
      max: difference.high,
      unit: '',
      target: { most: 0.01 },
    },
    {
      name: 'of the first ten by all postings, found by bounded ones',
      value: (100 * same.reduce((sum, one) => sum + one, 0)) / same.length,
      unit: '%',
    },
  ];
}

/**
 * Times and recall of the search over a large index.
 * @param {{source: any, questions: import('./judge.mjs').Question[], mostMs: number, say: (line: string) => void}} wanted
 * @returns {Promise<import('../report.mjs').Figure[]>}
 */
export async function largeFigures({ source, questions, mostMs, say }) {
  const search = await openSearch(source);
  const texts = questions.map(({ question }) => question);
  const figures = [];
  const add = (...more) => {
    for (const { name, value, unit } of more) say(`${name}: ${value.toFixed(3)} ${unit}`);
    figures.push(...more);
  };
  add(...timeFigures('hybrid query', await timed(texts, (text) => search.search(text, {})), mostMs));
  const scope = await search.scopeOf({});
  add(...timeFigures('words alone', await timed(texts, (text) => search.byWord(text, scope))));
  for (const { percent, tag } of selectivities) {
    const filters = { tags: [tag] };
    const filtered = await search.scopeOf(filters);
    const left = `${percent} % of the documents left`;
    add(
      ...timeFigures(`hybrid query, ${left}`, await timed(texts, (text) => search.search(text, filters)), mostMs),
      ...timeFigures(`vectors alone, ${left}`, await timed(texts, () => search.byMeaning(search.vector(), filtered))),
      {
        name: `vectors, ${left}: recall@10`,
        value: await recallOf(search, filtered),
        unit: '',
        target: { least: 0.95 },
      },
    );
  }
  return [...figures, ...(await boundFigures(source, search, questions, say))];
}
