import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import type { JobEntity } from '../../src/modules/training/job.entity.js';
import { newJob, Queue } from '../fixtures/queue.js';
import { TestDatabases } from '../fixtures/test-database.js';

import.meta.jest.setTimeout(120_000);

describe('the queue in PostgreSQL', () => {
  let databases: TestDatabases;
  let source: DataSource;
  const queues: Queue[] = [];

  beforeAll(async () => {
    databases = await TestDatabases.open();
    source = await databases.source();
  });
  afterEach(() => Promise.all(queues.splice(0).map((queue) => queue.close())));
  afterAll(() => databases.close());

  const open = async (slots = 64, gpus = 0): Promise<Queue> => {
    const queue = new Queue(source);
    queues.push(queue);
    await queue.clear();
    await queue.host(slots, gpus);
    return queue;
  };
  const beside = (queue: Queue, hostId = 'host'): Queue => {
    const other = new Queue(queue.source, { hostId });
    queues.push(other);
    return other;
  };
  const claimAll = async (queue: Queue): Promise<string[]> => {
    const ids: string[] = [];
    for (;;) {
      const job = await queue.claim();
      if (!job || 'waitingFor' in job) return ids;
      ids.push(job.job_id);
    }
  };

  describe('claiming', () => {
    it('takes the highest priority first, and the oldest of equal ones', async () => {
      const queue = await open();
      const jobs: JobEntity[] = [];
      for (const priority of [1, 5, 3, 5, 1, 3]) jobs.push(await queue.queued({ priority }));
      expect(await claimAll(queue)).toEqual([1, 3, 2, 5, 0, 4].map((index) => jobs[index]?.job_id));
    });

    it('leaves what is not admitted, delayed or to be cancelled', async () => {
      const queue = await open();
      await queue.store.create(newJob());
      const later = await queue.queued();
      await queue.source.query(`UPDATE training_jobs SET not_before = now() + interval '1 hour' WHERE job_id = $1`, [
        later.job_id,
      ]);
      const cancelled = await queue.queued();
      await queue.source.query(`UPDATE training_jobs SET cancel_requested_at = now() WHERE job_id = $1`, [
        cancelled.job_id,
      ]);
      await queue.source.query(`UPDATE training_jobs SET status = 'pending' WHERE job_id <> ALL ($1)`, [
        [later.job_id, cancelled.job_id],
      ]);
      expect(await queue.claim()).toBeUndefined();
    });

    it('gives each job once to many claimants, never more than the slots', async () => {
      const queue = await open(10);
      const others = [queue, beside(queue), beside(queue), beside(queue)];
      const jobs = await Promise.all(Array.from({ length: 12 }, () => queue.store.create(newJob())));
      await queue.store.admit(100);
      const claimed = (await Promise.all(others.map(claimAll))).flat();
      expect(claimed).toHaveLength(10);
      expect(new Set(claimed).size).toBe(10);
      expect(claimed.every((id) => jobs.some((job) => job.job_id === id))).toBe(true);
      const running = await queue.jobs.running('host');
      expect(running.map(({ slot }) => slot).toSorted((a = 0, b = 0) => Number(a) - Number(b))).toEqual([
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
      ]);
      expect(await queue.claim()).toEqual({ waitingFor: 'slot' });
    });

    it('never gives a GPU to two jobs', async () => {
      const queue = await open(8, 4);
      const claimants = [queue, beside(queue), beside(queue)];
      for (const gpus of [1, 2, 1, 1, 2]) await queue.queued({ gpus });
      await Promise.all(claimants.map(claimAll));
      const given = (await queue.jobs.running('host')).flatMap((job) => job.gpu_indices);
      expect(given.toSorted((one, other) => one - other)).toEqual([0, 1, 2, 3]);
      expect(await queue.claim()).toEqual({ waitingFor: 'gpu' });
    });

    it('leaves a job to another host that asks for more GPUs than this one has, and says so', async () => {
      const queue = await open(4, 1);
      const big = await queue.queued({ gpus: 2, priority: 5 });
      const small = await queue.queued({ gpus: 1 });
      expect((await queue.claimed()).job_id).toBe(small.job_id);
      expect(await queue.claim()).toEqual({ waitingFor: 'gpu' });
      const other = beside(queue, 'other');
      await other.host(1, 2);
      expect((await other.claimed()).job_id).toBe(big.job_id);
      expect(await queue.claim()).toBeUndefined();
    });

    it('counts the slots of each host by itself', async () => {
      const queue = await open(1);
      const other = beside(queue, 'other');
      await other.host(1);
      await queue.queued();
      await queue.queued();
      await queue.queued();
      expect(await claimAll(queue)).toHaveLength(1);
      expect(await claimAll(other)).toHaveLength(1);
    });

    it('records the attempt: number, fence, owner, lease, folder and its event', async () => {
      const queue = await open();
      const { job_id } = await queue.queued();
      const job = await queue.claimed();
      expect(job).toMatchObject({
        status: 'running',
        attempt: 1,
        fence: 1,
        owner: queue.by.owner,
        host_id: 'host',
        slot: 0,
      });
      expect(job.run_dir).toBe(`/data/runs/${job_id}/1`);
      expect(Number(job.lease_until) - Date.now()).toBeGreaterThan(30_000);
      const events = await queue.feed.readJob(job_id, 0, 10);
      expect(events.map(({ number, type }) => [number, type])).toEqual([
        [1, 'created'],
        [2, 'queued'],
        [3, 'running'],
      ]);
    });
  });

  describe('fencing', () => {
    it('lets a stale attempt write nothing, neither state nor event', async () => {
      const queue = await open();
      await queue.queued();
      const job = await queue.claimed();
      await queue.source.query(`UPDATE training_jobs SET lease_until = now() - interval '1 second'`);
      const [taken] = await beside(queue).store.adopt({ ...queue.by, owner: randomUUID() }, '/elsewhere/', []);
      expect(taken?.fence).toBe(job.fence + 1);
      const written = await queue.store.change(job.job_id, {
        set: { progress_percent: 50 },
        events: [{ type: 'progress' }],
        from: ['running'],
        fence: job.fence,
      });
      expect(written).toBeUndefined();
      expect(await queue.row(job.job_id)).toMatchObject({ progress_percent: 0, last_event: 3 });
      expect(await queue.feed.readJob(job.job_id, 3, 10)).toEqual([]);
      expect(
        await queue.store.complete(job.job_id, { set: { status: 'completed' }, events: [], fence: job.fence }),
      ).toBeUndefined();
      expect(await queue.jobs.completedBySlot('host')).toEqual(new Map());
    });

    it('refuses a change that the table of transitions does not know', async () => {
      const queue = await open();
      const job = await queue.queued();
      expect(
        await queue.store.change(job.job_id, { set: { status: 'completed' }, events: [{ type: 'completed' }] }),
      ).toBeUndefined();
      expect((await queue.row(job.job_id)).status).toBe('queued');
    });
  });

  describe('leases', () => {
    const expire = (queue: Queue) =>
      queue.source.query(`UPDATE training_jobs SET lease_until = now() - interval '1 second'`);

    it('are adopted on the same host when they have run out, once', async () => {
      const queue = await open();
      await queue.queued();
      const { job_id } = await queue.claimed();
      const others = Array.from({ length: 4 }, () => beside(queue));
      const adopt = () => Promise.all(others.map((other) => other.store.adopt(other.by, '/elsewhere/', [])));
      expect((await adopt()).flat()).toEqual([]);
      await expire(queue);
      expect((await adopt()).flat().map((job) => job.job_id)).toEqual([job_id]);
    });

    it('are adopted at once by the application that has the data folder now', async () => {
      const queue = await open();
      await queue.queued();
      const { job_id } = await queue.claimed();
      const next = beside(queue);
      expect((await next.store.adopt(next.by, '/data/runs/', [])).map((job) => job.job_id)).toEqual([job_id]);
    });

    it('are never taken from oneself: what was just claimed is not adopted beside', async () => {
      const queue = await open();
      await queue.queued();
      await queue.claimed();
      expect(await queue.store.adopt(queue.by, '/data/runs/', [])).toEqual([]);
    });

    it('are not adopted by another host', async () => {
      const queue = await open();
      const other = beside(queue, 'other');
      await queue.queued();
      await queue.claimed();
      await expire(queue);
      expect(await other.store.adopt(other.by, '/data/runs/', [])).toEqual([]);
    });

    it('are renewed only for what is supervised', async () => {
      const queue = await open();
      await queue.queued();
      await queue.queued();
      const [kept, lost] = [await queue.claimed(), await queue.claimed()];
      expect((await queue.store.renew(queue.by, [kept.job_id])).map((row) => row.job_id)).toEqual([kept.job_id]);
      await expire(queue);
      await queue.store.renew(queue.by, [kept.job_id]);
      expect((await queue.store.adopt(queue.by, '/elsewhere/', [kept.job_id])).map((job) => job.job_id)).toEqual([
        lost.job_id,
      ]);
    });

    it('of a host that is gone put its jobs back into the queue, or end them where that was wished', async () => {
      const queue = await open();
      const other = beside(queue, 'other');
      await other.host(4);
      await queue.queued();
      await queue.queued();
      const [job, unwanted] = [await queue.claimed(), await queue.claimed()];
      await queue.source.query('UPDATE training_jobs SET cancel_requested_at = now() WHERE job_id = $1', [
        unwanted.job_id,
      ]);
      expect(await other.store.requeueOrphans('other', 5)).toEqual([]);
      await queue.source.query(`UPDATE training_jobs SET lease_until = now() - interval '10 seconds'`);
      expect(await other.store.requeueOrphans('other', 5)).toHaveLength(2);
      expect((await queue.row(unwanted.job_id)).status).toBe('cancelled');
      const again = await other.claimed();
      expect(again).toMatchObject({ job_id: job.job_id, attempt: 2, host_id: 'other' });
      expect(again.fence).toBeGreaterThan(job.fence + 1);
    });

    it('given back on leaving are adopted without waiting', async () => {
      const queue = await open();
      await queue.queued();
      const { job_id } = await queue.claimed();
      await queue.store.release(queue.by.owner);
      const next = beside(queue);
      expect((await next.store.adopt(next.by, '/elsewhere/', [])).map((job) => job.job_id)).toEqual([job_id]);
    });
  });

  describe('idempotency keys', () => {
    const key = (name: string, requestHash = 'hash') => ({ subject: 'tester', key: name, requestHash });

    it('make a repeated request return the first job', async () => {
      const queue = await open();
      const first = await queue.store.create(newJob(), key('a'));
      expect((await queue.store.create(newJob(), key('a'))).job_id).toBe(first.job_id);
      expect((await queue.store.create(newJob(), { ...key('a'), subject: 'another' })).job_id).not.toBe(first.job_id);
      expect(await queue.jobs.activeCount()).toBe(2);
    });

    it('refuse another request under the same key', async () => {
      const queue = await open();
      await queue.store.create(newJob(), key('b'));
      await expect(queue.store.create(newJob(), key('b', 'other'))).rejects.toMatchObject({ code: 'conflict' });
    });

    it('make one job of many requests at the same moment', async () => {
      const queue = await open();
      const made = await Promise.all(Array.from({ length: 20 }, () => queue.store.create(newJob(), key('c'))));
      expect(new Set(made.map((job) => job.job_id)).size).toBe(1);
      expect(await queue.jobs.activeCount()).toBe(1);
    });
  });

  it('holds the place of waiting jobs', async () => {
    const queue = await open();
    const jobs: JobEntity[] = [];
    for (const priority of [1, 5, 3]) jobs.push(await queue.queued({ priority }));
    const places = await Promise.all(jobs.map((job) => queue.jobs.position(job)));
    expect(places).toEqual([3, 1, 2]);
    expect(await queue.jobs.position(await queue.claimed())).toBeUndefined();
  });
});
