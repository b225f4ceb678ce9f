import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { percentile } from '../figures.mjs';
import { startPostgres } from '../postgres.mjs';
import { root } from '../../scripts/root.mjs';

export const title = 'nearest neighbours in pgvector, with filters';
export const usage = '--chunks N (100000) --queries N (100) --bulk (the index is built after all vectors are there)';

const DIMENSION = 384;
const CLUSTERS = 500;
const CHUNKS_A_DOCUMENT = 100;
const LIMIT = 10;
const LEAST_RECALL = 0.95;
const PARTS = [1, 0.1, 0.01, 0.001];

const INDEX = 'CREATE INDEX store_nearest_bench ON store_vectors_bench USING hnsw (embedding halfvec_cosine_ops)';

const built = (path) => import(join(root, 'dist', 'src', path));
const keyOf = (part) => `group:${part}`;

/** @param {{ folder: string, options: Record<string, any>, say: (line: string) => void, closing: (close: () => unknown) => void }} context */
export async function run({ folder, options, say, closing }) {
  const chunks = Number(options.chunks ?? 100_000);
  const queries = Number(options.queries ?? 100);
  const postgres = await startPostgres(folder);
  closing(postgres.stop);
  const { openDataSource } = await built('adapters/postgres/data-source.js');
  const source = await openDataSource(postgres.connection);
  closing(() => source.destroy());
  const { PgvectorStore } = await built('adapters/vectors/pgvector-store.js');
  const store = new PgvectorStore(source, 120_000);
  const space = { id: 'bench', dimension: DIMENSION };
  await store.open(space);
  const points = pointsFrom(17, chunks);
  if (options.bulk) await postgres.query('DROP INDEX store_nearest_bench');
  const filled = performance.now();
  await fill(store, space, points);
  if (options.bulk) await postgres.query(INDEX);
  const putSeconds = (performance.now() - filled) / 1000;
  say(`${chunks} vectors put in ${putSeconds.toFixed(1)} s`);
  await postgres.query('VACUUM ANALYZE store_vectors_bench');
  const asked = pointsFrom(18, queries);
  const figures = [];
  for (const part of PARTS) figures.push(...(await measure(store, space, { part, points, asked, say })));
  const [index] = /** @type {any[]} */ (
    await postgres.query(`SELECT pg_relation_size('store_nearest_bench') / 1048576.0 AS size`)
  );
  return {
    figures: [
      ...figures,
      {
        name: `put ${chunks} vectors, the index ${options.bulk ? 'built at the end' : 'kept all along'}`,
        unit: 's',
        value: putSeconds,
      },
      { name: 'size of the index', unit: 'MB', value: Number(index?.size) },
    ],
    setup: [
      `${chunks} vectors of ${DIMENSION} numbers in ${CLUSTERS} clusters, ${CHUNKS_A_DOCUMENT} a document; filters by readers; recall of the ${LIMIT} nearest against an exact search in single precision.`,
    ],
  };
}

/** Mulberry32: the same numbers every time. */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Unit vectors around centres that every seed shares. */
function pointsFrom(seed, count) {
  const middle = randomFrom(1);
  const centres = Array.from({ length: CLUSTERS }, () =>
    Float32Array.from({ length: DIMENSION }, () => middle() - 0.5),
  );
  const random = randomFrom(seed);
  return Array.from({ length: count }, () => {
    const centre = centres[Math.floor(random() * CLUSTERS)];
    const point = centre.map((number) => number + 0.8 * (random() - 0.5));
    const length = Math.hypot(...point);
    return point.map((number) => number / length);
  });
}

/** A UUID that the number makes. */
function idOf(kind, number) {
  const hex = createHash('md5').update(`${kind}${number}`).digest('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

const isIn = (document, part) => document % Math.round(1 / part) === 0;

async function fill(store, space, points) {
  for (let first = 0; first < points.length; first += CHUNKS_A_DOCUMENT) {
    const number = first / CHUNKS_A_DOCUMENT;
    const part = points.slice(first, first + CHUNKS_A_DOCUMENT);
    const chunks = part.map((_, n) => ({ chunkId: idOf('chunk', first + n) }));
    const readers = PARTS.filter((each) => isIn(number, each)).map(keyOf);
    const document = { documentId: idOf('document', number), version: 1, readers, chunks };
    await store.put(space, document, new Map(part.map((point, n) => [chunks[n].chunkId, Array.from(point)])));
  }
}

async function measure(store, space, { part, points, asked, say }) {
  const times = [];
  let hits = 0;
  let wanted = 0;
  for (const point of asked) {
    const query = { embedding: Array.from(point), limit: LIMIT, readers: [keyOf(part)], documentIds: null };
    const started = performance.now();
    const found = await store.nearest(space, query);
    times.push(performance.now() - started);
    const exact = exactly(points, point, part);
    wanted += exact.size;
    hits += found.filter(({ chunkId }) => exact.has(chunkId)).length;
  }
  const recall = hits / wanted;
  const p95 = percentile(times, 95);
  const name = `${part * 100} % of the rows match`;
  say(`${name}: recall ${recall.toFixed(3)}, p95 ${p95.toFixed(1)} ms`);
  return [
    { name: `recall@${LIMIT}, ${name}`, unit: '', value: recall, target: { least: LEAST_RECALL } },
    { name: `p95, ${name}`, unit: 'ms', value: p95 },
  ];
}

function exactly(points, point, part) {
  const scored = [];
  for (let n = 0; n < points.length; n += 1) {
    if (!isIn(Math.floor(n / CHUNKS_A_DOCUMENT), part)) continue;
    let score = 0;
    for (let at = 0; at < DIMENSION; at += 1) score += points[n][at] * point[at];
    scored.push({ n, score });
  }
  scored.sort((a, b) => b.score - a.score);
  return new Set(scored.slice(0, LIMIT).map(({ n }) => idOf('chunk', n)));
}
