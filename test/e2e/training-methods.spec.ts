import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DryRunDto, JobDto, JobReplyDto } from '../../src/modules/training/job.dto.js';
import { App } from '../fixtures/app.js';
import { Jobs, oneTo } from '../fixtures/jobs.js';
import { processesOf } from '../fixtures/processes.js';
import { dialogues, root, tinyModel } from '../fixtures/trainer.js';

import.meta.jest.setTimeout(600_000);

const LONG_MS = 400_000;
const lora = 'lora: {r: 8, alpha: 16, dropout: 0, target_modules: all-linear}\n';
const common = 'model: {base_model: default}\ndata: {validation_split: 0.2, max_length: 64}\n';
const training = (change = ''): string =>
  `training: {num_epochs: 3, batch_size: 4, gradient_accumulation_steps: 2, learning_rate: 0.005, save_steps: 5${change}}\n`;

/** Half of them as OpenAI writes them, half as chosen and rejected. */
const pairs = Array.from({ length: 40 }, (_, index) => {
  const [question, good, bad] = [
    `Was regelt Paragraf ${index}?`,
    `Paragraf ${index} regelt die Frist.`,
    `Das weiß niemand, auch nicht zu ${index}.`,
  ];
  const answer = (content: string) => [{ role: 'assistant', content }];
  return JSON.stringify(
    index % 2
      ? {
          input: { messages: [{ role: 'user', content: question }] },
          preferred_output: answer(good),
          non_preferred_output: answer(bad),
        }
      : { prompt: question, chosen: good, rejected: bad },
  );
}).join('\n');

describe('what jobs learn from, and what they begin with', () => {
  let app: App;
  let jobs: Jobs;

  beforeAll(async () => {
    app = await App.start({
      trainer: 'real',
      env: { CLARA_BASE_MODEL: await tinyModel(), CLARA_MAX_CONCURRENT_JOBS: '1', CLARA_CANCEL_GRACE_SECONDS: '60' },
    });
    jobs = new Jobs(app);
  }, LONG_MS);
  afterAll(() => app.dispose());

  const numbersOf = (job: JobDto): Record<string, number> => job.metrics as Record<string, number>;
  const template = async (folder: string): Promise<Buffer> => readFile(join(folder, 'chat_template.jinja'));

  it('supervised, then preferences on top of that adapter: the margin rises, the template stays the same', async () => {
    const first = await jobs.post({ config: common + lora + training(), data: dialogues(40) });
    const adapter = await jobs.until(first, 'completed', LONG_MS);
    const shipped = await readFile(join(root, 'trainer/src/clara_trainer/chat_template.jinja'));
    expect((await template(adapter.adapter_path ?? '')).equals(shipped)).toBe(true);

    const config = `${common}dpo: {beta: 0.2}\n${training(', eval_steps: 5')}`;
    const second = await jobs.post({ method: 'dpo', start_from: first, config, data: pairs });
    const preferred = await jobs.until(second, 'completed', LONG_MS);
    expect(preferred).toMatchObject({ method: 'dpo', trainer_type: 'lora' });
    const numbers = numbersOf(preferred);
    expect(numbers['beta']).toBe(0.2);
    expect(numbers['reward_margin_before']).toBeCloseTo(0, 4);
    expect(numbers['reward_margin_after']).toBeGreaterThan(0.3);
    expect(numbers['reward_accuracy_after']).toBeGreaterThan(0.8);
    expect((await template(preferred.adapter_path ?? '')).equals(shipped)).toBe(true);
    const card = await readFile(join(preferred.adapter_path ?? '', 'README.md'), 'utf8');
    expect(card).toContain('DPO with beta 0.2');
    const { body } = await app.call<Record<string, (number | null)[]>>('GET', `/api/training/jobs/${second}/metrics`);
    expect(body['val_reward_margin']?.findLast((margin) => margin !== null)).toBeCloseTo(
      Number(numbers['reward_margin_after']),
      5,
    );
    expect(body['train_reward_margin']).toHaveLength(body['steps']?.length ?? -1);

    const other = await jobs.request({
      method: 'dpo',
      start_from: first,
      config: common + lora.replace('r: 8', 'r: 4'),
    });
    const refused = await app.call('POST', '/api/training/jobs', { body: other });
    expect(refused.status).toBe(422);
    expect(JSON.stringify(refused.body)).toContain('lora.r: 4 is not what the adapter of start_from has (8)');
  });

  it('a dry run of preferences needs more memory than one of answers, and starts nothing', async () => {
    const need = async (method: string): Promise<number> => {
      const body = await jobs.request({ method, config: common + lora + training(), data: pairs });
      const answer = await app.call<DryRunDto>('POST', '/api/training/jobs?dry_run=true', { body });
      expect(answer.body.config).toMatchObject({ method });
      return answer.body.estimate?.bytes.activations ?? 0;
    };
    expect(await need('dpo')).toBeGreaterThan(1.5 * (await need('supervised')));
  });

  it('a paused training goes on from its checkpoint, step by step, and another one runs meanwhile', async () => {
    const config = common + lora + training(', max_steps: 60');
    const id = await jobs.post({ method: 'dpo', config, data: pairs });
    await jobs.when(id, 'trains', (job) => job.current_step >= 3, LONG_MS);
    const asked = await app.call<JobReplyDto>('POST', `/api/training/jobs/${id}/pause`);
    expect(asked.status).toBe(200);
    const paused = await jobs.when(id, 'is paused', (job) => job.paused, LONG_MS);
    expect(paused.current_step).toBeLessThan(60);
    expect(await processesOf(join(app.data, 'runs', id))).toEqual([]);
    const next = await jobs.post({ config: common + lora + training(', max_steps: 2'), data: dialogues(20) });
    await jobs.until(next, 'completed', LONG_MS);
    await app.call('POST', `/api/training/jobs/${id}/resume`);
    const job = await jobs.until(id, 'completed', LONG_MS);
    const steps = (await jobs.events(id)).filter(({ type }) => type === 'progress').map(({ step }) => step);
    expect(steps).toEqual(oneTo(60));
    expect(numbersOf(job)['reward_margin_after']).toBeGreaterThan(0.3);
  });
});
