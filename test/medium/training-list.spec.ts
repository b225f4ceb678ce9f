import type { DataSource } from 'typeorm';
import { inTransaction, rowsOf } from '../../src/kernel/transaction.js';
import { jobStatuses, type JobStatus } from '../../src/modules/training/job-state.js';
import { newJob, Queue } from '../fixtures/queue.js';
import { TestDatabases } from '../fixtures/test-database.js';

import.meta.jest.setTimeout(120_000);

describe('lists and counts', () => {
  let databases: TestDatabases;
  let source: DataSource;
  let queue: Queue;

  beforeAll(async () => {
    databases = await TestDatabases.open();
    source = await databases.source();
    queue = new Queue(source);
  });
  beforeEach(async () => {
    await queue.clear();
    await queue.host(64);
  });
  afterAll(async () => {
    await queue.close();
    await databases.close();
  });

  const truth = async (): Promise<Record<JobStatus, number>> => {
    const rows = await rowsOf<{ status: JobStatus; jobs: number }>(
      source,
      'SELECT status, count(*) AS jobs FROM training_jobs GROUP BY status',
    );
    const none = Object.fromEntries(jobStatuses.map((status) => [status, 0]));
    return { ...none, ...Object.fromEntries(rows.map((row) => [row.status, row.jobs])) } as Record<JobStatus, number>;
  };

  it('pages by cursor and by offset through the same jobs, newest first', async () => {
    const made: string[] = [];
    for (let count = 0; count < 23; count += 1) made.unshift((await queue.store.create(newJob())).job_id);
    const byCursor: string[] = [];
    for (let before: number | undefined; byCursor.length < made.length;) {
      const { jobs } = await queue.jobs.page({ limit: 5, before });
      byCursor.push(...jobs.map((job) => job.job_id));
      before = jobs.at(-1)?.seq;
    }
    const pages = await Promise.all([0, 10, 20, 30].map((offset) => queue.jobs.page({ limit: 10, offset })));
    expect(byCursor).toEqual(made);
    expect(pages.flatMap(({ jobs }) => jobs.map((job) => job.job_id))).toEqual(made);
  });

  it('pages through one status, while jobs come and go', async () => {
    for (let count = 0; count < 12; count += 1) await queue.queued();
    await queue.store.create(newJob());
    const first = await queue.jobs.page({ status: 'queued', limit: 5 });
    await queue.queued();
    await queue.claimed();
    const second = await queue.jobs.page({ status: 'queued', limit: 50, before: first.jobs.at(-1)?.seq });
    const ids = [...first.jobs, ...second.jobs].map((job) => job.job_id);
    expect(new Set(ids).size).toBe(ids.length);
    // Twelve were queued at first; the oldest runs now, and the two newest came after the first page.
    expect(ids).toHaveLength(11);
    expect(second.jobs.every((job) => job.status === 'queued')).toBe(true);
  });

  it('shows the places of the waiting jobs of a page', async () => {
    const low = await queue.queued({ priority: 1 });
    const high = await queue.queued({ priority: 5 });
    const { positions } = await queue.jobs.page({ limit: 10 });
    expect([...positions]).toEqual(
      expect.arrayContaining([
        [low.job_id, 2],
        [high.job_id, 1],
      ]),
    );
  });

  it('counts what is there, after many changes at the same time', async () => {
    const others = [queue, new Queue(source), new Queue(source)];
    const change = async (): Promise<void> => {
      const by = others[Math.floor(Math.random() * others.length)] ?? queue;
      const job = await by.store.create(newJob({ priority: 1 + Math.floor(Math.random() * 5) }));
      const dice = Math.random();
      if (dice < 0.2)
        await by.store.change(job.job_id, { set: { status: 'cancelled' }, events: [{ type: 'cancelled' }] });
      await by.store.admit(10);
      const claimed = dice < 0.7 ? await by.claim() : undefined;
      if (!claimed || 'waitingFor' in claimed) return;
      const status =
        (['completed', 'failed', 'cancelled', 'queued'] as const)[Math.floor(Math.random() * 4)] ?? 'failed';
      await by.store.complete(claimed.job_id, { set: { status }, events: [{ type: status }], fence: claimed.fence });
      if (dice < 0.05) await source.query('DELETE FROM training_jobs WHERE job_id = $1', [claimed.job_id]);
    };
    await Promise.all(
      Array.from({ length: 12 }, async () => {
        for (let count = 0; count < 25; count += 1) await change();
      }),
    );
    expect(await queue.jobs.counts()).toEqual(await truth());
    expect(await queue.jobs.activeCount()).toBe(
      (await queue.jobs.counts()).pending + (await truth()).queued + (await truth()).running,
    );
    await Promise.all(others.slice(1).map((other) => other.close()));
  });

  it('counts rightly when a transaction is rolled back', async () => {
    await queue.queued();
    const before = await queue.jobs.counts();
    await expect(
      inTransaction(source, async (sql) => {
        await sql.query('DELETE FROM training_jobs');
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await queue.jobs.counts()).toEqual(before);
  });

  it('counts on through deadlocks, which are tried again', async () => {
    const [a, b] = [await queue.queued(), await queue.queued()];
    let attempts = 0;
    const both = (first: string, second: string) =>
      inTransaction(source, async (sql) => {
        attempts += 1;
        await sql.query(`UPDATE training_jobs SET status = 'failed' WHERE job_id = $1`, [first]);
        await new Promise((resolve) => setTimeout(resolve, 50));
        await sql.query(`UPDATE training_jobs SET status = 'cancelled' WHERE job_id = $1`, [second]);
      });
    await Promise.all([both(a.job_id, b.job_id), both(b.job_id, a.job_id)]);
    expect(attempts).toBeGreaterThan(2);
    expect(await queue.jobs.counts()).toEqual(await truth());
  });
});
