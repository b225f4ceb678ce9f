import { seededRandom } from './judge.mjs';

/** Chunks of a made document. */
const CHUNKS_A_DOCUMENT = 50;
/** A word of fewer chunks is a name, a number or an error of typing: other documents have others. */
const RARE_DF = 2;
/** Every so many copies bring rare words of their own; the rest have none. */
const OWN_WORDS_EVERY = 3;
/** Of the words of a chunk so many are left out of a copy. */
const LEFT_OUT = 0.15;
const RESTRICTED_EVERY = 10;
const DIMENSION = 384;
export const space = { id: 'bench_large', dimension: DIMENSION };
/** Meanings vary along few directions: made vectors that fill all 384 evenly would be like no model's. */
const DIRECTIONS = 24;
const TOPICS = 600;
const SPREAD = 0.7;
const NOISE = 0.03;
const VECTORS_AT_ONCE = 1000;
/** Holds the index of a million vectors; less, and its build goes through the disk. */
const BUILD_MEMORY = '3GB';

/** Tags by the share of the documents that have them. */
export const selectivities = [
  { percent: 100, tag: 'share-100' },
  { percent: 10, tag: 'share-10' },
  { percent: 1, tag: 'share-1' },
  { percent: 0.1, tag: 'share-0.1' },
];

const tagsOf = (number) => `ARRAY['share-100']
  || CASE WHEN ${number} % 10 = 0 THEN ARRAY['share-10'] ELSE '{}' END
  || CASE WHEN ${number} % 100 = 0 THEN ARRAY['share-1'] ELSE '{}' END
  || CASE WHEN ${number} % 1000 = 0 THEN ARRAY['share-0.1'] ELSE '{}' END`;

/** A number from 0 to 1 that is the same for the same words. */
const chance = (text) => `((hashtextextended(${text}, 0) & 1048575)::float8 / 1048576)`;

/**
 * Makes an index of many chunks from the published ones: copies without some of their words, with other weights, and with
 * rare words of their own, as 50-chunk documents of which a tenth is for a role only. Everything is inserted in bulk.
 * @param {{query: (sql: string, values?: unknown[]) => Promise<any>}} source one connection
 * @param {number} chunks as many, at least
 */
export async function multiply(source, chunks) {
  const [{ base, stride }] = await source.query(
    'SELECT count(*)::int AS base, max(chunk_no) + 1 AS stride FROM documents_chunk',
  );
  const copies = Math.max(0, Math.ceil(chunks / base) - 1);
  await source.query('CREATE INDEX IF NOT EXISTS bench_df ON search_term (df)');
  await source.query(`
    CREATE TABLE bench_copy AS
      SELECT (c.chunk_no + copy * ${stride})::int AS chunk_no, md5(c.chunk_id::text || copy)::uuid AS chunk_id, c.chunk_no AS original,
          copy, c.chunk_id AS original_id, (row_number() OVER (ORDER BY copy, c.chunk_no) - 1) / ${CHUNKS_A_DOCUMENT} AS number
        FROM documents_chunk c, generate_series(1, ${copies}) AS copy ORDER BY copy, c.chunk_no LIMIT ${chunks - base}`);
  // The application's role reads it too, to judge what it found.
  await source.query('GRANT SELECT ON bench_copy TO PUBLIC');
  await source.query(`
    CREATE TABLE bench_document AS SELECT number, md5('bench ' || number)::uuid AS document_id, count(*)::int AS chunks
      FROM bench_copy GROUP BY number`);
  await source.query(`
    INSERT INTO documents_document (document_id, owner, name, readers, tags, analysis, version)
      SELECT document_id, 'bench', 'copy ' || number || '.md',
          CASE WHEN number % ${RESTRICTED_EVERY} = 7 THEN ARRAY['role:restricted'] ELSE ARRAY['*'] END, ${tagsOf('number')}, 1, 1
        FROM bench_document`);
  await source.query(`
    INSERT INTO documents_version (document_id, version, sha256, bytes, filename, names, kind, title, language, characters,
        chunks, created_by)
      SELECT document_id, 1, md5('bench ' || number), 50000, 'copy ' || number || '.md', ARRAY['copy ' || number || '.md'],
          'md', 'Sammlung ' || number, 'de', 50000, chunks, 'bench' FROM bench_document`);
  await makeTerms(source, copies);
  await source.query(`
    INSERT INTO search_posting (term_id, chunk_no, weight, length)
      SELECT coalesce(own.own_id, p.term_id) AS term_id, b.chunk_no, (p.weight * (0.6 + 0.8 * ${chance(`p.chunk_no || ' ' || b.copy`)}))::real, p.length
        FROM bench_copy b JOIN search_posting p ON p.chunk_no = b.original JOIN search_term t USING (term_id)
          LEFT JOIN bench_term own ON own.term_id = p.term_id AND own.copy = b.copy
        WHERE CASE WHEN t.df <= ${RARE_DF} THEN own.own_id IS NOT NULL
          ELSE ${chance(`p.term_id || ' ' || b.chunk_no`)} >= ${LEFT_OUT} END
        ORDER BY 1, 2`);
  await source.query(`
    INSERT INTO documents_chunk (chunk_no, chunk_id, document_id, ordinal, content, path, provision, page, refs, tokens, length)
      OVERRIDING SYSTEM VALUE
      SELECT b.chunk_no, b.chunk_id, d.document_id, (row_number() OVER (PARTITION BY b.number ORDER BY b.chunk_no) - 1)::int,
          c.content, c.path, NULL, NULL, c.refs, c.tokens, c.length
        FROM bench_copy b JOIN bench_document d USING (number) JOIN documents_chunk c ON c.chunk_no = b.original
        ORDER BY b.chunk_no`);
  await source.query(
    `SELECT setval(pg_get_serial_sequence('documents_chunk', 'chunk_no'), (SELECT max(chunk_no) FROM documents_chunk))`,
  );
  await source.query(`
    UPDATE search_term t SET df = counted.df
      FROM (SELECT term_id, count(*)::int AS df FROM search_posting GROUP BY term_id) AS counted
      WHERE t.term_id = counted.term_id AND t.df <> counted.df`);
  await source.query(`UPDATE search_total SET (chunks, length) = (SELECT count(*), sum(length) FROM documents_chunk)`);
}

/** Rare words of the copies: the word with an end that no other has. */
async function makeTerms(source, copies) {
  await source.query(`
    CREATE TABLE bench_new AS SELECT term_id, copy, term || chr(97 + (copy / 26) % 26) || chr(97 + copy % 26) || 'q' AS term
      FROM search_term, generate_series(1, ${copies}) AS copy WHERE df BETWEEN 1 AND ${RARE_DF} AND (copy + term_id) % ${OWN_WORDS_EVERY} = 0`);
  await source.query('DROP INDEX bench_df');
  await source.query(`
    INSERT INTO search_term (term, df, trigrams)
      SELECT term, 1, ARRAY(SELECT DISTINCT substr('  ' || term || ' ', at, 3) FROM generate_series(1, length(term) + 1) AS at)
        FROM bench_new ON CONFLICT (term) DO NOTHING`);
  await source.query(`
    CREATE TABLE bench_term AS SELECT n.term_id, n.copy, t.term_id AS own_id FROM bench_new n JOIN search_term t USING (term)`);
  await source.query('DROP TABLE bench_new');
}

/** Copies the edges of the published documents; a section is one of the copy, a provision and a term are the same for all. */
export async function multiplyGraph(source) {
  await source.query(
    `INSERT INTO store_graph_documents (document_id, version) SELECT document_id, 1 FROM bench_document`,
  );
  await source.query(`
    INSERT INTO store_graph_chunks (chunk_id, document_id)
      SELECT b.chunk_id, d.document_id FROM bench_copy b JOIN bench_document d USING (number)`);
  await source.query(`
    INSERT INTO store_graph_edges (kind, key, chunk_id, document_id, access, label)
      SELECT e.kind, CASE e.kind WHEN 'section' THEN e.key || ' ' || b.copy ELSE e.key END, b.chunk_id, d.document_id, e.access, e.label
        FROM bench_copy b JOIN bench_document d USING (number) JOIN store_graph_edges e ON e.chunk_id = b.original_id
        WHERE e.kind <> 'is' ON CONFLICT DO NOTHING`);
}

const gaussian = (random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const gaussians = (count, random) => Float64Array.from({ length: count }, () => gaussian(random));

/** Vectors of topics in few directions: what a question asks is near a topic too. */
export function vectorMaker(seed = 1) {
  const random = seededRandom(seed);
  const axes = Array.from({ length: DIRECTIONS }, () => gaussians(DIMENSION, random));
  const topics = Array.from({ length: TOPICS }, () => gaussians(DIRECTIONS, random));
  return () => {
    const topic = topics[Math.floor(random() * TOPICS)];
    const vector = new Float64Array(DIMENSION);
    for (const [at, axis] of axes.entries()) {
      const share = topic[at] + SPREAD * gaussian(random);
      for (let place = 0; place < DIMENSION; place++) vector[place] += share * axis[place];
    }
    let squares = 0;
    for (let place = 0; place < DIMENSION; place++) {
      vector[place] += NOISE * Math.sqrt(DIRECTIONS) * gaussian(random);
      squares += vector[place] ** 2;
    }
    return vector.map((number) => number / Math.sqrt(squares));
  };
}

/**
 * Every chunk gets a made vector; the index of nearest neighbours is built at the end, as after a restore.
 * @param {{query: (sql: string, values?: unknown[]) => Promise<any>}} source
 * @param {(readers: string[]) => Promise<number>} accessOf the store's number for a set of readers
 * @param {() => Float64Array} make
 */
export async function addVectors(source, accessOf, make) {
  const table = `store_vectors_${space.id}`;
  const index = `store_nearest_${space.id}`;
  const access = new Map();
  for (const { readers } of await source.query('SELECT DISTINCT readers FROM documents_document'))
    access.set(readers.join(), await accessOf(readers));
  const rows = await source.query(
    'SELECT c.chunk_id, c.document_id, d.readers FROM documents_chunk c JOIN documents_document d USING (document_id) ORDER BY c.chunk_no',
  );
  await source.query(`DROP INDEX ${index}`);
  for (let from = 0; from < rows.length; from += VECTORS_AT_ONCE) {
    const part = rows.slice(from, from + VECTORS_AT_ONCE);
    await source.query(
      `INSERT INTO ${table} (chunk_id, document_id, version, access, embedding)
        SELECT chunk_id, document_id, 1, access, vector FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::halfvec[]) AS given (chunk_id, document_id, access, vector)`,
      [
        part.map((row) => row.chunk_id),
        part.map((row) => row.document_id),
        part.map((row) => access.get(row.readers.join())),
        part.map(() => `[${Array.from(make(), (number) => number.toFixed(5)).join()}]`),
      ],
    );
  }
  const started = performance.now();
  await source.query(
    `SET maintenance_work_mem = '${BUILD_MEMORY}'; SET max_parallel_maintenance_workers = 2;
     CREATE INDEX ${index} ON ${table} USING hnsw (embedding halfvec_cosine_ops)`,
  );
  return (performance.now() - started) / 1000;
}
