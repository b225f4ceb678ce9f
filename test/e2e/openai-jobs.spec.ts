import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import OpenAI from 'openai';
import type { RunFile } from '../../src/modules/training/run-contract.generated.js';
import { OpenAiSite, playRows } from '../fixtures/openai-site.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(180_000);

type Created = OpenAI.FineTuning.JobCreateParams;

/** What the API answers and the types of the client do not name. */
type Job = OpenAI.FineTuning.FineTuningJob & { user_provided_suffix: string | null };

const LONG = { steps: 2000, seconds: 0.05 };

describe("OpenAI's fine-tuning jobs, asked with its own client", () => {
  let site: OpenAiSite;
  let client: OpenAI;

  beforeAll(async () => {
    site = await OpenAiSite.start();
    ({ client } = site);
  }, 120_000);
  afterAll(() => site.app.dispose());

  const create = async (play: object = {}, more: Partial<Created> = {}): Promise<Job> => {
    const training_file = await site.upload(playRows(play));
    return (await client.fineTuning.jobs.create({ model: 'stand-in', training_file, ...more })) as Job;
  };

  it('go from the file to a model', async () => {
    const metadata = { team: 'amt', run: '1' };
    const job = await create({ steps: 6 }, { suffix: 'Bürger Amt', seed: 7, metadata });
    expect(job).toMatchObject({
      object: 'fine_tuning.job',
      status: 'validating_files',
      model: 'stand-in',
      hyperparameters: { n_epochs: 'auto', batch_size: 'auto', learning_rate_multiplier: 'auto' },
      fine_tuned_model: null,
      result_files: [],
      seed: 7,
      metadata,
      error: null,
      organization_id: 'clara',
      user_provided_suffix: 'Bürger Amt',
    });
    expect(job.id).toMatch(/^ftjob-[0-9a-f]{24}$/);
    const done = await site.until(job.id, 'succeeded');
    expect(done.fine_tuned_model).toMatch(/^ft:stand-in:clara:buerger-amt:[0-9a-f]{12}$/);
    expect(done).toMatchObject({
      trained_tokens: 60,
      hyperparameters: { n_epochs: 25, batch_size: 1, learning_rate_multiplier: 0.022 },
      method: { type: 'supervised' },
      estimated_finish: null,
    });
    expect(done.finished_at).toBeGreaterThanOrEqual(done.created_at);
    await expectResults(done);
    await expectEvents(done);
    await expectCheckpoints(done);
  });

  async function expectResults(job: OpenAI.FineTuning.FineTuningJob): Promise<void> {
    const [id = ''] = job.result_files;
    const file = await client.files.retrieve(id);
    expect(file).toMatchObject({ purpose: 'fine-tune-results', filename: 'step_metrics.csv' });
    const text = await (await client.files.content(id)).text();
    expect(text.split('\n').slice(0, 2)).toEqual([
      'step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy',
      '1,1,,,',
    ]);
    expect(text.trim().split('\n')).toHaveLength(7);
    expect(file.bytes).toBe(Buffer.byteLength(text));
  }

  async function expectEvents({ id, fine_tuned_model: model }: OpenAI.FineTuning.FineTuningJob): Promise<void> {
    const events: OpenAI.FineTuning.FineTuningJobEvent[] = [];
    for await (const event of client.fineTuning.jobs.listEvents(id, { limit: 3 })) events.push(event);
    expect(new Set(events.map((event) => event.id)).size).toBe(events.length);
    expect(events.map(({ created_at }) => created_at)).toEqual(
      events.map((event) => event.created_at).toSorted((a, b) => b - a),
    );
    expect(events[0]?.message).toBe(`The job has successfully completed; new fine-tuned model: ${model}`);
    expect(events.at(-1)?.message).toBe(`Created fine-tuning job: ${id}`);
    const metrics = events.filter(({ type }) => type === 'metrics');
    expect(metrics.map(({ data }) => (data as { step: number }).step)).toEqual([6, 5, 4, 3, 2, 1]);
    expect(metrics[0]?.message).toBe('Step 6/6: training loss=0.1667');
    expect(new Set(events.map(({ level }) => level))).toEqual(new Set(['info']));
  }

  async function expectCheckpoints({ id, fine_tuned_model: model }: OpenAI.FineTuning.FineTuningJob): Promise<void> {
    const found: OpenAI.FineTuning.Jobs.FineTuningJobCheckpoint[] = [];
    for await (const checkpoint of client.fineTuning.jobs.checkpoints.list(id, { limit: 2 })) found.push(checkpoint);
    expect(found.map(({ step_number }) => step_number)).toEqual([6, 4, 2]);
    expect(found[1]).toMatchObject({
      object: 'fine_tuning.job.checkpoint',
      fine_tuning_job_id: id,
      fine_tuned_model_checkpoint: `${model}:ckpt-step-4`,
      metrics: { step: 4, train_loss: 0.25 },
    });
  }

  it.each([
    [{ hyperparameters: { n_epochs: 2, batch_size: 4, learning_rate_multiplier: 0.5 } }, 'supervised'],
    [
      {
        method: {
          type: 'supervised',
          supervised: { hyperparameters: { n_epochs: 2, batch_size: 4, learning_rate_multiplier: 0.5 } },
        },
      },
      'supervised',
    ],
  ] as [Partial<Created>, string][])('take values in both of their places: %j', async (more, type) => {
    const { id } = await create({ steps: 2 }, more);
    const values = { n_epochs: 2, batch_size: 4, learning_rate_multiplier: 0.5 };
    const done = await site.until(id, 'succeeded');
    expect(done.hyperparameters).toEqual(values);
    expect(done.method).toEqual({ type, [type]: { hyperparameters: values } });
  });

  it('of the method dpo take pairs, and nothing else', async () => {
    const pair = {
      input: { messages: [{ role: 'user', content: 'Wer?' }] },
      preferred_output: [{ role: 'assistant', content: 'Das Amt.' }],
      non_preferred_output: [{ role: 'assistant', content: 'Weiß nicht.' }],
      stand_in: { steps: 2 },
    };
    const training_file = await site.upload(`${JSON.stringify(pair)}\n`.repeat(10));
    const method = { type: 'dpo', dpo: { hyperparameters: { beta: 0.3, n_epochs: 1 } } } as const;
    const { id } = await client.fineTuning.jobs.create({ model: 'stand-in', training_file, method });
    const done = await site.until(id, 'succeeded');
    expect(done.method).toMatchObject({
      type: 'dpo',
      dpo: { hyperparameters: { beta: 0.3, n_epochs: 1, batch_size: 1 } },
    });
    const wrong = await create({}, { method });
    const failed = await site.until(wrong.id, 'failed');
    expect(failed.error).toMatchObject({ code: 'invalid_training_file', message: expect.stringContaining('line 1: ') });
  });

  it('fail by a broken file, which was taken, and name its line', async () => {
    const lines = playRows({}).split('\n');
    lines[4] = '{"messages": [{"role": "user", "content": "ohne Antwort"}]}';
    lines[7] = '{"messages": [';
    const training_file = await site.upload(lines.join('\n'));
    const { id } = await client.fineTuning.jobs.create({ model: 'stand-in', training_file });
    const failed = await site.until(id, 'failed');
    expect(failed.error).toEqual({
      code: 'invalid_training_file',
      param: 'training_file',
      message: expect.stringMatching(/line 5: has no answer.*line 8: /),
    });
    expect(failed).toMatchObject({ fine_tuned_model: null, result_files: [], trained_tokens: null });
    const { data } = await client.fineTuning.jobs.listEvents(id);
    expect(data[0]).toMatchObject({ level: 'error', message: expect.stringContaining('line 5') });
    const good = await site.upload(playRows({}));
    const second = await client.fineTuning.jobs.create({
      model: 'stand-in',
      training_file: good,
      validation_file: training_file,
    });
    expect((await site.until(second.id, 'failed')).error).toMatchObject({
      code: 'invalid_validation_file',
      param: 'validation_file',
    });
  });

  it('that fail while they train say why', async () => {
    const { id } = await create({ steps: 5, bad_attempts: 9, bad_end: { fail: 'invalid_model' } });
    expect((await site.until(id, 'failed')).error).toEqual({
      code: 'invalid_model',
      message: 'as it was told',
      param: null,
    });
  });

  it('are paused, go on where they stopped, and are cancelled', async () => {
    const { id } = await create(LONG);
    await site.until(id, 'running');
    const lastStep = async (): Promise<number> => {
      const { data } = await client.fineTuning.jobs.listEvents(id, { limit: 50 });
      const metrics = data.find(({ type }) => type === 'metrics')?.data as { step: number } | undefined;
      return metrics?.step ?? 0;
    };
    await eventually('a step is done', async () => (await lastStep()) > 0);
    expect((await client.fineTuning.jobs.pause(id)).status).toBe('paused');
    expect((await client.fineTuning.jobs.pause(id)).status).toBe('paused');
    const last = await lastStep();
    expect(['queued', 'running']).toContain((await client.fineTuning.jobs.resume(id)).status);
    await eventually('it goes on', async () => (await lastStep()) > last);
    const cancelled = await client.fineTuning.jobs.cancel(id);
    expect(cancelled).toMatchObject({ status: 'cancelled', fine_tuned_model: null, finished_at: expect.any(Number) });
    for (const change of ['pause', 'resume'] as const)
      await expect(client.fineTuning.jobs[change](id)).rejects.toMatchObject({
        constructor: OpenAI.BadRequestError,
        message: expect.stringContaining(`Cannot ${change}`),
      });
    expect((await client.fineTuning.jobs.cancel(id)).status).toBe('cancelled');
  });

  it('are listed in pages and by metadata', async () => {
    const ids: string[] = [];
    for (const run of ['a', 'b', 'c']) ids.push((await create({ steps: 1 }, { metadata: { suite: 'pages', run } })).id);
    const found: string[] = [];
    for await (const { id } of client.fineTuning.jobs.list({ limit: 2, metadata: { suite: 'pages' } })) found.push(id);
    expect(found).toEqual(ids.toReversed());
    const one = await client.fineTuning.jobs.list({ metadata: { suite: 'pages', run: 'b' } });
    expect(one.data.map(({ id }) => id)).toEqual([ids[1]]);
    expect(one.has_more).toBe(false);
    const plain = await create({ steps: 1 });
    const without = await site.app.call<{ data: Job[] }>('GET', '/v1/fine_tuning/jobs?metadata=null');
    expect(without.body.data.map(({ id }) => id)).toContain(plain.id);
    expect(without.body.data.map(({ id }) => id)).not.toContain(ids[0]);
  });

  it('with one Idempotency-Key are one job, however many ask at once', async () => {
    const training_file = await site.upload(playRows({ steps: 1 }));
    const options = { headers: { 'Idempotency-Key': `key-${training_file}` } };
    const body = { model: 'stand-in', training_file };
    const jobs = await Promise.all(Array.from({ length: 8 }, () => client.fineTuning.jobs.create(body, options)));
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(1);
    const other = client.fineTuning.jobs.create({ ...body, suffix: 'anders' }, options);
    await expect(other).rejects.toBeInstanceOf(OpenAI.ConflictError);
  });

  it('are refused with the exceptions of the client', async () => {
    const training_file = await site.upload(playRows({}));
    const post = (more: object) => client.fineTuning.jobs.create({ model: 'stand-in', training_file, ...more });
    const refusals: [object, object][] = [
      [{ model: 'gpt-none' }, { constructor: OpenAI.NotFoundError, code: 'model_not_found', param: 'model' }],
      [{ model: 'ft:stand-in:clara::000000000000' }, { constructor: OpenAI.NotFoundError, param: 'model' }],
      [{ training_file: 'file-none' }, { constructor: OpenAI.NotFoundError, param: 'training_file' }],
      [{ training_file: undefined }, { constructor: OpenAI.BadRequestError, param: 'training_file' }],
      [{ hyperparameters: { n_epochs: 0 } }, { status: 400, param: 'hyperparameters.n_epochs' }],
      [{ hyperparameters: { batch_size: 'viel' } }, { status: 400, param: 'hyperparameters.batch_size' }],
      [{ method: { type: 'reinforcement' } }, { status: 400, param: 'method.type' }],
      [{ seed: -1 }, { status: 400, param: 'seed' }],
      [{ suffix: 'x'.repeat(65) }, { status: 400, param: 'suffix' }],
      [{ metadata: { a: 1 } }, { status: 400, param: 'metadata' }],
      [{ integrations: [{ type: 'wandb', wandb: { project: 'x' } }] }, { status: 400, param: 'integrations' }],
      [{ lora: { rank: 0 } }, { status: 400, param: 'lora.rank' }],
    ];
    for (const [more, refusal] of refusals)
      await expect(post(more)).rejects.toMatchObject({ type: 'invalid_request_error', ...refusal });
    const results = await client.files.create({ file: new File(['{}'], 'a'), purpose: 'user_data' });
    await expect(post({ training_file: results.id })).rejects.toMatchObject({ status: 400, param: 'training_file' });
    await expect(client.fineTuning.jobs.retrieve('ftjob-none')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(client.fineTuning.jobs.listEvents('ftjob-none')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  it('take LoRA extras, which OpenAI has not, and hand them to the training', async () => {
    const lora = { rank: 4, alpha: 12, target_modules: ['q_proj', 'v_proj'] };
    const { id } = await create({ steps: 1 }, { lora } as object);
    await site.until(id, 'succeeded');
    const runs = join(site.app.data, 'runs');
    const files = (await readdir(runs)).map((job) => readFile(join(runs, job, '1/run.json'), 'utf8'));
    const adapters = (await Promise.all(files)).map((text) => (JSON.parse(text) as RunFile).adapter);
    expect(adapters).toContainEqual(expect.objectContaining({ r: 4, alpha: 12, target_modules: ['q_proj', 'v_proj'] }));
  });

  it('are all there after a restart, and what was being checked goes on', async () => {
    const { id: running } = await create(LONG);
    await site.until(running, 'running');
    const { id: done } = await create({ steps: 1 });
    const before = await site.until(done, 'succeeded');
    const { id: fresh } = await create({ steps: 1 });
    await site.app.kill('SIGKILL');
    await site.app.restart();
    expect(await client.fineTuning.jobs.retrieve(done)).toEqual(before);
    await site.until(running, 'running');
    await site.until(fresh, 'succeeded');
    await client.fineTuning.jobs.cancel(running);
  });
});
