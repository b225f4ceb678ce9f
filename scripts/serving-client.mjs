import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { asJson, callApi } from './api-call.mjs';
import { Problem } from './problem.mjs';

/** An engine starts at the first question, and may still make its base model. */
const ANSWER_MS = 300_000;

/** The registry of adapters, and the OpenAI door. */
export class ServingClient {
  /** @param {string} address host and port */
  constructor(address) {
    this.address = address;
  }

  /**
   * @param {string} jobId a completed job
   * @returns {Promise<{model_id: string, name: string, base: string}>} the version that it registered
   */
  async adapterOf(jobId) {
    const { adapters } = await callApi(this.address, `/api/adapters?job_id=${jobId}`);
    const [made] = adapters;
    if (!made) throw new Problem(`Job ${jobId} has registered no adapter; logs/training_backend.log tells more.`);
    return made;
  }

  /**
   * One streamed, greedy answer.
   * @param {string} model a base, a version or an alias
   * @param {string} question
   * @param {AbortSignal} signal
   * @returns {Promise<{text: string, model: string, firstTokenMs: number}>}
   */
  async ask(model, question, signal) {
    const began = performance.now();
    const request = { model, messages: [{ role: 'user', content: question }], temperature: 0, max_tokens: 96 };
    const response = await fetch(`http://${this.address}/v1/chat/completions`, {
      ...asJson({ ...request, stream: true }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
    });
    if (!response.ok || !response.body) {
      const { error } = /** @type {any} */ (await response.json());
      throw new Problem(`${model} does not answer: ${error.message}`);
    }
    const answer = { text: '', model, firstTokenMs: 0 };
    for await (const line of createInterface({ input: Readable.fromWeb(/** @type {any} */ (response.body)) })) {
      if (!line.startsWith('data: {')) continue;
      const chunk = JSON.parse(line.slice('data: '.length));
      if (chunk.error) throw new Problem(`The answer of ${model} broke off: ${chunk.error.message}`);
      answer.firstTokenMs ||= performance.now() - began;
      answer.model = chunk.model;
      answer.text += chunk.choices[0]?.delta?.content ?? '';
    }
    return answer;
  }
}
