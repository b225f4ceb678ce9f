import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { builtModule } from '../../scripts/built-module.mjs';
import { vectorsOf } from './dense.mjs';

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
  for (const { name, path } of files) {
    const bytes = readFileSync(path);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const belonging = { owner: OWNER, name, readers: ['*'], tags: [] };
    const document = await makeDocument(await parsed(path, name), { sha256, bytes: bytes.length }, belonging, sizes);
    await publication.publish(document);
  }
  await source.query('ANALYZE');
  return { source, ...(await legsOf(source, python)), close: () => source.destroy() };
}

/** Reads one file as a parser process does. */
async function parsed(path, filename) {
  const { readDocument } = await builtModule('src/adapters/parsers/read-document.js');
  const reading = readDocument({ path, filename }, Number.MAX_SAFE_INTEGER);
  const blocks = [];
  for (;;) {
    const { value, done } = await reading.next();
    if (done) return { ...value, blocks };
    blocks.push(value);
  }
}

async function legsOf(source, python) {
  const { KeywordLeg } = await builtModule('src/modules/search/keyword-leg.js');
  const { ProvisionLookup } = await builtModule('src/modules/search/provision-lookup.js');
  const { questionOf } = await builtModule('src/modules/search/question.js');
  const { fuse, normalised } = await builtModule('src/modules/search/fusion.js');
  const { rank } = await builtModule('src/modules/search/hybrid-search.js');
  const { PgvectorStore } = await builtModule('src/adapters/vectors/pgvector-store.js');
  const { embeddedText } = await builtModule('src/modules/documents/indexed-text.js');
  const { DocumentDatabase } = await builtModule('src/modules/documents/document.store.js');
  const keyword = new KeywordLeg(source);
  const lookup = new ProvisionLookup(source);
  const store = new PgvectorStore(source);
  const database = new DocumentDatabase(source);
  const names = new Map(
    (
      await source.query(`SELECT c.chunk_id, coalesce(c.provision, v.filename) AS id FROM documents_chunk c
        JOIN documents_document d USING (document_id) JOIN documents_version v USING (document_id, version)`)
    ).map(({ chunk_id, id }) => [chunk_id, id]),
  );

  /** Embeds every chunk once, from the cache where that was done before. */
  async function embed(model) {
    const rows = await source.query('SELECT document_id FROM documents_document ORDER BY name');
    const documents = [];
    for (const { document_id } of rows) documents.push(await database.stored(document_id));
    const texts = documents.flatMap(({ title, chunks }) => chunks.map((chunk) => embeddedText(title, chunk)));
    const vectors = await vectorsOf({ model, python, role: 'passage', texts });
    const space = { id: `bench_${model}`, dimension: vectors[0].length };
    await store.open(space);
    let at = 0;
    for (const document of documents) {
      const byChunk = new Map(document.chunks.map(({ chunkId }) => [chunkId, Array.from(vectors[at++])]));
      await store.put(space, document, byChunk);
    }
    return space;
  }

  return {
    names,
    keyword,
    questionOf,
    embed,
    embedQuestions: (model, texts) => vectorsOf({ model, python, role: 'query', texts }),
    findByWord: (text, depth, postings) => keyword.find(questionOf(text), EVERYBODY, depth, postings),
    findByMeaning: async (space, embedding, depth) =>
      (
        await store.nearest(space, { embedding: Array.from(embedding), limit: depth, readers: null, documentIds: null })
      ).map(({ chunkId, documentId, similarity }) => ({ chunkId, documentId, score: similarity })),
    /** Scores by id of what was found, 0 to 1; the best chunk counts. */
    scoresOf: (leg, found) => {
      const scores = new Map();
      normalised(leg, found).forEach((score, index) => {
        const id = names.get(found[index].chunkId);
        scores.set(id, Math.max(scores.get(id) ?? 0, score));
      });
      return scores;
    },
    /** Ids in the order of the product's own answer. */
    rankingOf: async (text, legs, weights) => {
      const { provisions } = questionOf(text);
      const exact = await lookup.find(provisions, EVERYBODY);
      const fused = fuse(legs, weights, 'weighted');
      return rank({ exact, fused, neighbours: [], matched: new Map() }).map(({ chunkId }) => names.get(chunkId));
    },
  };
}
