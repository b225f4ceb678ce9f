import type { DispatcherService } from '../../src/modules/training/dispatcher.service.js';
import { JobAccess } from '../../src/modules/training/job-access.service.js';
import type { JobPlanner } from '../../src/modules/training/job-planner.js';
import { TrainingMetrics } from '../../src/modules/training/training-metrics.js';
import { TrainingService } from '../../src/modules/training/training.service.js';
import { Registry } from 'prom-client';
import { Queue } from '../fixtures/queue.js';
import { NoAuditTrail } from '../../src/modules/audit/audit.port.js';
import { callerOf } from '../fixtures/callers.js';
import { TestDatabases } from '../fixtures/test-database.js';

import.meta.jest.setTimeout(120_000);

const ROUNDS = 200;
const AT_ONCE = 20;
const user = callerOf('tester', 'trainer');
const pause = () => new Promise((resolve) => setTimeout(resolve, Math.random() * 8));

/** The service without a dispatcher: what it asks of one is kept. */
function serviceOn(queue: Queue, asked: string[] = []): TrainingService {
  const dispatcher = { bottleneck: undefined, cancel: (id: string) => Promise.resolve(void asked.push(id)) };
  return new TrainingService(
    queue.jobs,
    queue.store,
    undefined as unknown as JobPlanner,
    dispatcher as unknown as DispatcherService,
    new TrainingMetrics(new Registry()),
    queue.news,
    new JobAccess(queue.jobs, new NoAuditTrail()),
  );
}

describe('cancelling beside the dispatchers', () => {
  let databases: TestDatabases;
  let queue: Queue;
  let other: Queue;

  beforeAll(async () => {
    databases = await TestDatabases.open();
    queue = new Queue(await databases.source());
    other = new Queue(queue.source);
    await queue.host(30_000);
  });
  afterAll(async () => {
    await Promise.all([queue.close(), other.close()]);
    await databases.close();
  });

  it('never lets a job run that was cancelled while it waited', async () => {
    const service = serviceOn(queue);
    for (let round = 0; round < ROUNDS / AT_ONCE; round += 1) {
      const jobs = await Promise.all(Array.from({ length: AT_ONCE }, () => queue.queued()));
      const claims = [queue, other].flatMap((by) =>
        Array.from({ length: AT_ONCE }, () => pause().then(() => by.claim())),
      );
      const replies = await Promise.all(jobs.map(({ job_id }) => pause().then(() => service.cancel(job_id, user))));
      await Promise.all(claims);
      for (const reply of replies) await check(reply);
    }
  });

  async function check(reply: { job_id: string; status: string; cancel_requested: boolean }): Promise<void> {
    const types = (await queue.feed.readJob(reply.job_id, 0, 100)).map(({ type }) => type);
    const job = await queue.row(reply.job_id);
    expect(reply.cancel_requested).toBe(true);
    if (reply.status === 'cancelled') {
      expect(job).toMatchObject({ status: 'cancelled', attempt: 0, owner: null });
      expect(types).not.toContain('running');
    } else {
      expect(job.cancel_requested_at).not.toBeNull();
      expect(types).toEqual(['created', 'queued', 'running', 'cancel_requested']);
    }
  }

  it('reaches a job that goes back into the queue at the same moment', async () => {
    const service = serviceOn(queue);
    const jobs = await Promise.all(Array.from({ length: AT_ONCE }, () => queue.queued()));
    for (const _ of jobs) await queue.claim();
    const back = async (job_id: string) => {
      await pause();
      await queue.store.change(job_id, {
        set: { status: 'queued' },
        events: [{ type: 'retrying' }],
        from: ['running'],
        wish: 'uncancelled',
      });
    };
    const replies = await Promise.all(
      jobs.flatMap(({ job_id }) => [pause().then(() => service.cancel(job_id, user)), back(job_id)]),
    );
    expect(replies.filter(Boolean)).toHaveLength(AT_ONCE);
    for (const { job_id } of jobs) {
      const job = await queue.row(job_id);
      expect([job.status, job.cancel_requested_at !== null]).toEqual([
        expect.stringMatching(/cancelled|running/),
        true,
      ]);
    }
  });

  it('is refused for an ended job, with its status', async () => {
    const service = serviceOn(queue);
    const { job_id } = await queue.queued();
    await service.cancel(job_id, user);
    await expect(service.cancel(job_id, user)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('cancelled'),
    });
  });

  it('passes the wish on to the supervisor of a running job', async () => {
    const asked: string[] = [];
    await queue.source.query(`UPDATE training_jobs SET status = 'failed' WHERE status IN ('queued', 'running')`);
    const { job_id } = await queue.queued();
    await queue.claimed();
    const reply = await serviceOn(queue, asked).cancel(job_id, user);
    expect(reply).toMatchObject({ success: true, status: 'running', cancel_requested: true, cancelled_by: 'tester' });
    expect(asked).toEqual([job_id]);
  });
});
