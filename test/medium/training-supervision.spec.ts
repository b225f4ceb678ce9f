import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import type { JobEntity } from '../../src/modules/training/job.entity.js';
import { exists } from '../../src/modules/training/run-folder.js';
import type { Supervisor } from '../../src/modules/training/supervisor.js';
import type { FakeLauncher } from '../fixtures/fake-launcher.js';
import { Queue } from '../fixtures/queue.js';
import { folderOf, Supervision, type Begin } from '../fixtures/supervision.js';
import { TestDatabases } from '../fixtures/test-database.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(120_000);

const done = { adapter: 'adapter', report: { loss: {}, perplexity: {}, token_accuracy: {} } };

describe('the supervision of an attempt', () => {
  let databases: TestDatabases;
  let source: DataSource;
  let site: Supervision;
  let queue: Queue;
  let launcher: FakeLauncher;

  beforeAll(async () => {
    databases = await TestDatabases.open();
    source = await databases.source();
  });
  beforeEach(async () => {
    site = await Supervision.open(source, 4);
    ({ queue, launcher } = site);
  });
  afterEach(() => site.close());
  afterAll(() => databases.close());

  const claimed = async (): Promise<JobEntity> => {
    await queue.queued();
    return site.claimed();
  };
  const found: Begin = () => Promise.resolve('found');
  const supervise = (...how: Parameters<Supervision['supervise']>): Supervisor => site.supervise(...how);
  const statusOf = async (job: JobEntity) => (await queue.row(job.job_id)).status;
  const finish = async (job: JobEntity): Promise<void> => {
    await mkdir(join(folderOf(job).path, 'adapter'), { recursive: true });
    await launcher.report(folderOf(job), 'finished', done, 4);
    await launcher.end(folderOf(job), { code: 0, signal: null });
  };

  it('waits for a launcher that is slow to take its lock, instead of taking it for dead', async () => {
    const job = await claimed();
    const supervisor = supervise(job);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect([await statusOf(job), launcher.asked]).toEqual(['running', ['submit 1/1']]);
    await launcher.begin(folderOf(job));
    await finish(job);
    await supervisor.done;
    expect(await statusOf(job)).toBe('completed');
  });

  it('takes a launcher that ended without a word for dead', async () => {
    const job = await claimed();
    const supervisor = supervise(job);
    await eventually('it was started', () => launcher.asked.length > 0);
    await launcher.end(folderOf(job), undefined);
    await supervisor.done;
    expect(await queue.row(job.job_id)).toMatchObject({
      status: 'queued',
      failures: 1,
      error_message: expect.stringContaining('SIGKILL'),
    });
  });

  it('asks the lock, not the number of a process that may belong to a stranger by now', async () => {
    const job = await claimed();
    await mkdir(folderOf(job).path, { recursive: true });
    // The launcher died with the machine; its number is now the one of this very process.
    await launcher.begin(folderOf(job), process.pid);
    launcher.alive = false;
    await supervise(job, found).done;
    expect(await statusOf(job)).toBe('queued');
  });

  it('endures a look that fails, and a probe that times out', async () => {
    const job = await claimed();
    await launcher.begin(folderOf(job));
    launcher.troubles = [1, 2, 3].map(() => new Error('probe timed out'));
    const supervisor = supervise(job, found);
    await eventually('it goes on looking', () => launcher.asked.length > 3);
    expect(await statusOf(job)).toBe('running');
    await finish(job);
    await supervisor.done;
    expect(await statusOf(job)).toBe('completed');
  });

  it('gives a job up whose attempt cannot be begun', async () => {
    const job = await claimed();
    await supervise(job, () => Promise.reject(new Error('no place'))).done;
    expect(await queue.row(job.job_id)).toMatchObject({
      status: 'failed',
      error_message: 'The attempt could not be run: no place',
    });
    expect(launcher.asked).toEqual(['KILL']);
  });

  it('leaves a job alone that cannot be begun because the database is away', async () => {
    const job = await claimed();
    const away = Object.assign(new Error('Connection terminated unexpectedly'), { code: '57P01' });
    await supervise(job, () => Promise.reject(away)).done;
    expect([await statusOf(job), launcher.asked]).toEqual(['running', []]);
  });

  it('stores nothing once another application has taken over', async () => {
    const job = await claimed();
    await launcher.begin(folderOf(job));
    const supervisor = supervise(job, found);
    const other = new Queue(source);
    await source.query('UPDATE training_jobs SET lease_until = now() - make_interval(secs => 1)');
    await other.store.adopt(other.by, '/elsewhere/', []);
    await finish(job);
    await supervisor.done;
    expect(await queue.row(job.job_id)).toMatchObject({ status: 'running', owner: other.by.owner, last_event: 3 });
    await other.close();
  });

  it('ends well when two supervisors see the same end: one adapter, completed once', async () => {
    const job = await claimed();
    await launcher.begin(folderOf(job));
    const first = supervise(job, found);
    const other = new Queue(source);
    await source.query('UPDATE training_jobs SET lease_until = now() - make_interval(secs => 1)');
    const [adopted] = await other.store.adopt(other.by, '/elsewhere/', []);
    const second = supervise(adopted ?? job, found);
    await finish(job);
    await Promise.all([first.done, second.done]);
    const row = await queue.row(job.job_id);
    expect(row).toMatchObject({ status: 'completed', adapter_path: join(site.data, 'models', job.job_id) });
    expect(await exists(row.adapter_path ?? '')).toBe(true);
    const types = (await queue.feed.readJob(job.job_id, 0, 100)).map(({ type }) => type);
    expect(types.filter((type) => type === 'completed')).toHaveLength(1);
    await other.close();
  });

  describe('asked to stop', () => {
    it('asks the worker, waits for its word, and cancels', async () => {
      const job = await claimed();
      await launcher.begin(folderOf(job));
      launcher.onSignal = async (folder) => {
        await launcher.report(folder, 'stopped', { reason: 'cancel', checkpoint: null });
        await launcher.end(folder, { code: 0, signal: null });
      };
      const supervisor = supervise(job, found);
      await supervisor.stop('cancel');
      await supervisor.done;
      expect([await statusOf(job), launcher.asked.filter((word) => word !== 'find')]).toEqual(['cancelled', ['TERM']]);
    });

    it('kills past the grace, and is not done before nothing is left', async () => {
      const job = await claimed();
      await launcher.begin(folderOf(job));
      let kills = 0;
      launcher.onSignal = async (folder, signal) => {
        if (signal === 'KILL') kills += 1;
        if (kills === 2) await launcher.end(folder, undefined);
      };
      const supervisor = supervise(job, found, 0.1);
      await supervisor.stop('cancel');
      await eventually('it was killed once', () => kills === 1);
      expect(await statusOf(job)).toBe('running');
      await supervisor.done;
      expect([await statusOf(job), kills]).toEqual(['cancelled', 2]);
    });

    it('gets through although asking fails', async () => {
      const job = await claimed();
      await launcher.begin(folderOf(job));
      launcher.troubles = [new Error('no memory'), new Error('no memory'), new Error('no memory')];
      launcher.onSignal = (folder) => launcher.end(folder, undefined);
      const supervisor = supervise(job, found, 0.1);
      await supervisor.stop('cancel');
      await supervisor.done;
      expect(await statusOf(job)).toBe('cancelled');
    });

    it('cancels, rather than tries again, when the wish comes as the attempt ends', async () => {
      const job = await claimed();
      await launcher.begin(folderOf(job));
      const supervisor = supervise(job, found);
      await source.query('UPDATE training_jobs SET cancel_requested_at = now() WHERE job_id = $1', [job.job_id]);
      await launcher.end(folderOf(job), { code: null, signal: 'SIGSEGV' });
      await supervisor.done;
      expect(await statusOf(job)).toBe('cancelled');
    });
  });

  it('stores the byte up to which it has read with what it read, and goes on there', async () => {
    const job = await claimed();
    const folder = folderOf(job);
    await launcher.begin(folder);
    const first = supervise(job, found);
    for (const phase of ['importing', 'training']) await launcher.report(folder, 'phase', { phase });
    await eventually('both are stored', async () => (await queue.row(job.job_id)).last_event === 5);
    first.detach();
    await first.done;
    await launcher.report(folder, 'checkpoint', { path: 'checkpoints/checkpoint-2' }, 2);
    await writeFile(join(folder.path, 'exit.json'), JSON.stringify({ code: 1, signal: null, time: 't' }));
    launcher.alive = false;
    await supervise(await queue.row(job.job_id), found).done;
    const types = (await queue.feed.readJob(job.job_id, 3, 100)).map(({ type }) => type);
    expect(types).toEqual(['phase', 'phase', 'checkpoint', 'retrying']);
    expect((await queue.row(job.job_id)).resume_from).toBe(join(folder.path, 'checkpoints/checkpoint-2'));
  });
});
