import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { App } from '../fixtures/app.js';
import { Jobs, oneTo, type EventDto } from '../fixtures/jobs.js';
import { isAlive, processesOf } from '../fixtures/processes.js';
import { standInPython } from '../fixtures/trainer.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(180_000);

/** Every step of the worker, once and in order: none is lost, none is told twice. */
function expectWhole(events: EventDto[], steps: number): void {
  expect(events.map(({ number }) => number)).toEqual(oneTo(events.length));
  expect(events.filter(({ type }) => type === 'progress').map(({ step }) => step)).toEqual(oneTo(steps));
}

describe('an application that ends and starts again', () => {
  let app: App;
  let jobs: Jobs;

  beforeAll(async () => {
    app = await App.start({ env: { CLARA_LEASE_SECONDS: '3', CLARA_CANCEL_GRACE_SECONDS: '2' } });
    jobs = new Jobs(app);
  });
  afterAll(() => app.dispose());

  const starts = async (id: string): Promise<string[]> =>
    (await readFile(join(app.data, 'runs', id, 'starts'), 'utf8')).trim().split('\n');
  const workerOf = async (id: string): Promise<number> => {
    const record: unknown = JSON.parse(await readFile(join(jobs.runFolder(id), 'ranks/0.json'), 'utf8'));
    return (record as { pid: number }).pid;
  };
  const training = async (steps: number, seconds = 0.1): Promise<string> => {
    const id = await jobs.post({ data: { steps, seconds, save_steps: 10 } });
    await jobs.when(id, 'trains', (job) => job.current_step > 2);
    return id;
  };

  it('killed in mid-training finds its worker again: no step is lost or told twice', async () => {
    const id = await training(60);
    const worker = await workerOf(id);
    await app.kill('SIGKILL');
    expect(isAlive(worker)).toBe(true);
    await app.restart();
    await jobs.until(id, 'completed');
    expect(await starts(id)).toHaveLength(1);
    const events = await jobs.events(id);
    expectWhole(events, 60);
    expect(events.map(({ type }) => type)).not.toContain('retrying');
  });

  it('killed again and again tells each step once', async () => {
    const id = await training(80);
    for (let kills = 0; kills < 3; kills += 1) {
      await app.kill('SIGKILL');
      await app.restart();
    }
    await jobs.until(id, 'completed');
    expect(await starts(id)).toHaveLength(1);
    expectWhole(await jobs.events(id), 80);
  });

  it('that was away when the training ended reads what it missed, to the end', async () => {
    const id = await training(10, 0.2);
    await app.kill('SIGKILL');
    await eventually(
      'the training has ended',
      async () => (await processesOf(join(app.data, 'runs', id))).length === 0,
    );
    await app.restart();
    const job = await jobs.until(id, 'completed');
    expect(job.attempt).toBe(1);
    expectWhole(await jobs.events(id), 10);
  });

  it('takes a worker that was killed meanwhile for what it is', async () => {
    const id = await training(40);
    await app.kill('SIGKILL');
    process.kill(await workerOf(id), 'SIGKILL');
    await app.restart();
    await jobs.until(id, 'completed');
    expect(await starts(id)).toHaveLength(2);
    const events = await jobs.events(id);
    expect(events.find(({ type }) => type === 'retrying')?.data['message']).toMatch(/SIGKILL|exit code/);
  });

  it('ended by SIGTERM keeps the training and names it', async () => {
    const id = await training(60);
    const worker = await workerOf(id);
    const began = Date.now();
    expect(await app.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(Date.now() - began).toBeLessThan(8000);
    expect(isAlive(worker)).toBe(true);
    expect(app.logged('a training goes on without the application')).toContainEqual(
      expect.objectContaining({ job: id }),
    );
    await app.restart();
    await jobs.until(id, 'completed');
    expectWhole(await jobs.events(id), 60);
  });

  it('ended by Ctrl-C lets the training save and end, and goes on with it at the next start', async () => {
    const id = await training(60);
    const worker = await workerOf(id);
    const began = Date.now();
    expect(await app.kill('SIGINT')).toEqual({ code: 0, signal: null });
    expect(Date.now() - began).toBeLessThan(8000);
    expect(isAlive(worker)).toBe(false);
    expect(await processesOf(app.folder)).toEqual([]);
    await app.restart();
    const job = await jobs.until(id, 'completed');
    expect(job.attempt).toBe(2);
    expectWhole(await jobs.events(id), 60);
  });

  it('has its PostgreSQL killed: it recovers, and the training notices nothing', async () => {
    const id = await training(60);
    const pid = Number((await readFile(join(app.data, 'postgres/cluster/postmaster.pid'), 'utf8')).split('\n')[0]);
    process.kill(pid, 'SIGKILL');
    expect((await app.call('GET', '/healthz')).status).toBe(200);
    const next = await eventually('jobs can be posted again', () =>
      jobs.post({ data: { steps: 1 } }).catch(() => undefined),
    );
    await jobs.until(id, 'completed');
    await jobs.until(next, 'completed');
    expect(await starts(id)).toHaveLength(1);
    expectWhole(await jobs.events(id), 60);
    expect(app.logged('the embedded PostgreSQL is back')).not.toEqual([]);
  });

  it('does not forget a wish to cancel', async () => {
    const running = await jobs.post({ data: { steps: 10_000, ignores_term: true } });
    await jobs.when(running, 'trains', (job) => job.current_step > 0);
    await app.call('DELETE', `/api/training/jobs/${running}`);
    await app.kill('SIGKILL');
    await app.restart();
    await jobs.until(running, 'cancelled');
    expect(await processesOf(join(app.data, 'runs', running))).toEqual([]);
  });

  it('that stays away lets its training save and end by itself, where that is set, and goes on with it later', async () => {
    const alone = await App.start({ env: { CLARA_ORPHAN_SECONDS: '3' } });
    const own = new Jobs(alone);
    const id = await own.post({ data: { steps: 100, seconds: 0.1 } });
    await own.when(id, 'trains', (job) => job.current_step > 2);
    await alone.kill('SIGKILL');
    const run = join(alone.data, 'runs', id);
    await eventually('the training has ended itself', async () => (await processesOf(run)).length === 0);
    await alone.restart();
    expect((await own.until(id, 'completed')).attempt).toBe(2);
    const events = await own.events(id);
    expectWhole(events, 100);
    expect(events.find(({ type }) => type === 'retrying')?.data['reason']).toBe('orphan');
    await alone.dispose();
  });

  it('refuses to share its data folder with a second one, and is not disturbed by the attempt', async () => {
    const id = await training(40);
    const second = await App.prepare({ env: { CLARA_DATA_DIR: app.data } });
    await second.launch();
    expect(await second.exited()).toEqual({ code: 1, signal: null });
    expect(second.output).toMatch(/belongs to another CLARA that runs/);
    await second.dispose();
    await jobs.until(id, 'completed');
    expectWhole(await jobs.events(id), 40);
  });

  it('names a port that is taken, and leaves nothing behind', async () => {
    const other = await App.prepare();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(other.ports.TRAINING, '127.0.0.1', resolve));
    await other.launch();
    expect(await other.exited()).toEqual({ code: 1, signal: null });
    expect(other.output).toContain(`Port ${other.ports.TRAINING} of 127.0.0.1 is taken (CLARA_TRAINING_PORT)`);
    expect(await processesOf(other.folder)).toEqual([]);
    await new Promise((resolve) => server.close(resolve));
    await other.dispose();
  });

  it('does not start in a mode that is unset or mistyped, and lists every problem', async () => {
    const wrong = await App.prepare({
      env: { CLARA_SECURITY_MODE: undefined, CLARA_MAX_CONCURRENT_JOBS: 'many', KEYCLOAK_URL: 'nowhere' },
    });
    await wrong.launch();
    expect((await wrong.exited()).code).toBe(78);
    for (const name of ['CLARA_SECURITY_MODE', 'CLARA_MAX_CONCURRENT_JOBS', 'KEYCLOAK_URL'])
      expect(wrong.output).toContain(`- ${name}: `);
    await wrong.dispose();
  });

  it('works with its data inside a folder of mode 0700', async () => {
    const outer = await App.prepare();
    const folder = join(outer.folder, 'private', 'home');
    await mkdir(folder, { recursive: true });
    await chmod(join(outer.folder, 'private'), 0o700);
    const inner = await App.start({ folder });
    const id = await new Jobs(inner).post({ data: { steps: 1 } });
    await new Jobs(inner).until(id, 'completed');
    await inner.dispose();
    await outer.dispose();
  });

  it('says what is wrong when its data folder cannot be made', async () => {
    const blocked = await App.prepare();
    await writeFile(join(blocked.folder, 'file'), '');
    const below = await App.prepare({
      env: { CLARA_DATA_DIR: join(blocked.folder, 'file/data'), CLARA_PYTHON: await standInPython(blocked.folder) },
    });
    await below.launch();
    expect((await below.exited()).code).toBe(1);
    expect(below.output).toMatch(/CLARA could not start: .*file\/data/);
    await Promise.all([below.dispose(), blocked.dispose()]);
  });
});
