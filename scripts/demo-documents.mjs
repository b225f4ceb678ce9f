import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DocumentsClient } from './documents-client.mjs';
import { root } from './root.mjs';

const FOLDER = join(root, 'data-samples', 'documents');
const TAG = 'demo';
/** Of the documents that the dataset is made of: their headings are questions. */
const QUESTIONS = 'fragen';
const LEGS = ['keyword', 'vector', 'graph'];
const QUESTION = 'Ich habe die Widerspruchsfrist versäumt. Was nun?';
const DATASET = {
  name: 'Verwaltungsrecht Beispiele',
  description: 'Questions and answers by templates, from the sample documents',
  search_query: {
    query_text:
      'Bescheid, Verwaltungsakt, Widerspruch, Frist, Klage, Gericht, Antrag, Genehmigung, Pflicht, Recht und Verfahren der Behörde und der Gemeinde',
    top_k: 200,
    filters: { tags: [QUESTIONS] },
    search_types: LEGS,
    min_quality_score: 0.3,
  },
  row_form: 'questions',
  split: { train: 0.9, validation: 0.1, test: 0 },
};
/** The one that is asked at the end, where it was trained on. */
const ASKED = 'In welcher Form muss ich Widerspruch einlegen?';
const SHOWN = 100;

/** @typedef {{tell: (text: string) => void, say: (text: string) => void, signal: AbortSignal}} Screen */

/**
 * Documents, a search in them, a dataset from a search.
 * @param {string} address host and port
 * @param {Screen} screen
 * @returns {Promise<{reference: string, question: string} | undefined>} what to train on, and a question out of it; undefined where it was left
 * @throws Problem
 */
export async function documentsToDataset(address, screen) {
  const client = new DocumentsClient(address);
  for (const step of [takeIn, showSearch]) {
    await step(client, screen);
    if (screen.signal.aborted) return undefined;
  }
  return makeDataset(client, screen);
}

/**
 * @param {DocumentsClient} client
 * @param {Screen} screen
 */
async function takeIn(client, { tell, say, signal }) {
  const started = Date.now();
  const names = (await readdir(FOLDER)).toSorted();
  const files = [];
  for (const tags of [[TAG, QUESTIONS], [TAG]]) {
    const wanted = names.filter((name) => name.startsWith(QUESTIONS) === tags.includes(QUESTIONS));
    const jobId = await client.upload(
      wanted.map((name) => join(FOLDER, name)),
      tags,
    );
    const taken = files.length;
    const show = (/** @type {number} */ done) => say(`Taking documents in: ${taken + done} of ${names.length}`);
    files.push(...(await client.ingested(jobId, show, signal)));
  }
  if (signal.aborted) return;
  const chunks = files.reduce((sum, file) => sum + file.chunks, 0);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  tell(`Documents: ${files.length} from data-samples/documents in ${seconds} s, ${chunks} chunks`);
  const waiting = new Map(files.flatMap(({ pending }) => pending.map(({ store, reason }) => [store, reason])));
  for (const [store, reason] of waiting) tell(`  ${store} comes later: ${reason ?? 'it is under way'}`);
}

/**
 * @param {DocumentsClient} client
 * @param {Screen} screen
 */
async function showSearch(client, { tell }) {
  const hits = await client.search(QUESTION, { top_k: 3, filters: { tags: [TAG] }, search_types: LEGS });
  tell(`\nSearch: ${QUESTION}`);
  for (const [index, hit] of hits.entries()) tell(describeHit(index + 1, hit));
}

/**
 * Where it stands, how it begins, and why it is there.
 * @param {number} rank
 * @param {import('./documents-client.mjs').Hit} hit
 */
export function describeHit(rank, { content, score, metadata, explain }) {
  const legs = Object.entries(explain.signals).map(([name, signal]) => `${name} ${signal.rank}.`);
  const words = explain.matched.length > 0 ? [`words: ${explain.matched.join(', ')}`] : [];
  const graph = explain.graph_path.map(({ edge, through }) => `${edge} ${through}`);
  const text = content.replace(/\s+/g, ' ');
  return [
    `  ${rank}. ${score.toFixed(2)}  ${metadata.path.join(' > ')}  (${metadata.filename})`,
    `     ${text.length > SHOWN ? `${text.slice(0, SHOWN)} ...` : text}`,
    `     why: ${[...legs, ...words, ...graph].join('; ')}`,
  ].join('\n');
}

/**
 * @param {DocumentsClient} client
 * @param {Screen} screen
 */
async function makeDataset(client, { tell, say, signal }) {
  say('Building a dataset ...');
  const set = await client.dataset(DATASET, signal);
  if (signal.aborted) return undefined;
  const reference = `dataset:${set.dataset_id}@${set.version}`;
  const { splits, source_documents: documents, left_out: leftOut } = set.metadata.statistics;
  tell(`\nDataset from the search "${DATASET.search_query.query_text}": ${reference}`);
  tell(
    `  ${set.document_count} questions with answers out of ${documents} documents, quality ${set.quality_score_avg.toFixed(2)}`,
  );
  tell(`  train ${splits.train}, validation ${splits.validation}: no document is on both sides`);
  for (const [check, rows] of Object.entries(leftOut)) tell(`  left out: ${rows} for ${check}`);
  tell(`  SHA-256 ${set.content_hash}\n`);
  return { reference, question: questionOf(await client.rows(set, 'train')) };
}

/**
 * @param {import('./documents-client.mjs').DatasetRow[]} rows
 * @returns {string}
 */
export function questionOf(rows) {
  const asked = rows
    .filter(({ origin }) => origin.madeBy?.template === 'question-heading')
    .map(({ row }) => row.messages[0]?.content ?? '');
  return asked.find((question) => question === ASKED) ?? asked[0] ?? ASKED;
}
