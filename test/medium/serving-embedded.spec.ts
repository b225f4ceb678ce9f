import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { DataSource } from 'typeorm';
import type { ChildEngine } from '../../src/adapters/engines/child-engine.js';
import { HostTrainings } from '../../src/modules/training/host-trainings.port.js';
import type { ServingStatusDto } from '../../src/modules/serving/serving.dto.js';
import { GpuSlots } from '../../src/modules/training/gpu-slots.port.js';
import { isAlive, killNow, processesOf } from '../fixtures/processes.js';
import { Queue } from '../fixtures/queue.js';
import { ServingApp } from '../fixtures/serving-app.js';
import { TestDatabases } from '../fixtures/test-database.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(180_000);

const standIn = join(import.meta.dirname, '../fixtures/vllm-stand-in.mjs');

describe('the embedded engine', () => {
  let databases: TestDatabases;
  let folder: string;
  let app: ServingApp;
  let source: DataSource;

  beforeAll(async () => {
    databases = await TestDatabases.open();
  });
  afterAll(() => databases.close());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clara-embedded-'));
    const python = join(folder, 'python');
    // Notes its process, and plays the engine in its stead.
    await writeFile(python, `#!/bin/sh\necho $$ >> ${folder}/pids\nexec ${process.execPath} ${standIn} "$@"\n`);
    await chmod(python, 0o755);
  });
  afterEach(async () => {
    await app.close();
    await databases.disconnect();
    await rm(folder, { recursive: true });
  });

  const opened = async (env: Record<string, string> = {}, gpus = 0): Promise<void> => {
    source = await databases.source();
    const installed = { python: join(folder, 'python'), model: '/models/gemma', trainer: folder };
    app = await ServingApp.open(source, { env, gpus, installed });
  };
  const running = async (): Promise<number[]> => (await processesOf(standIn)).map(({ pid }) => pid);
  const state = async (): Promise<string | undefined> =>
    (await app.call<ServingStatusDto>('GET', '/api/serving/router/status')).body.replicas[0]?.state;

  it('starts at the first request, once for all that come, and leaves memory when nobody needs it', async () => {
    await opened({ CLARA_SERVING_IDLE_MINUTES: '0.03' });
    expect([await state(), (await running()).length]).toEqual(['asleep', 0]);
    const version = await app.register();
    const answers = await Promise.all([app.ask('base'), app.ask(version), app.ask('base')]);
    expect(new Set(answers.map(({ replica }) => replica))).toEqual(new Set(['embedded']));
    expect(answers[1]?.text).toContain(version.modelId);
    await eventually('it is gone', async () => (await state()) === 'asleep' && (await running()).length === 0);
    expect((await app.ask(version)).text).toBe(answers[1]?.text);
  });

  it('comes back with its adapters when it crashes', async () => {
    await opened();
    const version = await app.register();
    const before = await app.ask(version);
    const [pid] = await running();
    killNow(pid);
    await eventually('another one runs', async () => (await running()).some((other) => other !== pid));
    await eventually('it takes requests', async () => (await state()) === 'up');
    expect((await app.ask(version)).text).toBe(before.text);
  });

  it('lets requests wait while it is left alone for a moment after a second crash', async () => {
    await opened();
    for (let crash = 0; crash < 2; crash += 1) {
      await app.ask('base');
      const [pid] = await running();
      killNow(pid);
      const engine = app.pool.replicas[0]?.engine as ChildEngine | undefined;
      await eventually('it is noticed', () => engine?.pid !== pid);
    }
    expect((await app.ask('base')).replica).toBe('embedded');
  });

  it('says why it cannot start, and the request is told', async () => {
    await writeFile(
      join(folder, 'python'),
      `#!/bin/sh\necho '{"failed": {"message": "the model cannot be read"}}'\nexit 1\n`,
    );
    await opened();
    await expect(app.ask('base')).rejects.toThrow('the model cannot be read');
    const version = await app.register();
    const answer = await app.call<{ detail: string }>('POST', '/api/serving/load_adapter', {
      adapter_id: version.name,
    });
    expect([answer.status, answer.body.detail]).toEqual([503, expect.stringContaining('the model cannot be read')]);
  });

  it('is ended with the application, though it hangs', async () => {
    await writeFile(
      join(folder, 'python'),
      `#!/bin/sh\ntrap '' TERM\nexec ${process.execPath} -e "process.on('SIGTERM', () => 0); console.log(JSON.stringify({ready: {port: 9, model: 'gemma'}})); setInterval(() => 0, 1000); console.log('${standIn}')"\n`,
    );
    await opened({ CLARA_SERVING_START_SECONDS: '20' });
    const asked = app.ask('base', { limitMs: 3000 }).catch((error: unknown) => error);
    const [pid = 0] = await eventually('it runs', async () => {
      const pids = await running();
      return pids.length > 0 && pids;
    });
    await asked;
    const began = Date.now();
    await app.close();
    expect(Date.now() - began).toBeLessThan(20_000);
    expect(isAlive(pid)).toBe(false);
  });

  it('computes with fewer threads while a job trains on the cores', async () => {
    await opened({ CLARA_SERVING_THREADS: '4' });
    await app.ask('base');
    const trainings = app.get(HostTrainings);
    import.meta.jest.spyOn(trainings, 'onCores').mockReturnValue(1);
    const [engine] = app.pool.replicas;
    const seen: number[] = [];
    const original = engine?.engine.useThreads.bind(engine.engine);
    if (engine && original)
      engine.engine.useThreads = async (threads, signal) => {
        await original(threads, signal);
        seen.push(threads);
      };
    await eventually('it has fewer', () => seen.includes(2));
    import.meta.jest.restoreAllMocks();
    await eventually('it has all again', () => seen.at(-1) === 4);
  });

  it('holds a GPU in the table of the jobs, and gives it back for a job that does not fit', async () => {
    await opened({ CLARA_MAX_CONCURRENT_JOBS: '1' }, 1);
    await app.ask('base');
    const holders = async () =>
      (await source.query('SELECT * FROM training_slot_holders')) as { gpu_indices: number[] }[];
    expect(await holders()).toEqual([
      expect.objectContaining({ holder: expect.stringMatching(/^embedded@/) as string, slot: 0, gpu_indices: [0] }),
    ]);
    await source.query('UPDATE training_slot_holders SET asked_back_at = now()');
    app.wakeups.call('training_queue');
    await eventually('the slot is free', async () => (await holders()).length === 0);
    expect(await state()).toBe('asleep');
  });

  it('makes way for a job whose claim asks for the GPU, waits while that trains, and answers after it', async () => {
    await opened({ CLARA_MAX_CONCURRENT_JOBS: '1', CLARA_SERVING_DRAIN_SECONDS: '60' }, 1);
    const queue = new Queue(source, {}, app.wakeups);
    const lease = await app.lease('base');
    const job = await queue.queued({ gpus: 1 });
    const claimed = async () => {
      const found = await queue.claim();
      return found && 'job_id' in found && found.job_id;
    };
    expect(await queue.claim()).toEqual({ waitingFor: 'slot' });
    app.wakeups.call('training_queue');
    const replica = app.pool.replicas[0];
    await eventually('nothing begins any more', () => replica?.isReady === false);
    const waiting = app.ask('base');
    await eventually('a request waits', () => app.pool.waiting === 1);
    expect([await state(), replica?.isReady, await claimed()]).toEqual(['up', false, false]);
    lease.release('ok');
    expect(await eventually('the job has it', claimed)).toBe(job.job_id);
    expect(await app.get(GpuSlots).take('other', 1, () => undefined)).toBeUndefined();
    expect([await state(), app.pool.waiting]).toEqual(['asleep', 1]);
    await source.query(`UPDATE training_jobs SET status = 'completed' WHERE job_id = $1`, [job.job_id]);
    expect((await waiting).replica).toBe('embedded');
    await queue.close();
  });

  it('lets a request wait no longer than its deadline for a GPU that a job holds', async () => {
    await opened({ CLARA_MAX_CONCURRENT_JOBS: '1' }, 1);
    const held = await app.get(GpuSlots).take('a job', 1, () => undefined);
    await expect(app.ask('base', { limitMs: 1500 })).rejects.toThrow(/timeout/i);
    await eventually('nobody waits, and the engine neither', () => app.pool.replicas[0]?.isStarting === false);
    expect(app.pool.replicas[0]?.resting).toBeUndefined();
    await held?.release();
    expect((await app.ask('base')).replica).toBe('embedded');
  });
});
