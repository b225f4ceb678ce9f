import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { safetensors } from '../../../test/fixtures/safetensors.js';
import { LeaseQueue } from './lease-queue.js';
import { differ } from './load-probe.js';
import { Overloaded, WaitedTooLong } from './lease.js';
import { threadsBeside } from './reconciler.service.js';
import { restartPauseMs } from './restart-pause.js';
import { RetryBudget } from './retry-budget.js';
import { addsNothing } from './zero-adapter.js';

it('two first tokens differ by another token or another probability, not by noise', () => {
  expect(differ({ der: -1, die: -2 }, { die: -2, der: -1 - 1e-9 })).toBe(false);
  expect(differ({ der: -1 }, { der: -1.00001 })).toBe(true);
  expect(differ({ der: -1 }, { das: -1 })).toBe(true);
});

it('an engine that fails again is left alone for longer and longer, up to a minute', () => {
  expect([1, 2, 3, 4, 5, 9].map(restartPauseMs)).toEqual([0, 1000, 4000, 16_000, 60_000, 60_000]);
});

it('threads are shared with trainings, one stays', () => {
  expect([threadsBeside(8, 0), threadsBeside(8, 1), threadsBeside(2, 3)]).toEqual([8, 4, 1]);
});

it('retries are a share of the requests', () => {
  let now = 0;
  const budget = new RetryBudget({ now: () => now, sleep: () => Promise.resolve() });
  const taken = (): number => Array.from({ length: 100 }, () => budget.take()).filter(Boolean).length;
  expect(taken()).toBe(10);
  for (let request = 0; request < 52; request += 1) budget.requested();
  expect(taken()).toBe(10);
  now += 5000;
  expect(taken()).toBe(5);
});

describe('the queue of requests', () => {
  it('serves the first first, and refuses who comes when it is full', async () => {
    const queue = new LeaseQueue(2);
    const free: string[] = [];
    const ask = () => queue.next(() => free.shift(), { signal: AbortSignal.timeout(60_000) });
    const waiting = [ask(), ask()];
    await expect(ask()).rejects.toThrow(Overloaded);
    free.push('a');
    queue.look();
    free.push('b');
    queue.look();
    expect([await Promise.all(waiting), queue.length]).toEqual([['a', 'b'], 0]);
  });

  it('lets go of who leaves, and tells who waits in vain', async () => {
    const queue = new LeaseQueue(9);
    const leaving = new AbortController();
    const left = queue.next(() => undefined, { signal: leaving.signal });
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    let isBroken = false;
    const attempt = (): undefined => {
      if (isBroken) throw new Error('the start failed');
    };
    const failing = queue.next(attempt, { signal: new AbortController().signal });
    isBroken = true;
    queue.look();
    await expect(failing).rejects.toThrow('the start failed');
    const late = queue.next(() => undefined, { signal: new AbortController().signal, waitMs: 5 });
    await expect(late).rejects.toThrow(WaitedTooLong);
    expect(queue.length).toBe(0);
  });
});

describe('an adapter that adds nothing', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'clara-zero-'))));
  afterEach(() => rm(folder, { recursive: true }));
  const write = (tensors: Record<string, number[]>) =>
    writeFile(join(folder, 'adapter_model.safetensors'), safetensors(tensors));

  it('is one whose B matrices are all zero', async () => {
    await write({ 'q.lora_A.weight': [1, 2], 'q.lora_B.weight': [0, -0], 'v.lora_B.weight': [0] });
    expect(await addsNothing(folder)).toBe(true);
  });
  it('is none with one number that is not', async () => {
    await write({ 'q.lora_A.weight': [1], 'q.lora_B.weight': [0, 0], 'v.lora_B.weight': [0, 1e-6] });
    expect(await addsNothing(folder)).toBe(false);
  });
  it('is none without any', async () => {
    await write({ 'q.lora_A.weight': [0] });
    expect(await addsNothing(folder)).toBe(false);
  });
});
