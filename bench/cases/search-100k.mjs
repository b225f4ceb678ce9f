import { largeFigures } from '../search/large-figures.mjs';
import { canonicalQuestions, makeLarge } from '../search/large-search.mjs';
import { markdownIn, openProduct } from '../search/product.mjs';
import { judgedSets } from '../search/sets.mjs';
import { startPostgres } from '../postgres.mjs';
import { proportionalMb, residentMb } from '../processes.mjs';

export const title = 'the search over 100,000 chunks: times, recall, and what bounds cost';
export const usage = '--rows N (100000 chunks) --laws FOLDER (shared/data/gesetze, which it needs)';

const CHUNKS = 100_000;
const MOST_MS = 60;
const LEAST_MB_A_MINUTE = 10;
const LOOK_MS = 2000;

/** @returns {Promise<import('../report.mjs').Result>} */
export const run = (bench) => measureSearch(bench, { chunks: CHUNKS, mostMs: MOST_MS });

/** @returns {Promise<import('../report.mjs').Result>} */
export async function measureSearch({ folder, options, say, closing }, { chunks, mostMs }) {
  const laws = judgedSets(options.laws).find(({ name }) => name === 'laws');
  if (!laws) throw new Error('the laws are not there; say where by --laws FOLDER');
  const wanted = Number(options.rows ?? chunks);
  const postgres = await startPostgres(folder);
  closing(() => postgres.stop());
  const product = await openProduct({ connection: postgres.connection, files: markdownIn(laws.folder), python: '' });
  closing(() => product.close());
  const { megabytes, seconds } = product.ingestion;
  say(`${megabytes.toFixed(1)} MB of Markdown in ${seconds.toFixed(1)} s, ${product.chunks} chunks`);
  const memory = peakOf(() => proportionalMb(postgres.pids()));
  const built = await makeLarge({ connection: postgres.connection, product, chunks: wanted, say });
  const making = memory.end();
  const questions = await canonicalQuestions(laws.questions);
  const answering = peakOf(() => proportionalMb(postgres.pids()));
  const figures = await largeFigures({ source: product.source, questions, mostMs, say });
  const answered = answering.end();
  const sizes = /** @type {any} */ (
    await postgres.query('SELECT pg_database_size(current_database())::float8 AS bytes')
  );
  return {
    figures: [
      ...figures,
      {
        name: 'Markdown read, cut and indexed a minute, without embedding',
        value: (60 * megabytes) / seconds,
        unit: 'MB',
        target: { least: LEAST_MB_A_MINUTE },
      },
      { name: 'making the index', value: built.seconds, unit: 's' },
      { name: 'of which the index of nearest neighbours', value: built.vectorSeconds, unit: 's' },
      { name: 'memory of PostgreSQL while the index is made, at most', value: making, unit: 'MB' },
      { name: 'memory of PostgreSQL while it answers, at most', value: answered, unit: 'MB' },
      { name: 'memory of the application at the end', value: residentMb(process.pid), unit: 'MB' },
      { name: 'database', value: sizes[0].bytes / 1e6, unit: 'MB' },
    ],
    setup: [
      `${wanted} chunks: the laws, and copies of their chunks without some words, with other weights and with rare words of their own; documents of 50 chunks, a tenth for a role only; a graph; 384 made numbers a chunk around 600 topics in 24 directions.`,
      `${questions.length} questions one after the other as somebody who may not read all; embedding is not part of it. PostgreSQL has its 64 MB of shared buffers.`,
      'Markdown: the files of the laws, read and published by one process, one file after the other.',
    ],
  };
}

/** Looks again and again. @param {() => number} look */
function peakOf(look) {
  let most = look();
  const timer = setInterval(() => (most = Math.max(most, look())), LOOK_MS).unref();
  return { end: () => (clearInterval(timer), Math.max(most, look())) };
}
