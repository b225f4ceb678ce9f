import type { DataSource } from 'typeorm';
import { readSettings } from '../../src/config/settings.js';
import { RetentionService } from '../../src/modules/training/retention.service.js';
import { Queue } from '../fixtures/queue.js';
import { TestDatabases } from '../fixtures/test-database.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(120_000);

describe('the retention of events', () => {
  let databases: TestDatabases;
  let source: DataSource;
  let queue: Queue;
  let retention: RetentionService;

  beforeAll(async () => {
    databases = await TestDatabases.open();
    source = await databases.source();
    queue = new Queue(source);
    const settings = readSettings({ CLARA_SECURITY_MODE: 'debug', CLARA_EVENTS_DAYS: '30' }, '/');
    retention = new RetentionService(source, settings, queue.log);
  });
  beforeEach(async () => {
    await queue.clear();
    await queue.host(64);
  });
  afterAll(async () => {
    await queue.close();
    await databases.close();
  });

  /** A job that was completed `days` ago, after so many logged steps. */
  const ended = async (steps: number, days: number): Promise<string> => {
    await queue.queued();
    const { job_id, fence } = await queue.claimed();
    const events = Array.from({ length: steps }, (_, step) => ({ type: 'progress', step: step + 1 }));
    await queue.store.change(job_id, { set: {}, events, fence });
    await queue.store.complete(job_id, { set: { status: 'completed' }, events: [{ type: 'completed' }], fence });
    await source.query(`UPDATE training_jobs SET completed_at = now() - make_interval(days => $2) WHERE job_id = $1`, [
      job_id,
      days,
    ]);
    return job_id;
  };
  const numbered = () =>
    eventually('all events are numbered', async () => {
      queue.news.eventsWritten();
      return (await source.query('SELECT 1 FROM training_job_events WHERE stream IS NULL')).length === 0;
    });

  it('thins the progress of long ended jobs to about a thousand, and keeps the first and the last', async () => {
    const long = await ended(5000, 1);
    const short = await ended(50, 1);
    await numbered();
    expect((await retention.sweep()).thinned).toBe(1);
    const events = await queue.feed.readJob(long, 0, 10_000);
    const steps = events.filter(({ type }) => type === 'progress').map(({ step }) => step);
    expect(steps.length).toBeGreaterThan(900);
    expect(steps.length).toBeLessThanOrEqual(1002);
    expect([steps[0], steps.at(-1)]).toEqual([1, 5000]);
    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['created', 'running', 'completed']));
    expect(await queue.feed.readJob(short, 0, 1000)).toHaveLength(54);
    expect((await retention.sweep()).thinned).toBe(0);
  });

  it('removes what is older than its days, and tells followers where the log begins now', async () => {
    const old = await ended(10, 31);
    const fresh = await ended(10, 29);
    await numbered();
    const before = await queue.feed.oldest();
    expect((await retention.sweep()).removed).toBe(14);
    expect(await queue.feed.readJob(old, 0, 100)).toEqual([]);
    expect(await queue.feed.readJob(fresh, 0, 100)).toHaveLength(14);
    expect(await queue.feed.oldest()).toBeGreaterThan(before);
    expect((await queue.row(old)).status).toBe('completed');
  });

  it('leaves running jobs alone, however long they are', async () => {
    await queue.queued();
    const { job_id, fence } = await queue.claimed();
    const events = Array.from({ length: 3000 }, (_, step) => ({ type: 'progress', step }));
    await queue.store.change(job_id, { set: {}, events, fence });
    expect(await retention.sweep()).toEqual({ thinned: 0, removed: 0 });
  });
});
