import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { builtModule } from '../../scripts/built-module.mjs';
import { areCached, models, vectorsOf } from './dense.mjs';

const OWNER = 'bench';
const EVERYBODY = { readers: null, documentIds: null, chunks: null };
const CHUNK_TOKENS = 400;
const OVERLAP_TOKENS = 40;
const ROOM_TOKENS = 60;

/** @param {string} folder of Markdown files */
export const markdownIn = (folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .toSorted()
    .map((name) => ({ name, path: join(folder, name) }));

/**
 * The search of the product over a set of documents: read by its parsers, cut by its chunker, found by its legs. The vectors
 * come from models that need no hub; everything else is what runs in the application.
 * @param {{connection: object, files: {name: string, path: string}[], python: string}} wanted
 */
export async function openProduct({ connection, files, python }) {
  const { openDataSource } = await builtModule('src/adapters/postgres/data-source.js');
  const { PostgresPublication } = await builtModule('src/modules/documents/postgres-publication.js');
  const { makeDocument } = await builtModule('src/modules/ingestion/document-making.js');
  const { estimateTokens } = await builtModule('src/modules/ingestion/token-estimate.js');
  const source = await openDataSource(connection);
  const publication = new PostgresPublication(source, { want: async () => undefined }, { changed() {} });
  const sizes = {
    maxTokens: CHUNK_TOKENS - ROOM_TOKENS,
    overlapTokens: OVERLAP_TOKENS,
    countTokens: async (texts) => texts.map(estimateTokens),
  };
  let size = 0;
  const started = performance.now();
  for (const { name, path } of files) {
    const bytes = readFileSync(path);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const belonging = { owner: OWNER, name, readers: ['*'], tags: [] };
    const document = await makeDocument(await parsed(path, name), { sha256, bytes: bytes.length }, belonging, sizes);
    await publication.publish(document);
    size += bytes.length;
  }
  const ingestion = { megabytes: size / 1e6, seconds: (performance.now() - started) / 1000 };
  await source.query('ANALYZE');
  return { source, ingestion, ...(await legsOf(source, python)), close: () => source.destroy() };
}

/** Reads one file as a parser process does. */
async function parsed(path, filename) {
  const { readDocument } = await builtModule('src/adapters/parsers/read-document.js');
  const reading = readDocument({ path, filename }, Number.MAX_SAFE_INTEGER, null);
  const blocks = [];
  for (;;) {
    const { value, done } = await reading.next();
    if (done) return { ...value, blocks };
    blocks.push(value);
  }
}

/** The judged sets spell a provision as the file of the law does (bbaug:35), the product canonically (baugb:35). */
export async function canonicalIds() {
  const { provisionKey } = await builtModule('src/language/legal-references.js');
  return (id) => (id.includes(':') ? provisionKey(...id.split(':')) : id);
}

/** Ids of the judged answers by chunk: the provision, or the file. */
async function namesOf(source) {
  const rows = await source.query(`SELECT c.chunk_id, coalesce(c.provision, v.filename) AS id FROM documents_chunk c
    JOIN documents_document d USING (document_id) JOIN documents_version v USING (document_id, version)`);
  return new Map(rows.map(({ chunk_id, id }) => [chunk_id, id]));
}

async function legsOf(source, python) {
  const { KeywordLeg } = await builtModule('src/modules/search/keyword-leg.js');
  const { ProvisionLookup } = await builtModule('src/modules/search/provision-lookup.js');
  const { questionOf } = await builtModule('src/modules/search/question.js');
  const { fuse } = await builtModule('src/modules/search/fusion.js');
  const { weightsFor } = await builtModule('src/modules/search/fusion-weights.js');
  const { rank } = await builtModule('src/modules/search/hybrid-search.js');
  const keyword = new KeywordLeg(source);
  const lookup = new ProvisionLookup(source);
  const names = await namesOf(source);
  const idOf = ({ chunkId }) => names.get(chunkId);
  return {
    ...(await vectorsIn(source, python)),
    findByWord: (text, depth, postings) => keyword.find(questionOf(text), EVERYBODY, depth, postings),
    /** Ids in the order of one leg. */
    idsOf: (found) => found.map(idOf),
    weightsFor: (model) => weightsFor(models[model].name),
    /** Ids in the order of the mixed legs, without what the question names by its number. */
    mixed: (legs, weights, method = 'weighted') => fuse(legs, weights, method).map(idOf),
    /** Ids in the order of the product's own answer. */
    answerTo: async (text, legs, weights) => {
      const exact = await lookup.find(questionOf(text).provisions, EVERYBODY);
      const fused = fuse(legs, weights, 'weighted');
      return rank({ exact, fused, neighbours: [], matched: new Map() }).map(idOf);
    },
  };
}

async function vectorsIn(source, python) {
  const { PgvectorStore } = await builtModule('src/adapters/vectors/pgvector-store.js');
  const { embeddedText } = await builtModule('src/modules/documents/indexed-text.js');
  const { DocumentDatabase } = await builtModule('src/modules/documents/document.store.js');
  const store = new PgvectorStore(source);
  const database = new DocumentDatabase(source);
  const rows = await source.query('SELECT document_id FROM documents_document ORDER BY name');
  const documents = [];
  for (const { document_id } of rows) documents.push(await database.stored(document_id));
  const texts = documents.flatMap(({ title, chunks }) => chunks.map((chunk) => embeddedText(title, chunk)));
  return {
    documents,
    chunks: texts.length,
    isEmbedded: (model) => areCached({ model, role: 'passage', texts }),
    /** Embeds every chunk once, from the cache where that was done before. */
    embed: async (model) => {
      const vectors = await vectorsOf({ model, python, role: 'passage', texts });
      const space = { id: `bench_${model}`, dimension: vectors[0].length };
      await store.open(space);
      let at = 0;
      for (const document of documents) {
        const byChunk = new Map(document.chunks.map(({ chunkId }) => [chunkId, Array.from(vectors[at++])]));
        await store.put(space, document, byChunk);
      }
      return space;
    },
    embedQuestions: (model, questions) => vectorsOf({ model, python, role: 'query', texts: questions }),
    findByMeaning: async (space, embedding, depth) => {
      const query = { embedding: Array.from(embedding), limit: depth, readers: null, documentIds: null };
      const near = await store.nearest(space, query);
      return near.map(({ chunkId, documentId, similarity }) => ({ chunkId, documentId, score: similarity }));
    },
  };
}
