import pg from 'pg';
import { builtModule } from '../../scripts/built-module.mjs';
import { addVectors, multiply, multiplyGraph, space, vectorMaker } from './large.mjs';
import { canonicalIds } from './product.mjs';

/** Somebody who may not read all, so that every leg filters. */
const caller = { subject: 'bench', roles: ['user'], groups: [], via: 'token' };
const DEPTH = 100;

/**
 * Brings the published laws to a large index with a graph and vectors.
 * @param {{connection: object, product: any, chunks: number, say: (line: string) => void}} wanted
 * @returns {Promise<{seconds: number, vectorSeconds: number}>}
 */
export async function makeLarge({ connection, product, chunks, say }) {
  const { PostgresGraph } = await builtModule('src/adapters/graph/postgres-graph.js');
  const { PgvectorStore } = await builtModule('src/adapters/vectors/pgvector-store.js');
  const { PostgresCalls } = await builtModule('src/adapters/stores/postgres-calls.js');
  const client = new pg.Client(connection);
  await client.connect();
  const sql = { query: async (text, values) => (await client.query(text, values)).rows };
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  try {
    const graph = new PostgresGraph(product.source);
    for (const document of product.documents) await graph.replace(document);
    say(`graph of ${product.documents.length} documents after ${elapsed().toFixed(0)} s`);
    await multiply(sql, chunks);
    say(`${chunks} chunks after ${elapsed().toFixed(0)} s`);
    await multiplyGraph(sql);
    say(`their graph after ${elapsed().toFixed(0)} s`);
    await new PgvectorStore(product.source).open(space);
    const calls = new PostgresCalls('pgvector', product.source, 60_000);
    const vectorSeconds = await addVectors(sql, (readers) => calls.accessOf(readers), vectorMaker());
    say(`vectors after ${elapsed().toFixed(0)} s, of which their index ${vectorSeconds.toFixed(0)} s`);
    await sql.query('VACUUM ANALYZE');
    return { seconds: elapsed(), vectorSeconds };
  } finally {
    await client.end();
  }
}

/** The product's search over that index; questions have made vectors. */
export async function openSearch(source) {
  const { KeywordLeg } = await builtModule('src/modules/search/keyword-leg.js');
  const { VectorLeg } = await builtModule('src/modules/search/vector-leg.js');
  const { RelationalLeg } = await builtModule('src/modules/search/relational-leg.js');
  const { SearchLegs } = await builtModule('src/modules/search/search-legs.js');
  const { SearchScopes } = await builtModule('src/modules/search/search-scope.js');
  const { ProvisionLookup } = await builtModule('src/modules/search/provision-lookup.js');
  const { HitReader } = await builtModule('src/modules/search/hit-reader.js');
  const { HybridSearch } = await builtModule('src/modules/search/hybrid-search.js');
  const { questionOf } = await builtModule('src/modules/search/question.js');
  const { PostgresGraph } = await builtModule('src/adapters/graph/postgres-graph.js');
  const { PgvectorStore } = await builtModule('src/adapters/vectors/pgvector-store.js');
  const make = vectorMaker();
  const embedder = { embed: async () => [Array.from(make())] };
  const spaces = { searched: async () => ({ space, embedder }), modelName: async () => 'multilingual-e5-small' };
  const store = new PgvectorStore(source);
  const keyword = new KeywordLeg(source);
  const scopes = new SearchScopes(source);
  const log = { error: (message, details) => console.error(message, details) };
  const legs = new SearchLegs(keyword, new VectorLeg(store, spaces), new RelationalLeg(source), log);
  const hybrid = new HybridSearch(
    scopes,
    legs,
    new ProvisionLookup(source),
    new PostgresGraph(source),
    spaces,
    new HitReader(source),
  );
  const scopeOf = (filters) => scopes.of(filters, caller);
  return {
    scopeOf,
    vector: () => Array.from(make()),
    search: async (queryText, filters, signals = ['keyword', 'vector', 'graph', 'relational']) => {
      const outcome = await hybrid.search({ queryText, topK: 10, filters, signals, fusion: 'weighted' }, caller);
      const failed = Object.entries(outcome.signals).find(([, { state }]) => state !== 'ok');
      if (failed) throw new Error(`${failed[0]}: ${failed[1].reason}`);
      return outcome;
    },
    byWord: (text, scope, postings) => keyword.find(questionOf(text), scope, DEPTH, postings),
    byMeaning: (embedding, { readers, documentIds }) =>
      store.nearest(space, { embedding, limit: DEPTH, readers, documentIds }),
    /** Every vector compared. */
    exactly: (embedding, { readers, documentIds }) => exactNearest(source, embedding, readers, documentIds),
  };
}

async function exactNearest(source, embedding, readers, documentIds) {
  const rows = await source.query(
    `SELECT v.chunk_id FROM store_vectors_${space.id} v
      WHERE v.access IN (SELECT set_id FROM store_reader_sets WHERE readers && $2::text[])
        AND ($3::uuid[] IS NULL OR v.document_id = ANY ($3))
      ORDER BY (v.embedding <=> $1::halfvec) + 0 LIMIT 10`,
    [`[${embedding.map((number) => number.toFixed(7)).join()}]`, readers, documentIds],
  );
  return rows.map(({ chunk_id }) => chunk_id);
}

/** By chunk, copies included: the judged id of the provision that it is, or is made from. */
export async function judgedIds(source) {
  const rows = await source.query(`
    SELECT c.chunk_id, coalesce(c.provision, original.provision) AS id FROM documents_chunk c
      LEFT JOIN bench_copy b USING (chunk_no) LEFT JOIN documents_chunk original ON original.chunk_no = b.original`);
  return new Map(rows.map(({ chunk_id, id }) => [chunk_id, id ?? chunk_id]));
}

/** @param {import('./judge.mjs').Question[]} questions */
export async function canonicalQuestions(questions) {
  const canonical = await canonicalIds();
  return questions.map(({ grades, ...question }) => ({
    ...question,
    grades: new Map([...grades].map(([id, grade]) => [canonical(id), grade])),
  }));
}
