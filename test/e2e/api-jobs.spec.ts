import { randomUUID } from 'node:crypto';
import { originalFields, type Problem, type Reply } from '../fixtures/api-bodies.js';
import { App } from '../fixtures/app.js';
import { Jobs } from '../fixtures/jobs.js';

import.meta.jest.setTimeout(180_000);

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('jobs in the training API', () => {
  let app: App;
  let jobs: Jobs;

  beforeAll(async () => {
    app = await App.start({ env: { CLARA_MAX_CONCURRENT_JOBS: '1', DEBUG_USER_ID: 'erika' } });
    jobs = new Jobs(app);
  });
  afterAll(() => app.dispose());

  const post = async (change: Record<string, unknown> = {}, headers: Record<string, string> = {}) => {
    const body = { ...(await jobs.request({ data: { steps: 1 } })), ...change };
    return app.call<Reply & Problem>('POST', '/api/training/jobs', { body, headers });
  };
  const problemsOf = async (change: Record<string, unknown>) => {
    const { status, body } = await post(change);
    expect(status).toBe(422);
    return (body.errors ?? []).map(({ path }) => path);
  };

  describe('POST /api/training/jobs', () => {
    it('answers as the original does, with every field of a job', async () => {
      const sent = await jobs.request({ trainer_type: 'qlora', priority: 3, tags: ['verwaltungsrecht', 'experiment'] });
      const { status, body } = await app.call<Reply>('POST', '/api/training/jobs', { body: sent });
      expect(status).toBe(200);
      expect(body).toMatchObject({ success: true, status: 'pending', message: `Training job created: ${body.job_id}` });
      expect(body.job_id).toMatch(UUID);
      expect(Object.keys(body.data)).toEqual(expect.arrayContaining(originalFields));
      expect(body.data).toMatchObject({
        ...sent,
        job_id: body.job_id,
        status: 'pending',
        created_by: 'erika',
        created_at: expect.stringMatching(ISO),
        started_at: null,
        completed_at: null,
        progress_percent: 0,
        adapter_path: null,
        metrics: null,
        error_message: null,
      });
      await jobs.until(body.job_id, 'completed');
    });

    it('takes an empty data set as none, priorities to 10, and leaves out what it does not know', async () => {
      const { status, body } = await post({ dataset_path: '', priority: undefined, tags: undefined, surprise: 1 });
      expect([status, body.data]).toMatchObject([200, { dataset_path: null, priority: 1, tags: [] }]);
      for (const [sent, taken] of [
        [5, 5],
        [6, 5],
        [10, 5],
        [2, 2],
      ])
        expect((await post({ priority: sent })).body.data).toMatchObject({ priority: taken });
    });

    it('refuses with 422 and names every problem', async () => {
      expect(await problemsOf({ trainer_type: 'full_finetuning', priority: 11, tags: 'a' })).toEqual(
        expect.arrayContaining(['trainer_type', 'priority', 'tags']),
      );
      expect(await problemsOf({ trainer_type: undefined, config_path: undefined })).toEqual(
        expect.arrayContaining(['trainer_type', 'config_path']),
      );
      for (const priority of [0, -1, 2.5, '3'])
        expect(new Set(await problemsOf({ priority }))).toEqual(new Set(['priority']));
      expect(await problemsOf({ config_path: '/etc/passwd' })).toEqual(['config_path']);
      expect(await problemsOf({ config_path: 'configs/../../../etc/hosts.yaml' })).toEqual(['config_path']);
      expect(await problemsOf({ dataset_path: '/etc/passwd' })).toEqual(['dataset_path']);
    });

    it('names the problems of a configuration by their YAML paths', async () => {
      const sent = await jobs.request({ config: 'lora: {r: 0}\ntraining: {learning_rate: fast, nonsense: 1}\n' });
      const { status, body } = await app.call<Problem>('POST', '/api/training/jobs', { body: sent });
      expect(status).toBe(422);
      expect(body.errors?.map(({ path }) => path)).toEqual(
        expect.arrayContaining(['lora.r', 'training.learning_rate', 'training.nonsense']),
      );
    });

    it("answers problem+json with the original's detail", async () => {
      const { status, body, headers } = await post({ trainer_type: 'full_finetuning' }, { 'x-request-id': 'mine' });
      expect(status).toBe(422);
      expect(headers.get('content-type')).toContain('application/problem+json');
      expect(headers.get('x-request-id')).toBe('mine');
      expect(body).toMatchObject({
        type: 'about:blank',
        title: 'Invalid input',
        status: 422,
        code: 'invalid',
        request_id: 'mine',
      });
      expect(body.detail).toContain('full_finetuning');
    });

    it('refuses broken JSON, other media and too much', async () => {
      const send = (body: string, type: string) =>
        app.call<Problem>('POST', '/api/training/jobs', { body, headers: { 'content-type': type } });
      expect((await send('{"trainer_type": ', 'application/json')).status).toBe(400);
      expect([415, 422]).toContain((await send('trainer_type=lora', 'application/x-www-form-urlencoded')).status);
      expect((await send(JSON.stringify({ tags: ['x'.repeat(2_000_000)] }), 'application/json')).status).toBe(413);
    });

    it('makes one job of a repeated Idempotency-Key, and refuses another body under it', async () => {
      const body = await jobs.request({ data: { steps: 1 } });
      const key = { 'idempotency-key': randomUUID() };
      const send = (sent: unknown) => app.call<Reply>('POST', '/api/training/jobs', { body: sent, headers: key });
      const first = await send(body);
      const again = await Promise.all([send(body), send(body), send(body)]);
      expect(again.map((answer) => [answer.status, answer.body.job_id])).toEqual(
        Array(3).fill([200, first.body.job_id]),
      );
      expect((await send({ ...body, priority: 4 })).status).toBe(409);
      expect((await post({}, { 'idempotency-key': 'x'.repeat(300) })).status).toBe(400);
    });
  });

  describe('one job', () => {
    it('is got with its envelope', async () => {
      const id = await jobs.post({ data: { steps: 1 } });
      const { status, body } = await app.call<Reply>('GET', `/api/training/jobs/${id}`);
      expect([status, body]).toMatchObject([200, { success: true, job_id: id, message: 'Job details retrieved' }]);
      expect(body.status).toBe(body.data['status']);
    });

    it("has the original's metrics when it is completed", async () => {
      const id = await jobs.post({ data: { steps: 2 } });
      const job = await jobs.until(id, 'completed');
      expect(job.metrics).toMatchObject({ final_loss: 0.5, perplexity: 1, accuracy: 1, epochs_completed: 1 });
      expect([job.started_at, job.completed_at]).toEqual([expect.stringMatching(ISO), expect.stringMatching(ISO)]);
      const { body } = await app.call('GET', `/api/training/jobs/${id}/metrics`);
      expect(body).toMatchObject({
        epochs: [0.5, 1],
        train_loss: [1, 0.5],
        val_loss: [null, null],
        train_accuracy: [null, null],
        val_accuracy: [null, null],
      });
    });

    it('that does not exist is 404 on every route', async () => {
      for (const id of [randomUUID(), 'nonsense', '1%20OR%201=1'])
        for (const [method, tail] of [
          ['GET', ''],
          ['DELETE', ''],
          ['PATCH', ''],
          ['POST', '/cancel'],
          ['POST', '/retry'],
          ['GET', '/metrics'],
          ['GET', '/events'],
          ['GET', '/logs'],
        ] as const) {
          const { status, body } = await app.call<Problem>(
            method,
            `/api/training/jobs/${id}${tail}`,
            method === 'PATCH' ? { body: { tags: [] } } : {},
          );
          expect([method, tail, status, body.detail]).toEqual([
            method,
            tail,
            404,
            `Job not found: ${decodeURIComponent(id)}`,
          ]);
        }
    });

    it('is cancelled by DELETE, and by POST without a body but with a JSON content type', async () => {
      const blocker = await jobs.post({ data: { steps: 10_000 } });
      const [a, b, c] = [await jobs.post(), await jobs.post(), await jobs.post()];
      const json = { headers: { 'content-type': 'application/json' } };
      for (const [method, path, call] of [
        ['DELETE', a, {}],
        ['POST', `${b}/cancel`, json],
        ['DELETE', c, json],
      ] as const) {
        const { status, body } = await app.call('' + method, `/api/training/jobs/${path}`, call);
        expect([status, body]).toMatchObject([
          200,
          { success: true, message: expect.stringContaining('Job cancelled: '), cancelled_by: 'erika' },
        ]);
      }
      expect((await app.call<Problem>('DELETE', `/api/training/jobs/${a}`)).body).toMatchObject({
        status: 409,
        detail: expect.stringContaining('cancelled'),
      });
      await app.call('DELETE', `/api/training/jobs/${blocker}`);
      await jobs.until(blocker, 'cancelled');
    });

    it('changes its priority while it waits, and its tags always', async () => {
      const blocker = await jobs.post({ data: { steps: 10_000 } });
      const id = await jobs.post();
      const patch = (target: string, body: unknown) =>
        app.call<Reply & Problem>('PATCH', `/api/training/jobs/${target}`, { body });
      expect((await patch(id, { priority: 9, tags: ['b'] })).body.data).toMatchObject({ priority: 5, tags: ['b'] });
      expect((await patch(id, { priority: 0 })).status).toBe(422);
      await jobs.until(blocker, 'running');
      expect((await patch(blocker, { priority: 2 })).status).toBe(409);
      expect((await patch(blocker, { tags: ['c'] })).body.data).toMatchObject({ tags: ['c'] });
      await app.call('DELETE', `/api/training/jobs/${blocker}`);
      await jobs.until(id, 'completed');
    });
  });
});
