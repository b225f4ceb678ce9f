import { readFile } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { Problem } from './problem.mjs';
import { lastLines, runProgram } from './program.mjs';
import { installTrainer } from './python.mjs';
import { root } from './root.mjs';

/**
 * Where the adapter lies, what it gained, and one answer without and with it.
 * @param {import('./training-client.mjs').Job} job
 * @param {string} question one that it was trained on
 * @param {NodeJS.ProcessEnv} env
 * @throws Problem where the job has not completed
 */
export async function showResult(job, question, env) {
  if (job.status !== 'completed' || !job.adapter_path)
    throw new Problem(`The job is ${job.status}: ${job.error_message ?? 'no reason given'}`);
  const data = resolve(root, env.CLARA_DATA_DIR || 'data');
  const adapter = isAbsolute(job.adapter_path) ? job.adapter_path : join(data, job.adapter_path);
  const metrics = job.metrics ?? {};
  console.log(`\nThe adapter (PEFT) lies in ${adapter}`);
  console.log('On the validation rows, whose documents it was not trained on:');
  console.log(`Evaluation loss ${shown(metrics.eval_loss_before)} -> ${shown(metrics.eval_loss_after)}`);
  console.log(`Perplexity      ${shown(metrics.perplexity_before)} -> ${shown(metrics.perplexity)}`);
  await showAnswers(adapter, question, env);
}

/** @param {unknown} value */
const shown = (value) => (typeof value === 'number' ? value.toFixed(3) : 'not measured');

/**
 * @param {string} adapter
 * @param {string} question
 * @param {NodeJS.ProcessEnv} env
 */
async function showAnswers(adapter, question, env) {
  const { base_model_name_or_path: model } = JSON.parse(await readFile(join(adapter, 'adapter_config.json'), 'utf8'));
  const python = await installTrainer({ python: env.CLARA_PYTHON ?? 'python3', dev: false, say: () => undefined });
  const args = ['-m', 'clara_trainer.generate', '--model', model, '--adapter', adapter, '--prompt', question];
  const { code, output } = await runProgram(python, args, {
    env: { ...env, PYTHONPATH: join(root, 'trainer', 'src') },
  });
  if (code !== 0) throw new Problem(`The adapter could not be asked:\n${lastLines(output, 12)}`);
  const answers = JSON.parse(lastLines(output, 1));
  console.log(`\nQuestion (trained on): ${question}\n  without: ${answers.without}\n  with:    ${answers.with}`);
  if (!env.CLARA_BASE_MODEL)
    console.log('The small model picks up the manner of such answers; right ones take a real one: CLARA_BASE_MODEL.');
}
