import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '../../src/modules/training/run-folder.js';
import { App } from '../fixtures/app.js';
import { Jobs, oneTo } from '../fixtures/jobs.js';
import { isStopped } from '../fixtures/processes.js';
import { TestDatabases } from '../fixtures/test-database.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(240_000);

const JOBS = 20;

describe('two applications on one outside database', () => {
  let databases: TestDatabases;
  let apps: App[] = [];
  let first: App;
  let second: App;
  let jobs: Jobs;

  beforeAll(async () => {
    databases = await TestDatabases.open();
    const { host, port, user, password, database } = await databases.create();
    const env = {
      UDS3_POSTGRES_HOST: host,
      UDS3_POSTGRES_PORT: String(port),
      UDS3_POSTGRES_USER: user,
      UDS3_POSTGRES_PASSWORD: password,
      UDS3_POSTGRES_DATABASE: database,
      CLARA_LEASE_SECONDS: '2',
      CLARA_MAX_CONCURRENT_JOBS: '3',
    };
    apps = await Promise.all([App.start({ env }), App.start({ env })]);
    [first, second] = apps as [App, App];
    jobs = new Jobs(first);
  });
  afterAll(async () => {
    await Promise.all(apps.map((app) => app.dispose()));
    await databases.close();
  });

  /** The lines that workers of a job left at their starts, wherever it ran. */
  const starts = async (id: string): Promise<string[]> => {
    const files = apps.map((app) => readFile(join(app.data, 'runs', id, 'starts'), 'utf8').catch(() => ''));
    return (await Promise.all(files)).join('').trim().split('\n').filter(Boolean);
  };

  it('run 20 jobs, each exactly once, and share the slots of their host', async () => {
    const ids = await Promise.all(Array.from({ length: JOBS }, () => jobs.post({ data: { steps: 3, seconds: 0.1 } })));
    let most = 0;
    await eventually('all are completed', async () => {
      const { body } = await second.call<{ total_count: number }>('GET', '/api/training/jobs/list?status=running');
      most = Math.max(most, body.total_count);
      const done = await first.call<{ total_count: number }>('GET', '/api/training/jobs/list?status=completed');
      return done.body.total_count === JOBS;
    });
    expect(most).toBeLessThanOrEqual(3);
    for (const id of ids) {
      expect(await starts(id)).toHaveLength(1);
      const events = await jobs.events(id);
      expect(events.map(({ number }) => number)).toEqual(oneTo(events.length));
      expect(events.filter(({ type }) => type === 'running')).toHaveLength(1);
    }
    const ran = await Promise.all(
      apps.map(
        async (app) =>
          (await readFile(join(app.folder, 'logs/training_backend.log'), 'utf8')).match(/"msg":"attempt ended"/g)
            ?.length ?? 0,
      ),
    );
    expect(ran.every((count) => count > 0)).toBe(true);
  });

  it('do each other no harm when one is paused past its lease and wakes', async () => {
    const ids = await Promise.all(
      Array.from({ length: 3 }, () => jobs.post({ data: { steps: 60, seconds: 0.1, save_steps: 20 } })),
    );
    await Promise.all(ids.map((id) => jobs.when(id, 'trains', (job) => job.current_step > 2)));
    await second.kill('SIGSTOP');
    await eventually('it is stopped', () => isStopped(second.pid));
    await Promise.all(
      ids.map((id) => jobs.when(id, 'is far', (job) => job.current_step > 45 || job.status === 'completed')),
    );
    await second.kill('SIGCONT');
    await Promise.all(ids.map((id) => jobs.until(id, 'completed')));
    for (const id of ids) {
      expect(await starts(id)).toHaveLength(1);
      const steps = (await jobs.events(id)).filter(({ type }) => type === 'progress').map(({ step }) => step);
      expect(steps).toEqual(oneTo(60));
      expect(await exists(String((await jobs.get(id)).adapter_path))).toBe(true);
    }
    expect((await second.call('GET', '/health')).status).toBe(200);
    await jobs.until(
      await new Jobs(second).post({ data: { steps: 1 } }).catch(() => jobs.post({ data: { steps: 1 } })),
      'completed',
    );
  });

  it('cancel what runs at the other', async () => {
    const ids = await Promise.all(Array.from({ length: 3 }, () => jobs.post({ data: { steps: 10_000 } })));
    await Promise.all(ids.map((id) => jobs.until(id, 'running')));
    for (const id of ids) expect((await second.call('DELETE', `/api/training/jobs/${id}`)).status).toBe(200);
    await Promise.all(ids.map((id) => jobs.until(id, 'cancelled')));
  });

  it('take over what a killed one leaves', async () => {
    const ids = await Promise.all(Array.from({ length: 3 }, () => jobs.post({ data: { steps: 40, seconds: 0.1 } })));
    await Promise.all(ids.map((id) => jobs.when(id, 'trains', (job) => job.current_step > 2)));
    await second.kill('SIGKILL');
    await Promise.all(ids.map((id) => jobs.until(id, 'completed')));
    for (const id of ids) expect(await starts(id)).toHaveLength(1);
    await second.restart();
  });
});
