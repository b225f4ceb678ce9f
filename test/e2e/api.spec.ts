import { cpus } from 'node:os';
import { request as httpRequest } from 'node:http';
import { originalFields, type List, type Problem } from '../fixtures/api-bodies.js';
import { App } from '../fixtures/app.js';
import { Jobs } from '../fixtures/jobs.js';

import.meta.jest.setTimeout(180_000);

describe('the training API', () => {
  let app: App;

  beforeAll(async () => {
    app = await App.start({ env: { CLARA_MAX_CONCURRENT_JOBS: '1', DEBUG_USER_ID: 'erika' } });
    const jobs = new Jobs(app);
    for (const steps of [1, 1, 1, 1, 1]) await jobs.post({ data: { steps } });
    await jobs.until(await jobs.post({ data: { steps: 1 } }), 'completed');
  });
  afterAll(() => app.dispose());

  describe('health and root', () => {
    it('answers /health with exactly its six fields', async () => {
      const { status, body } = await app.call('GET', '/health');
      expect(status).toBe(200);
      expect(Object.keys(body).toSorted()).toEqual([
        'active_jobs',
        'max_concurrent_jobs',
        'port',
        'service',
        'status',
        'timestamp',
      ]);
      expect(body).toMatchObject({
        status: 'healthy',
        service: 'clara_training_backend',
        port: app.ports.TRAINING,
        max_concurrent_jobs: 1,
      });
      expect(body['timestamp']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?$/);
    });

    it('says on the dataset port how many sets there are, and whether documents wait for a store', async () => {
      const { body } = await app.call('GET', '/health', { port: app.ports.DATASET });
      expect(body).toEqual({
        status: 'healthy',
        service: 'clara_dataset_backend',
        port: app.ports.DATASET,
        uds3_available: true,
        datasets_count: 0,
        timestamp: expect.any(String),
      });
    });

    it('says on the ingestion port which stores are there, and how much is read at once', async () => {
      const { body } = await app.call('GET', '/health', { port: app.ports.INGESTION });
      expect(body).toMatchObject({
        status: 'healthy',
        service: 'clara_ingestion_backend',
        components: { uds3: 'up', vector_db: 'up', graph_db: 'up', relational_db: 'up', document_db: 'up' },
        worker_pool: { io_workers: expect.any(Number), cpu_workers: expect.any(Number), total_cpus: cpus().length },
        hardening: null,
      });
    });

    it('answers the probes of the original', async () => {
      expect(await app.call('GET', '/live')).toMatchObject({ status: 200, body: { status: 'alive' } });
      expect(await app.call('GET', '/ready')).toMatchObject({
        status: 200,
        body: { ready: true, dependencies: { database: { status: 'up' } } },
      });
    });

    it('answers / for the service whose port was asked', async () => {
      const { body } = await app.call('GET', '/');
      expect(body).toMatchObject({
        service: expect.any(String),
        version: '1.0.0',
        status: 'operational',
        endpoints: { health: expect.any(String) },
      });
      expect(JSON.stringify(body)).not.toBe(
        JSON.stringify((await app.call('GET', '/', { port: app.ports.MAIN })).body),
      );
    });

    it('answers every route on every port, and the probes', async () => {
      for (const port of Object.values(app.ports))
        expect((await app.call('GET', '/api/training/jobs/list', { port })).status).toBe(200);
      expect((await app.call('GET', '/healthz')).body).toMatchObject({ status: 'ok' });
      expect((await app.call('GET', '/readyz')).status).toBe(200);
    });
  });

  describe('lists', () => {
    it('stands before the route of one job, on both paths, newest first with the counts', async () => {
      for (const path of ['/api/training/jobs/list', '/api/training/jobs']) {
        const { status, body } = await app.call<List>('GET', path);
        expect(status).toBe(200);
        for (const field of ['total_count', 'active_count', 'completed_count', 'failed_count'] as const)
          expect(body[field]).toEqual(expect.any(Number));
        const created = body.jobs.map((job) => Date.parse(String(job['created_at'])));
        expect(created).toEqual([...created].toSorted((a, b) => b - a));
        expect(Object.keys(body.jobs[0] ?? {})).toEqual(expect.arrayContaining(originalFields));
      }
    });

    it('is filtered by status and paged by cursor and offset', async () => {
      const all = (await app.call<List>('GET', '/api/training/jobs/list?limit=1000')).body;
      const ids: unknown[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const page: List = (
          await app.call<List>('GET', `/api/training/jobs/list?limit=3${cursor ? `&cursor=${cursor}` : ''}`)
        ).body;
        ids.push(...page.jobs.map((job) => job['job_id']));
        cursor = page.next_cursor;
      }
      expect(ids).toEqual(all.jobs.map((job) => job['job_id']));
      const third = (await app.call<List>('GET', '/api/training/jobs/list?limit=1&offset=2')).body;
      expect(third.jobs[0]?.['job_id']).toBe(ids[2]);
      const completed = (await app.call<List>('GET', '/api/training/jobs/list?status=completed&limit=1000')).body;
      expect(completed.jobs.every((job) => job['status'] === 'completed')).toBe(true);
      expect(completed.total_count).toBe(completed.jobs.length);
      expect((await app.call<List>('GET', '/api/training/jobs/list?status=')).status).toBe(200);
    });

    it('refuses what it does not understand', async () => {
      for (const query of [
        'status=done',
        'limit=0',
        'limit=ten',
        'offset=-1',
        'cursor=nonsense',
        `cursor=${Buffer.from('v1:5').toString('base64url')}&offset=3`,
      ])
        expect([query, (await app.call('GET', `/api/training/jobs/list?${query}`)).status]).toEqual([query, 422]);
      expect((await app.call<List>('GET', '/api/training/jobs/list?limit=100000')).status).toBe(200);
    });
  });

  describe('what surrounds the routes', () => {
    it('answers unknown paths with 404 and a detail', async () => {
      const { status, body } = await app.call<Problem>('GET', '/api/training/nothing');
      expect([status, body.code]).toEqual([404, 'not_found']);
      expect(body.detail).toContain('/api/training/nothing');
    });

    it('lets browsers of loopback origins call, others not, and never with credentials', async () => {
      const asked = async (origin: string) => (await app.call('GET', '/health', { headers: { origin } })).headers;
      expect((await asked('http://localhost:3000')).get('access-control-allow-origin')).toBe('http://localhost:3000');
      expect((await asked('http://evil.example')).get('access-control-allow-origin')).toBeNull();
      expect((await asked('http://localhost:3000')).get('access-control-allow-credentials')).toBeNull();
    });

    it('is described in OpenAPI, with local pages', async () => {
      const { body } = await app.call<{ paths: Record<string, unknown> }>('GET', '/openapi.json');
      expect(Object.keys(body.paths)).toEqual(
        expect.arrayContaining([
          '/api/training/jobs',
          '/api/training/jobs/list',
          '/api/training/jobs/{job_id}',
          '/health',
        ]),
      );
      for (const path of ['/docs', '/redoc']) {
        const page = await app.call<string>('GET', path);
        expect([path, page.status]).toEqual([path, 200]);
        expect(page.body).not.toMatch(/(src|href)="https?:/);
      }
    });

    it('says the method that a path does not have', async () => {
      expect([404, 405]).toContain((await app.call('PUT', '/api/training/jobs/list')).status);
    });

    it('survives a client that leaves in the middle of its request', async () => {
      await new Promise<void>((resolve) => {
        const options = {
          port: app.ports.TRAINING,
          method: 'POST',
          path: '/api/training/jobs',
          headers: { 'content-type': 'application/json', 'content-length': '500' },
        };
        const broken = httpRequest(options);
        broken.on('error', () => resolve());
        broken.write('{"trainer_type":');
        setTimeout(() => broken.destroy(), 50);
      });
      expect((await app.call('GET', '/health')).status).toBe(200);
    });
  });
});
