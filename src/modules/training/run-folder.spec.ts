import { appendFile, mkdir, mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anyConfig, anyJob } from '../../../test/fixtures/runs.js';
import { checkpointOf } from './checkpoints.js';
import { buildRun } from './run-builder.js';
import type { WorkerEvent } from './run-contract.generated.js';
import { RunFolder } from './run-folder.js';

const facts = { defaultModel: '/m', startFrom: null, resumeFrom: null, orphanSeconds: undefined };
const line = (n: number, message = 'x'): string =>
  `${JSON.stringify({ n, time: 't', type: 'failed', step: null, data: { code: 'internal', message, retryable: false } })}\n`;

describe('a run folder', () => {
  let data: string;
  let folder: RunFolder;

  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'clara-run-'));
    folder = RunFolder.of(data, 'job', 2);
    await mkdir(folder.path, { recursive: true });
  });
  afterEach(() => rm(data, { recursive: true }));

  it('lies under the data folder, by job and attempt', () => {
    expect(folder.path).toBe(join(data, 'runs/job/2'));
    expect(folder.job).toBe(join(data, 'runs/job'));
    expect(folder.data).toBe(data);
  });

  describe('read for events', () => {
    const read = (offset = 0) => folder.readEvents(offset);

    it('has none before the worker has written', async () => expect(await read(7)).toEqual({ events: [], offset: 7 }));

    it('gives whole lines, and goes on behind them', async () => {
      await appendFile(folder.events, line(1) + line(2));
      const first = await read();
      expect([first.events.map(({ n }) => n), first.offset]).toEqual([[1, 2], (line(1) + line(2)).length]);
      await appendFile(folder.events, line(3));
      expect((await read(first.offset)).events.map(({ n }) => n)).toEqual([3]);
    });

    it('leaves a half-written last line alone until it is whole, also inside a letter of several bytes', async () => {
      const bytes = Buffer.from(line(1) + line(2, 'für'));
      for (let cut = line(1).length; cut < bytes.length; cut += 1) {
        await writeFile(folder.events, bytes.subarray(0, cut));
        expect(await read()).toMatchObject({ events: [{ n: 1 }], offset: line(1).length });
      }
      await writeFile(folder.events, bytes);
      expect((await read()).events).toMatchObject([{ n: 1 }, { data: { message: 'für' } }]);
    });

    it('reads lines longer than a chunk, and waits while such a one is being written', async () => {
      const long = line(1, 'ä'.repeat(200_000));
      await appendFile(folder.events, long.slice(0, 190_000));
      expect(await read()).toEqual({ events: [], offset: 0 });
      await writeFile(folder.events, long.slice(0, -1));
      expect(await read()).toEqual({ events: [], offset: 0 });
      await writeFile(folder.events, long + line(2));
      const { events, offset } = await read();
      expect([events.map(({ n }) => n), offset]).toEqual([[1], Buffer.byteLength(long)]);
      expect((await read(offset)).events.map(({ n }) => n)).toEqual([2]);
    });

    it('reads many lines in bounded batches, none lost', async () => {
      await writeFile(folder.events, Array.from({ length: 9000 }, (_, n) => line(n + 1)).join(''));
      const seen: number[] = [];
      for (let offset = 0; ;) {
        const batch = await read(offset);
        if (batch.offset === offset) break;
        seen.push(...batch.events.map(({ n }) => n));
        offset = batch.offset;
      }
      expect(seen).toEqual(Array.from({ length: 9000 }, (_, n) => n + 1));
    });

    it('refuses a line beyond all measure', async () => {
      await writeFile(folder.events, 'x'.repeat(1024 * 1024 + 2));
      await expect(read()).rejects.toThrow('longer than');
    });
  });

  it('is prepared with run.json, the fence and a heartbeat', async () => {
    const run = buildRun(anyJob({ fence: 5 }), anyConfig(), facts);
    await folder.prepare(run);
    expect(await folder.run()).toEqual(run);
    expect(await readFile(join(folder.job, 'fence'), 'utf8')).toBe('5');
    expect((await readdir(folder.path)).toSorted()).toEqual(['run.json']);
  });

  it('never lowers its fence', async () => {
    for (const fence of [3, 9, 4]) await folder.raiseFence(fence);
    expect(await readFile(join(folder.job, 'fence'), 'utf8')).toBe('9');
  });

  it('touches the heartbeat', async () => {
    const path = join(folder.job, 'heartbeat');
    await folder.touchHeartbeat();
    await utimes(path, 1, 1);
    await folder.touchHeartbeat();
    expect(Date.now() - (await stat(path)).mtimeMs).toBeLessThan(60_000);
  });

  it('holds the wish to stop, also before anything else is there', async () => {
    const fresh = RunFolder.of(data, 'other', 1);
    await fresh.wishStop('cancel');
    expect(JSON.parse(await readFile(join(fresh.path, 'stop.json'), 'utf8'))).toEqual({ reason: 'cancel' });
  });

  it('knows how its launcher started and ended, or that it has not', async () => {
    expect([await folder.exit(), await folder.launcher(), await folder.run()]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    await writeFile(join(folder.path, 'exit.json'), '{"code": 1, "signal": null, "time": "t"}');
    await writeFile(join(folder.path, 'launcher.json'), '{"pid": 7}');
    expect([await folder.exit(), await folder.launcher()]).toEqual([{ code: 1, signal: null, time: 't' }, { pid: 7 }]);
  });

  it('shows the end of the log, cut at a letter', async () => {
    expect(await folder.logTail()).toBe('');
    await writeFile(folder.log, `${'ü'.repeat(20)}end`);
    expect(await folder.logTail(8)).toBe('üüend');
    expect(await folder.logTail(1000)).toBe(`${'ü'.repeat(20)}end`);
  });

  it('finds the checkpoints of all attempts', async () => {
    for (const path of [
      '1/checkpoints/checkpoint-5',
      '2/checkpoints/checkpoint-10',
      '2/checkpoints/tmp-10',
      '2/adapter',
    ])
      await mkdir(join(folder.job, path), { recursive: true });
    expect((await folder.checkpoints()).toSorted()).toEqual(
      ['1/checkpoints/checkpoint-5', '2/checkpoints/checkpoint-10'].map((path) => join(folder.job, path)),
    );
  });
});

describe('the checkpoint to go on from', () => {
  const checkpoint = (step: number): WorkerEvent => ({
    n: step,
    time: 't',
    type: 'checkpoint',
    step,
    data: { path: `checkpoints/checkpoint-${step}` },
  });
  const stopped = (path: string | null): WorkerEvent => ({
    n: 9,
    time: 't',
    type: 'stopped',
    step: null,
    data: { reason: 'cancel', checkpoint: path },
  });

  it('is the newest that is named, in the folder of the attempt', () => {
    expect(checkpointOf([checkpoint(5), checkpoint(10)], '/r')).toEqual({
      resume_from: '/r/checkpoints/checkpoint-10',
    });
    expect(checkpointOf([checkpoint(5), stopped('checkpoints/checkpoint-7')], '/r')).toEqual({
      resume_from: '/r/checkpoints/checkpoint-7',
    });
  });

  it('stays what it was where none is named', () => {
    expect(checkpointOf([], '/r')).toEqual({});
    expect(checkpointOf([stopped(null)], '/r')).toEqual({});
  });
});
