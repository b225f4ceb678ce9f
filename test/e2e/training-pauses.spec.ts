import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import type { JobListDto, JobReplyDto } from '../../src/modules/training/job.dto.js';
import { App } from '../fixtures/app.js';
import { Jobs, oneTo } from '../fixtures/jobs.js';
import { processesOf } from '../fixtures/processes.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(400_000);

describe('paused jobs', () => {
  let app: App;
  let jobs: Jobs;

  beforeAll(async () => {
    app = await App.start({
      env: { CLARA_MAX_CONCURRENT_JOBS: '1', CLARA_LEASE_SECONDS: '3', CLARA_CANCEL_GRACE_SECONDS: '20' },
    });
    jobs = new Jobs(app);
  });
  afterAll(() => app.dispose());

  const ask = (id: string, verb: string) => app.call<JobReplyDto>('POST', `/api/training/jobs/${id}/${verb}`);
  const training = async (steps: number): Promise<string> => {
    const id = await jobs.post({ data: { steps, seconds: 0.1, save_steps: 5 } });
    await jobs.when(id, 'trains', (job) => job.current_step > 2);
    return id;
  };
  const paused = (id: string) => jobs.when(id, 'is paused', (job) => job.paused);
  const stepsOf = async (id: string): Promise<(number | null)[]> =>
    (await jobs.events(id)).filter(({ type }) => type === 'progress').map(({ step }) => step);

  it('give their slot to another, survive restarts, and go on where they stood; sockets hear of it', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${app.ports.TRAINING}/ws/training`);
    const heard: Record<string, unknown>[] = [];
    socket.on('message', (text: Buffer) => heard.push(JSON.parse(text.toString()) as Record<string, unknown>));
    const id = await training(300);
    expect((await ask(id, 'pause')).body).toMatchObject({
      success: true,
      status: 'running',
      data: { pause_requested: true },
    });
    const job = await paused(id);
    expect(job).toMatchObject({ status: 'pending', paused: true, pause_requested: false, completed_at: null });
    expect(await processesOf(join(app.data, 'runs', id))).toEqual([]);
    await eventually('the socket says so', () => heard.some(({ event }) => event === 'paused'));
    expect(heard.find(({ event }) => event === 'paused')).toMatchObject({
      job_id: id,
      status: 'pending',
      paused: true,
    });
    const list = await app.call<JobListDto>('GET', '/api/training/jobs?status=pending');
    expect(list.body).toMatchObject({ total_count: 1, active_count: 1, jobs: [{ job_id: id, paused: true }] });
    await jobs.until(await jobs.post({ data: { steps: 2 } }), 'completed');
    await app.kill('SIGKILL');
    await app.restart();
    expect(await jobs.get(id)).toMatchObject({ paused: true });
    expect((await ask(id, 'resume')).body).toMatchObject({ success: true, data: { paused: false } });
    expect(await jobs.until(id, 'completed')).toMatchObject({ attempt: 2 });
    expect(await stepsOf(id)).toEqual(oneTo(300));
    expect((await jobs.events(id)).map(({ type }) => type)).toEqual(
      expect.arrayContaining(['pause_requested', 'paused', 'resumed']),
    );
    socket.terminate();
  });

  it('become so too when the application is killed before their worker has saved', async () => {
    const id = await training(10_000);
    await ask(id, 'pause');
    await app.kill('SIGKILL');
    await app.restart();
    await paused(id);
    expect(await processesOf(join(app.data, 'runs', id))).toEqual([]);
    await ask(id, 'cancel');
    await jobs.until(id, 'cancelled');
    expect((await ask(id, 'resume')).status).toBe(409);
  });

  it('can only be made of jobs that go on', async () => {
    const id = await jobs.post({ data: { steps: 1 } });
    await jobs.until(id, 'completed');
    const refused = await ask(id, 'pause');
    expect(refused.status).toBe(409);
    expect(JSON.stringify(refused.body)).toContain('its status is completed; it has ended');
    expect((await ask('00000000-0000-4000-8000-000000000000', 'pause')).status).toBe(404);
    const started = await readFile(join(app.data, 'runs', id, 'starts'), 'utf8');
    expect(started.trim().split('\n')).toHaveLength(1);
  });
});
