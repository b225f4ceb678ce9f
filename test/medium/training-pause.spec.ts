import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import type { DataSource } from 'typeorm';
import { NoAuditTrail } from '../../src/modules/audit/audit.port.js';
import type { DispatcherService } from '../../src/modules/training/dispatcher.service.js';
import { JobAccess } from '../../src/modules/training/job-access.service.js';
import type { JobEntity } from '../../src/modules/training/job.entity.js';
import { JobPauses } from '../../src/modules/training/job-pauses.service.js';
import type { JobPlanner } from '../../src/modules/training/job-planner.js';
import type { Supervisor } from '../../src/modules/training/supervisor.js';
import { TrainingMetrics } from '../../src/modules/training/training-metrics.js';
import { TrainingService } from '../../src/modules/training/training.service.js';
import { callerOf } from '../fixtures/callers.js';
import type { FakeLauncher } from '../fixtures/fake-launcher.js';
import { newJob, Queue } from '../fixtures/queue.js';
import { folderOf, Supervision } from '../fixtures/supervision.js';
import { TestDatabases } from '../fixtures/test-database.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(120_000);

const user = callerOf('tester', 'trainer');

describe('pausing a job', () => {
  let databases: TestDatabases;
  let source: DataSource;
  let site: Supervision;
  let queue: Queue;
  let launcher: FakeLauncher;
  let supervisors: Map<string, Supervisor>;
  let pauses: JobPauses;
  let training: TrainingService;

  beforeAll(async () => {
    databases = await TestDatabases.open();
    source = await databases.source();
  });
  beforeEach(async () => {
    site = await Supervision.open(source, 1);
    ({ queue, launcher } = site);
    supervisors = new Map();
    const dispatcher = {
      bottleneck: undefined,
      pause: (id: string) => supervisors.get(id)?.stop('pause'),
      cancel: (id: string) => supervisors.get(id)?.stop('cancel'),
    } as unknown as DispatcherService;
    const access = new JobAccess(queue.jobs, new NoAuditTrail());
    pauses = new JobPauses(queue.jobs, queue.store, access, dispatcher, queue.news);
    const metrics = new TrainingMetrics(new Registry());
    const planner = undefined as unknown as JobPlanner;
    training = new TrainingService(queue.jobs, queue.store, planner, dispatcher, metrics, queue.news, access);
  });
  afterEach(() => site.close());
  afterAll(() => databases.close());

  /** A job that trains, under a supervisor. */
  const trains = async (cancelGraceSeconds?: number): Promise<{ job: JobEntity; supervisor: Supervisor }> => {
    await queue.queued();
    const job = await site.claimed();
    const supervisor = site.supervise(job, undefined, cancelGraceSeconds);
    supervisors.set(job.job_id, supervisor);
    await eventually('it was started', () => launcher.asked.length > 0);
    await launcher.begin(folderOf(job));
    return { job, supervisor };
  };
  /** What a worker does that is asked to stop. */
  const stops = async (job: JobEntity, checkpoint: string | null = 'checkpoints/checkpoint-3'): Promise<void> => {
    if (checkpoint) await mkdir(join(folderOf(job).path, checkpoint), { recursive: true });
    await launcher.report(folderOf(job), 'stopped', { reason: 'pause', checkpoint }, 3);
    await launcher.end(folderOf(job), { code: 0, signal: null });
  };
  const typesOf = async (job: JobEntity): Promise<string[]> =>
    (await queue.feed.readJob(job.job_id, 0, 100)).map(({ type }) => type);

  it('takes a waiting one out of the queue until it is resumed', async () => {
    const first = await queue.queued();
    const second = await queue.queued();
    expect(await pauses.pause(first.job_id, user)).toMatchObject({
      status: 'pending',
      data: { status: 'pending', paused: true, pause_requested: false, queue_position: null, waiting_for: null },
    });
    expect((await site.claimed()).job_id).toBe(second.job_id);
    expect(await queue.claim()).toBeUndefined();
    expect(await queue.store.admit(100)).toBe(0);
    expect((await pauses.resume(first.job_id, user)).data).toMatchObject({
      status: 'queued',
      paused: false,
      queue_position: 1,
    });
    expect(await typesOf(first)).toEqual(['created', 'queued', 'paused', 'resumed']);
    const [paused] = (await queue.feed.readJob(first.job_id, 2, 1)).map(({ data: told }) => told);
    expect(paused).toMatchObject({ paused_by: 'tester', job: { status: 'pending', paused: true } });
  });

  it('is listed and counted as pending, and is active', async () => {
    const job = await queue.queued();
    await queue.store.create(newJob());
    await pauses.pause(job.job_id, user);
    const query = { limit: 10 };
    const list = await training.list({ ...query, status: 'pending' });
    expect(list.jobs.map(({ paused }) => paused)).toEqual([false, true]);
    expect(list).toMatchObject({ total_count: 2, active_count: 2 });
    expect(await training.list({ ...query, status: 'queued' })).toMatchObject({ total_count: 0, jobs: [] });
    expect(await queue.jobs.activeCount()).toBe(2);
    expect((await training.list({ limit: 1, status: 'pending', offset: 1 })).jobs[0]?.job_id).toBe(job.job_id);
    expect((await queue.feed.snapshots()).jobs).toContainEqual(
      expect.objectContaining({ job_id: job.job_id, status: 'pending', paused: true }),
    );
  });

  it('lets a running one save, gives its slot back, and goes on from its checkpoint without counting an attempt', async () => {
    const { job, supervisor } = await trains();
    await queue.store.change(job.job_id, { set: { failures: 1, run_seconds: 100 }, events: [] });
    expect((await pauses.pause(job.job_id, user)).data).toMatchObject({ status: 'running', pause_requested: true });
    await eventually('it is asked to stop', () => launcher.asked.includes('TERM'));
    await stops(job);
    await supervisor.done;
    const paused = await queue.row(job.job_id);
    expect(paused).toMatchObject({
      status: 'paused',
      owner: null,
      failures: 1,
      pause_requested_at: null,
      completed_at: null,
      resume_from: join(folderOf(job).path, 'checkpoints/checkpoint-3'),
    });
    await queue.queued();
    expect((await site.claimed()).job_id).not.toBe(job.job_id);
    await queue.host(2);
    await pauses.resume(job.job_id, user);
    const again = await site.claimed();
    expect(again).toMatchObject({ job_id: job.job_id, failures: 1, attempt: 2, resume_from: paused.resume_from });
    expect(again.run_seconds).toBe(paused.run_seconds);
    expect((await typesOf(job)).join(' ')).toBe(
      'created queued running pause_requested stopped paused resumed running',
    );
  });

  it('and then cancelling it ends it, before and after it has saved', async () => {
    const { job, supervisor } = await trains();
    await pauses.pause(job.job_id, user);
    await training.cancel(job.job_id, user);
    await expect(pauses.pause(job.job_id, user)).rejects.toThrow('it is being cancelled');
    await stops(job);
    await supervisor.done;
    expect((await queue.row(job.job_id)).status).toBe('cancelled');
    const waiting = await queue.queued();
    await pauses.pause(waiting.job_id, user);
    expect((await training.cancel(waiting.job_id, user)).status).toBe('cancelled');
    await expect(pauses.resume(waiting.job_id, user)).rejects.toThrow('only paused jobs can be resumed');
  });

  it('that finishes meanwhile leaves it completed', async () => {
    const { job, supervisor } = await trains();
    await pauses.pause(job.job_id, user);
    await mkdir(join(folderOf(job).path, 'adapter'), { recursive: true });
    const report = { loss: {}, perplexity: {}, token_accuracy: {} };
    await launcher.report(folderOf(job), 'finished', { adapter: 'adapter', report }, 4);
    await launcher.end(folderOf(job), { code: 0, signal: null });
    await supervisor.done;
    expect(await queue.row(job.job_id)).toMatchObject({ status: 'completed', pause_requested_at: null });
    await expect(pauses.pause(job.job_id, user)).rejects.toThrow('its status is completed; it has ended');
  });

  it('counts no failure where the worker had to be killed, or was asked outside its training', async () => {
    const { job, supervisor } = await trains(0.2);
    launcher.onSignal = async (folder, signal) => {
      if (signal === 'KILL') await launcher.end(folder, { code: null, signal: 'SIGKILL' });
    };
    await pauses.pause(job.job_id, user);
    await supervisor.done;
    expect(await queue.row(job.job_id)).toMatchObject({ status: 'paused', failures: 0, error_message: null });
    expect(launcher.asked).toContain('KILL');
  });

  it('keeps what a lack of memory while saving has taught', async () => {
    const { job, supervisor } = await trains();
    await pauses.pause(job.job_id, user);
    const failed = { code: 'out_of_memory', message: 'too much', retryable: true };
    await launcher.report(folderOf(job), 'failed', failed, 3);
    await launcher.end(folderOf(job), { code: 1, signal: null });
    await supervisor.done;
    expect(await queue.row(job.job_id)).toMatchObject({ status: 'paused', failures: 0, batch_halvings: 1 });
  });

  it('and withdrawing that before it has saved puts it back into the queue', async () => {
    const { job, supervisor } = await trains();
    await pauses.pause(job.job_id, user);
    expect((await pauses.resume(job.job_id, user)).data).toMatchObject({ status: 'running', pause_requested: false });
    await stops(job);
    await supervisor.done;
    expect(await queue.row(job.job_id)).toMatchObject({ status: 'queued', failures: 0, paused_by: null });
  });

  it('asked twice is asked once, and a wish that comes while the end is decided is kept', async () => {
    const { job, supervisor } = await trains();
    await Promise.all([pauses.pause(job.job_id, user), pauses.pause(job.job_id, user)]);
    await pauses.pause(job.job_id, user);
    await launcher.report(folderOf(job), 'stopped', { reason: 'shutdown', checkpoint: null }, null);
    await launcher.end(folderOf(job), { code: 0, signal: null });
    await supervisor.done;
    expect((await queue.row(job.job_id)).status).toBe('paused');
    expect((await typesOf(job)).filter((type) => type === 'paused')).toHaveLength(1);
  });

  it('survives the application: whoever adopts the job, or finds its host gone, knows of the wish', async () => {
    const { job, supervisor } = await trains();
    await pauses.recordPause(job.job_id, user);
    supervisor.detach();
    await supervisor.done;
    await queue.store.release(queue.by.owner);
    const heir = new Queue(source, { hostId: 'host' });
    const [adopted] = await heir.store.adopt(heir.by, '/nowhere/', []);
    expect(adopted?.job_id).toBe(job.job_id);
    const [lease] = await heir.store.renew(heir.by, [job.job_id]);
    expect(lease?.pause_requested_at).toBeInstanceOf(Date);
    await source.query(`UPDATE training_jobs SET lease_until = now() - interval '1 hour' WHERE job_id = $1`, [
      job.job_id,
    ]);
    await heir.store.requeueOrphans('elsewhere', 1);
    expect(await queue.row(job.job_id)).toMatchObject({ status: 'paused', pause_requested_at: null });
    await heir.close();
  });

  it('belongs to who may cancel it', async () => {
    const job = await queue.queued();
    const other = callerOf('other', 'trainer');
    await expect(pauses.pause(job.job_id, other)).rejects.toThrow('is not yours');
    await pauses.pause(job.job_id, user);
    await expect(pauses.resume(job.job_id, other)).rejects.toThrow('is not yours');
  });
});
