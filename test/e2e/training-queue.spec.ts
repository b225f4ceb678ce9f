import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { App } from '../fixtures/app.js';
import { Jobs, oneTo } from '../fixtures/jobs.js';
import { processesOf } from '../fixtures/processes.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(180_000);

describe('jobs of a running application', () => {
  let app: App;
  let jobs: Jobs;

  beforeAll(async () => {
    app = await App.start({
      env: { CLARA_MAX_CONCURRENT_JOBS: '2', CLARA_MAX_ATTEMPTS: '3', CLARA_CANCEL_GRACE_SECONDS: '1' },
    });
    jobs = new Jobs(app);
  });
  afterAll(() => app.dispose());

  const cancel = (id: string) => app.call('DELETE', `/api/training/jobs/${id}`);
  const types = async (id: string) => (await jobs.events(id)).map(({ type }) => type);
  const nothingLives = async (id: string) => (await processesOf(join(app.data, 'runs', id))).length === 0;
  /** Two jobs that hold both slots until they are cancelled. */
  const fillSlots = async (): Promise<() => Promise<void>> => {
    const ids = await Promise.all([jobs.post({ data: { steps: 10_000 } }), jobs.post({ data: { steps: 10_000 } })]);
    await Promise.all(ids.map((id) => jobs.until(id, 'running')));
    return async () => {
      await Promise.all(ids.map(cancel));
      await Promise.all(ids.map((id) => jobs.until(id, 'cancelled')));
    };
  };

  it('run to their end, with every event numbered', async () => {
    const id = await jobs.post({ data: { steps: 4, save_steps: 2 }, tags: ['a'] });
    const job = await jobs.until(id, 'completed');
    expect(job).toMatchObject({ progress_percent: 100, attempt: 1, current_step: 4, tags: ['a'], error_message: null });
    expect(job.adapter_path).toBe(join(app.data, 'models', id));
    const config = await readFile(join(app.data, 'models', id, 'adapter_config.json'), 'utf8');
    expect(JSON.parse(config)).toMatchObject({ peft_type: 'LORA' });
    const events = await jobs.events(id);
    expect(events.map(({ number }) => number)).toEqual(oneTo(events.length));
    const expected =
      'created queued running phase phase started progress progress checkpoint progress progress checkpoint finished completed';
    expect(events.map(({ type }) => type)).toEqual(expected.split(' '));
    expect(await nothingLives(id)).toBe(true);
  });

  it('start by priority, then by age, as slots become free', async () => {
    const free = await fillSlots();
    const ids: string[] = [];
    for (const priority of [1, 3, 5, 3]) ids.push(await jobs.post({ data: { steps: 1, seconds: 0.1 }, priority }));
    const waiting = await Promise.all(
      ids.map((id) => jobs.when(id, 'says what it waits for', (job) => job.waiting_for === 'slot')),
    );
    expect(waiting.map((job) => job.queue_position)).toEqual([4, 2, 1, 3]);
    await free();
    const ended = await Promise.all(ids.map((id) => jobs.until(id, 'completed')));
    const order = ids
      .map((_, index) => index)
      .toSorted((a, b) => Date.parse(ended[a]?.started_at ?? '') - Date.parse(ended[b]?.started_at ?? ''));
    expect(order).toEqual([2, 1, 3, 0]);
  });

  it('that wait never run once they are cancelled', async () => {
    const free = await fillSlots();
    const id = await jobs.post({ data: { steps: 1 } });
    const { status, body } = await cancel(id);
    expect([status, body]).toMatchObject([200, { success: true, status: 'cancelled', cancel_requested: true }]);
    await free();
    const next = await jobs.post({ data: { steps: 1 } });
    await jobs.until(next, 'completed');
    expect(await types(id)).not.toContain('running');
    expect(await jobs.get(id)).toMatchObject({ status: 'cancelled', attempt: 0, started_at: null });
  });

  it('that run save and end when they are cancelled, and nothing of them lives', async () => {
    const id = await jobs.post({ data: { steps: 10_000, save_steps: 1000 } });
    await jobs.when(id, 'trains', (job) => job.current_step > 2);
    const began = Date.now();
    expect((await cancel(id)).body).toMatchObject({ success: true, cancel_requested: true });
    expect(Date.now() - began).toBeLessThan(5000);
    await jobs.until(id, 'cancelled');
    expect(await nothingLives(id)).toBe(true);
    const all = await types(id);
    expect(all.slice(-3)).toEqual(['checkpoint', 'stopped', 'cancelled']);
    expect(all).toContain('cancel_requested');
  });

  it('are killed past the grace when they do not listen', async () => {
    const id = await jobs.post({ data: { steps: 10_000, ignores_term: true } });
    await jobs.when(id, 'trains', (job) => job.current_step > 0);
    await cancel(id);
    await jobs.until(id, 'cancelled');
    expect(await nothingLives(id)).toBe(true);
  });

  it('can be cancelled while the worker is still importing', async () => {
    const id = await jobs.post({ data: { steps: 10_000, importing: 600 } });
    await eventually('the worker imports', async () => (await types(id)).includes('phase'));
    await cancel(id);
    await jobs.until(id, 'cancelled');
    expect(await types(id)).not.toContain('progress');
    expect(await nothingLives(id)).toBe(true);
  });

  it('can be cancelled at the very moment they start', async () => {
    const ids = await Promise.all(Array.from({ length: 6 }, () => jobs.post({ data: { steps: 10_000 } })));
    await Promise.all(ids.map(cancel));
    await Promise.all(ids.map((id) => jobs.until(id, 'cancelled')));
    for (const id of ids) expect(await nothingLives(id)).toBe(true);
  });

  it('go on from the last checkpoint after their worker was killed', async () => {
    const id = await jobs.post({ data: { steps: 9, save_steps: 3, bad_attempts: 1, bad_end: { signal: 'SIGKILL' } } });
    const job = await jobs.until(id, 'completed');
    expect(job.attempt).toBe(2);
    const events = await jobs.events(id);
    expect(events.map(({ number }) => number)).toEqual(oneTo(events.length));
    expect(events.find(({ type }) => type === 'retrying')?.data).toMatchObject({
      reason: 'killed',
      message: expect.stringContaining('the stand-in ends badly, as it was told'),
      resume_from: join(jobs.runFolder(id), 'checkpoints/checkpoint-3'),
    });
    expect(events.filter(({ type }) => type === 'started').map(({ step }) => step)).toEqual([0, 3]);
  });

  it('fail after the last attempt, with the last words of the worker', async () => {
    const id = await jobs.post({ data: { steps: 9, bad_attempts: 9, bad_end: { exit: 7 } } });
    const job = await jobs.when(id, 'has failed', ({ status }) => status === 'failed');
    expect(job.attempt).toBe(3);
    expect(job.error_message).toMatch(/ended with exit code 7 .*as it was told.*attempt 3 of 3/s);
    expect((await types(id)).filter((type) => type === 'retrying')).toHaveLength(2);
  });

  it('fail at once when another attempt cannot help', async () => {
    const id = await jobs.post({ data: { steps: 9, bad_attempts: 9, bad_end: { fail: 'invalid_data' } } });
    const job = await jobs.when(id, 'has failed', ({ status }) => status === 'failed');
    expect(job).toMatchObject({ attempt: 1, error_message: 'as it was told' });
  });

  it('halve the micro-batch twice when memory runs out, visibly, and go on', async () => {
    const config = 'training: {batch_size: 4, gradient_accumulation_steps: 2}\n';
    const id = await jobs.post({
      config,
      data: { steps: 12, save_steps: 2, bad_attempts: 2, bad_end: { fail: 'out_of_memory' } },
    });
    const job = await jobs.until(id, 'completed');
    expect(job.attempt).toBe(3);
    const sizes = await Promise.all(
      [1, 2, 3].map(async (attempt) => {
        const run: unknown = JSON.parse(await readFile(join(jobs.runFolder(id, attempt), 'run.json'), 'utf8'));
        const { training } = run as { training: { batch_size: number; gradient_accumulation_steps: number } };
        return [training.batch_size, training.gradient_accumulation_steps];
      }),
    );
    expect(sizes).toEqual([
      [4, 2],
      [2, 4],
      [1, 8],
    ]);
    const retries = (await jobs.events(id)).filter(({ type }) => type === 'retrying');
    expect(retries.map(({ data }) => data['reason'])).toEqual(['out_of_memory', 'out_of_memory']);
  });

  it('can be tried again by hand, from the last checkpoint', async () => {
    const id = await jobs.post({
      data: { steps: 8, save_steps: 2, bad_attempts: 1, bad_end: { fail: 'invalid_data' } },
    });
    await jobs.when(id, 'has failed', ({ status }) => status === 'failed');
    const { body } = await app.call('POST', `/api/training/jobs/${id}/retry`);
    expect(body).toMatchObject({ success: true, status: 'pending', data: { error_message: null, completed_at: null } });
    expect(await jobs.until(id, 'completed')).toMatchObject({ attempt: 2, error_message: null });
    expect((await jobs.events(id)).filter(({ type }) => type === 'started').map(({ step }) => step)).toEqual([0, 2]);
    expect((await app.call('POST', `/api/training/jobs/${id}/retry`)).status).toBe(409);
  });

  it('end in a clear error when the adapter cannot be moved, and keep it', async () => {
    await writeFile(join(app.data, 'blocked'), 'a file where a folder should be');
    const config = 'training: {output_dir: blocked}\n';
    const posted = await app.call('POST', '/api/training/jobs', { body: await jobs.request({ config }) });
    if (posted.status === 422) return expect(JSON.stringify(posted.body)).toContain('training.output_dir');
    const job = await jobs.when(String(posted.body['job_id']), 'has failed', ({ status }) => status === 'failed');
    expect(job.error_message).toMatch(/adapter is trained and lies in .*could not be moved to .*blocked/);
    return expect(await readFile(join(jobs.runFolder(job.job_id), 'adapter/adapter_config.json'), 'utf8')).toBe('{}');
  });

  it('end in a clear error when their run folder cannot be made', async () => {
    const free = await fillSlots();
    const id = await jobs.post({ data: { steps: 1 } });
    await writeFile(join(app.data, 'runs', id), 'a file where a folder should be');
    await free();
    const job = await jobs.when(id, 'has failed', ({ status }) => status === 'failed');
    expect(job.error_message).toMatch(/could not be run: .*(EEXIST|ENOTDIR)/);
  });

  it('begin again, and say so, when their checkpoint was removed meanwhile', async () => {
    const id = await jobs.post({
      data: { steps: 6, save_steps: 2, bad_attempts: 1, bad_end: { fail: 'invalid_data' } },
    });
    await jobs.when(id, 'has failed', ({ status }) => status === 'failed');
    const checkpoints = join(jobs.runFolder(id), 'checkpoints');
    await import('node:fs/promises').then((fs) => fs.rm(checkpoints, { recursive: true }));
    await mkdir(checkpoints);
    await app.call('POST', `/api/training/jobs/${id}/retry`);
    await jobs.until(id, 'completed');
    const events = await jobs.events(id);
    expect(events.filter(({ type }) => type === 'started').map(({ step }) => step)).toEqual([0, 0]);
    expect(JSON.stringify(events)).toContain('is gone: the training begins again');
  });

  it('show in the list of workers what the slots do', async () => {
    const free = await fillSlots();
    type Workers = { active_workers: number; workers: { current_job_id: string; memory_mb: number }[] };
    const look = async () => (await app.call<Workers>('GET', '/api/training/workers')).body;
    const seen = await eventually('both are measured', async () => {
      const now = await look();
      return now.workers.every(({ memory_mb }) => memory_mb > 1) && now;
    });
    const worker = { status: 'running', current_job_id: expect.any(String), jobs_completed: expect.any(Number) };
    expect(seen).toMatchObject({ active_workers: 2, max_workers: 2, workers: [worker, worker] });
    await free();
  });
});
