import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import type { Settings } from '../../src/config/settings.js';
import type { JobCreation } from '../../src/modules/training/job-creation.service.js';
import type { JobEntity } from '../../src/modules/training/job.entity.js';
import type { JobPauses } from '../../src/modules/training/job-pauses.service.js';
import type { JobPlanner } from '../../src/modules/training/job-planner.js';
import { OrderedJobs } from '../../src/modules/training/ordered-jobs.service.js';
import { OrderedJobStore } from '../../src/modules/training/ordered-jobs.store.js';
import type { JobOrder } from '../../src/modules/training/resolved-config.js';
import type { FinishedData } from '../../src/modules/training/run-contract.generated.js';
import type { RunFolder } from '../../src/modules/training/run-folder.js';
import type { TrainerEnvironment } from '../../src/modules/training/trainer-environment.port.js';
import type { TrainingService } from '../../src/modules/training/training.service.js';
import type { newJob, Queue } from '../fixtures/queue.js';
import { anyConfig } from '../fixtures/runs.js';
import { folderOf, Supervision } from '../fixtures/supervision.js';
import { TestDatabases } from '../fixtures/test-database.js';

import.meta.jest.setTimeout(120_000);

const order = (change: Partial<JobOrder> = {}): JobOrder => ({
  suffix: 'amt',
  metadata: { ticket: '7' },
  keep_checkpoints: 2,
  ...change,
});
const OF_AN_ADAPTER = ['adapter_config.json', 'adapter_model.safetensors', 'chat_template.jinja'];

describe('jobs that another module orders', () => {
  let databases: TestDatabases;
  let source: DataSource;
  let site: Supervision;
  let queue: Queue;
  let orders: OrderedJobs;

  beforeAll(async () => {
    databases = await TestDatabases.open();
    source = await databases.source();
  });
  beforeEach(async () => {
    site = await Supervision.open(source, 4);
    ({ queue } = site);
    const nobody = undefined as unknown;
    orders = new OrderedJobs(
      new OrderedJobStore(source),
      nobody as JobCreation,
      nobody as JobPlanner,
      nobody as TrainingService,
      nobody as JobPauses,
      nobody as Settings,
      nobody as TrainerEnvironment,
    );
  });
  afterEach(() => site.close());
  afterAll(() => databases.close());

  const ordered = (change: Parameters<typeof newJob>[0] = {}) =>
    queue.queued({ config: { ...anyConfig(), order: order() }, ...change });
  const runs = async (): Promise<{ job: JobEntity; folder: RunFolder }> => {
    const job = await site.claimed();
    return { job, folder: folderOf(job) };
  };
  /** A checkpoint as the trainer leaves it, with the reports around it. */
  const checkpoint = async ({ job, folder }: Awaited<ReturnType<typeof runs>>, step: number): Promise<string> => {
    const path = join(folder.path, 'checkpoints', `checkpoint-${step}`);
    await mkdir(path, { recursive: true });
    for (const name of [...OF_AN_ADAPTER, 'optimizer.pt', 'trainer_state.json']) await writeFile(join(path, name), '');
    await queue.store.change(job.job_id, {
      set: {},
      events: [
        { type: 'progress', step, data: { loss: 1 / step, total_steps: 9 } },
        { type: 'checkpoint', step, data: { path: `checkpoints/checkpoint-${step}` } },
      ],
    });
    return path;
  };

  it('are found apart from all others, with what they were ordered with', async () => {
    const first = await ordered();
    const plain = await queue.queued();
    const second = await ordered({ created_by: 'other', method: 'dpo' });
    expect(await orders.find(first.job_id)).toMatchObject({
      jobId: first.job_id,
      status: 'queued',
      method: 'supervised',
      suffix: 'amt',
      metadata: { ticket: '7' },
      parameters: { epochs: 1, batchSize: 8, learningRate: 0.001, beta: 0.1 },
      error: null,
    });
    const found = await orders.findAll([first, plain, second].map((job) => job.job_id));
    expect(found.map(({ jobId }) => jobId).toSorted()).toEqual([first.job_id, second.job_id].toSorted());
    expect(found.find(({ jobId }) => jobId === second.job_id)).toMatchObject({ createdBy: 'other', method: 'dpo' });
    expect(await orders.find(plain.job_id)).toBeUndefined();
    expect(await orders.find('no-uuid')).toBeUndefined();
  });

  it('tell the code of their failure, and their events newest first', async () => {
    const { job_id: id } = await ordered();
    const { job, folder } = await runs();
    await site.end.carryOut(job, folder, { become: 'failed', code: 'invalid_data', message: 'line 2: is not JSON' });
    expect(await orders.find(id)).toMatchObject({
      status: 'failed',
      error: { code: 'invalid_data', message: 'line 2: is not JSON' },
    });
    const events = await orders.events(id, { limit: 2 });
    expect(events.map(({ type }) => type)).toEqual(['failed', 'running']);
    const rest = await orders.events(id, { limit: 9, before: events.at(-1)?.number ?? 0 });
    expect(rest.map(({ type }) => type)).toEqual(['queued', 'created']);
    expect(events[0]?.data).not.toHaveProperty('job');
  });

  it('keep as many checkpoints as were ordered, as plain adapters', async () => {
    await ordered();
    const run = await runs();
    const paths = [];
    for (const step of [3, 6, 9]) paths.push(await checkpoint(run, step));
    expect((await orders.checkpoints(run.job.job_id)).map(({ step }) => step)).toEqual([9, 6, 3]);
    await mkdir(join(run.folder.path, 'adapter'));
    const finished = { adapter: 'adapter', report: {} } as unknown as FinishedData;
    const row = await site.end.carryOut(run.job, run.folder, { become: 'completed', finished });
    expect(row?.status).toBe('completed');
    const kept = await orders.checkpoints(run.job.job_id);
    expect(kept).toMatchObject([
      { step: 9, path: paths[2], metrics: { loss: 1 / 9 } },
      { step: 6, path: paths[1], metrics: { loss: 1 / 6 } },
    ]);
    for (const { path } of kept) expect((await readdir(path)).toSorted()).toEqual(OF_AN_ADAPTER);
    expect(await run.folder.checkpoints()).toHaveLength(2);
  });

  it('of others no checkpoint stays', async () => {
    await queue.queued();
    const run = await runs();
    await checkpoint(run, 3);
    await mkdir(join(run.folder.path, 'adapter'));
    const finished = { adapter: 'adapter', report: {} } as unknown as FinishedData;
    await site.end.carryOut(run.job, run.folder, { become: 'completed', finished });
    expect(await run.folder.checkpoints()).toEqual([]);
  });
});
