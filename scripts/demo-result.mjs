import { isAbsolute, join, resolve } from 'node:path';
import { Problem } from './problem.mjs';
import { root } from './root.mjs';

/**
 * Where the adapter lies, and what it gained.
 * @param {import('./training-client.mjs').Job} job
 * @param {NodeJS.ProcessEnv} env
 * @returns {string[]} lines
 * @throws Problem where the job has not completed
 */
export function resultOf(job, env) {
  if (job.status !== 'completed' || !job.adapter_path)
    throw new Problem(`The job is ${job.status}: ${job.error_message ?? 'no reason given'}`);
  const data = resolve(root, env.CLARA_DATA_DIR || 'data');
  const metrics = job.metrics ?? {};
  return [
    `\nThe adapter (PEFT) lies in ${isAbsolute(job.adapter_path) ? job.adapter_path : join(data, job.adapter_path)}`,
    'On the validation rows, whose documents it was not trained on:',
    `Evaluation loss ${shown(metrics.eval_loss_before)} -> ${shown(metrics.eval_loss_after)}`,
    `Perplexity      ${shown(metrics.perplexity_before)} -> ${shown(metrics.perplexity)}`,
  ];
}

/** @param {unknown} value */
const shown = (value) => (typeof value === 'number' ? value.toFixed(3) : 'not measured');

/**
 * The base and the new version, side by side, through the OpenAI door.
 * @param {import('./serving-client.mjs').ServingClient} serving
 * @param {{jobId: string, question: string, signal: AbortSignal}} asked the question is one that it was trained on
 * @returns {Promise<string[]>} lines
 */
export async function answersOf(serving, { jobId, question, signal }) {
  const { model_id: version, base } = await serving.adapterOf(jobId);
  const without = await serving.ask(base, question, signal);
  const withAdapter = await serving.ask(version, question, signal);
  return [
    `\nBoth answer at http://${serving.address}/v1/chat/completions. Question (trained on): ${question}`,
    `  ${without.model}: ${without.text}`,
    `  ${withAdapter.model}: ${withAdapter.text}`,
    `The adapter was loaded beside the base and began its answer after ${(withAdapter.firstTokenMs / 1000).toFixed(2)} s.`,
  ];
}
