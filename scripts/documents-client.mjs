import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asJson, callApi } from './api-call.mjs';
import { Problem } from './problem.mjs';

const POLL_MS = 250;
const INGESTED_MS = 180_000;
const BUILT_MS = 120_000;

/**
 * @typedef {{filename: string, status: string, chunks: number, error_message: string | null, pending: {store: string, reason: string | null}[]}} TakenFile
 * @typedef {{content: string, score: number, metadata: Record<string, any>, explain: {signals: Record<string, {rank: number, score: number}>,
 *   matched: string[], graph_path: {edge: string, through: string}[]}}} Hit
 * @typedef {{dataset_id: string, version: number, status: string, document_count: number, quality_score_avg: number, content_hash: string,
 *   metadata: Record<string, any>}} Dataset
 * @typedef {{row: {messages: {content: string}[]}, origin: {madeBy: {template: string} | null}}} DatasetRow
 */

/** Documents, search and datasets, called as any client does. */
export class DocumentsClient {
  /** @param {string} address host and port */
  constructor(address) {
    this.address = address;
  }

  /**
   * Takes files in; bytes that are known are the document that they were.
   * @param {string[]} paths
   * @param {string[]} tags
   * @returns {Promise<string>} id of the job
   */
  async upload(paths, tags) {
    const form = new FormData();
    for (const path of paths) form.append('files', new Blob([await readFile(path)]), basename(path));
    form.append('tags', tags.join(','));
    return (await callApi(this.address, '/upload/files', { method: 'POST', body: form })).job_id;
  }

  /**
   * @param {string} jobId
   * @param {(done: number) => void} onProgress
   * @param {AbortSignal} signal
   * @returns {Promise<TakenFile[]>}
   * @throws Problem where a file was not taken in
   */
  async ingested(jobId, onProgress, signal) {
    await this.#until(INGESTED_MS, signal, async () => {
      const job = await callApi(this.address, `/jobs/${jobId}`);
      onProgress(job.processed_files);
      return job.completed_at !== null;
    });
    const files = /** @type {TakenFile[]} */ (await callApi(this.address, `/jobs/${jobId}/files`));
    const bad = files.find(({ status }) => status !== 'completed');
    if (bad && !signal.aborted)
      throw new Problem(`${bad.filename} is ${bad.status}: ${bad.error_message ?? 'no reason given'}`);
    return files;
  }

  /**
   * @param {string} question
   * @param {{top_k: number, filters: object, search_types: string[]}} options
   * @returns {Promise<Hit[]>}
   */
  async search(question, options) {
    return (await callApi(this.address, '/api/datasets/search', asJson({ query_text: question, ...options }))).results;
  }

  /**
   * The same request on the same documents is the same dataset; one that failed is built anew.
   * @param {object} request
   * @param {AbortSignal} signal
   * @returns {Promise<Dataset>}
   * @throws Problem where it cannot be built
   */
  async dataset(request, signal) {
    const key = createHash('sha256').update(JSON.stringify(request)).digest('hex');
    const first = await this.#built(await this.#create(request, { 'idempotency-key': key }), signal);
    const set = first.status === 'failed' ? await this.#built(await this.#create(request), signal) : first;
    if (set.status === 'failed') throw new Problem(`The dataset could not be built: ${set.metadata.error}`);
    return set;
  }

  /**
   * @param {Dataset} set
   * @param {string} split
   * @returns {Promise<DatasetRow[]>} the first hundred
   */
  async rows({ dataset_id: id, version }, split) {
    return (await callApi(this.address, `/api/datasets/${id}/versions/${version}/rows?split=${split}&limit=100`)).rows;
  }

  /**
   * @param {object} request
   * @param {Record<string, string>} [headers]
   * @returns {Promise<string>} its id
   */
  async #create(request, headers) {
    return (await callApi(this.address, '/api/datasets', asJson(request, headers))).dataset_id;
  }

  /**
   * @param {string} id
   * @param {AbortSignal} signal
   * @returns {Promise<Dataset>}
   */
  async #built(id, signal) {
    const state = async () => (await callApi(this.address, `/api/datasets/${id}`)).data;
    await this.#until(BUILT_MS, signal, async () => ['completed', 'failed'].includes((await state()).status));
    return state();
  }

  /**
   * @param {number} limitMs
   * @param {AbortSignal} signal
   * @param {() => Promise<boolean>} isDone
   * @throws Problem where it takes longer
   */
  async #until(limitMs, signal, isDone) {
    for (const until = Date.now() + limitMs; Date.now() < until && !signal.aborted;) {
      if (await isDone()) return;
      await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
    if (!signal.aborted)
      throw new Problem(`Nothing came of it in ${limitMs / 1000} s; logs/training_backend.log tells more.`);
  }
}
