import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkerEmbedder, type WorkerEmbedderOptions } from '../../src/adapters/embedders/worker-embedder.js';
import { SystemClock } from '../../src/kernel/clock.js';
import { EmbedderUnavailable } from '../../src/modules/documents/embedder.port.js';
import { embeddingModel } from '../fixtures/embedding-model.js';
import { FakeLog } from '../fixtures/live-feed.js';
import { isAlive, processes } from '../fixtures/processes.js';
import { root, trainerPython } from '../fixtures/trainer.js';
import { eventually } from '../fixtures/waiting.js';

class MovedClock extends SystemClock {
  ahead = 0;

  override now(): number {
    return super.now() + this.ahead;
  }
}

const LAW = 'The authority may withdraw an unlawful administrative act, even after it has become final.';
const WITHDRAWAL = 'When can an authority take back a decision that was against the law?';
const dot = (a: number[] = [], b: number[] = []): number =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

describe('the embedding worker with a real model', () => {
  let python: string;
  let model: string;
  const clock = new MovedClock();
  const opened: WorkerEmbedder[] = [];

  beforeAll(async () => {
    [python, model] = await Promise.all([trainerPython(), embeddingModel()]);
  }, 600_000);
  afterAll(() => Promise.all(opened.map((embedder) => embedder.close())));

  const open = (change: Partial<WorkerEmbedderOptions> = {}): WorkerEmbedder => {
    const options: WorkerEmbedderOptions = {
      python: () => ({ path: python }),
      trainer: join(root, 'trainer'),
      model,
      roots: [],
      prefixes: { query: undefined, passage: undefined },
      download: false,
      device: 'cpu',
      threads: 2,
      idleSeconds: 600,
      dimension: 384,
      ...change,
    };
    const embedder = new WorkerEmbedder(options, { environment: process.env, log: new FakeLog(), clock });
    opened.push(embedder);
    return embedder;
  };
  const workers = async () =>
    (await processes()).filter(
      ({ parent, command }) => parent === process.pid && command.includes('clara_trainer.embed'),
    );

  describe('that is there', () => {
    let embedder: WorkerEmbedder;
    beforeAll(() => {
      embedder = open();
    });

    it('says what it is', async () => {
      expect(await embedder.model()).toEqual({ name: 'model', dimension: 384, maxTokens: 256 });
    });

    it('counts the tokens of the model, without special ones', async () => {
      expect(await embedder.countTokens(['hello world', '', 'Verwaltungsakt'])).toEqual([2, 0, expect.any(Number)]);
    });

    it('puts a question beside the passage that answers it', async () => {
      const [question] = await embedder.embed([WITHDRAWAL], 'query');
      const passages = await embedder.embed([LAW, 'Bread is baked of flour, water and salt.'], 'passage');
      expect(dot(question, question)).toBeCloseTo(1, 5);
      expect(dot(question, passages[0])).toBeGreaterThan(0.5);
      expect(dot(question, passages[1])).toBeLessThan(0.2);
    });

    it('gives each of many texts its own vector, whatever their lengths', async () => {
      const texts = Array.from({ length: 150 }, (_, index) => `${LAW} `.repeat(1 + (index % 7)) + index);
      const together = await embedder.embed(texts, 'passage');
      for (const index of [0, 1, 77, 149]) {
        const [alone] = await embedder.embed([texts[index] ?? ''], 'passage');
        expect(dot(alone, together[index])).toBeCloseTo(1, 4);
      }
    });

    it('reads a text to its end, however long it is', async () => {
      const long = `${'Bread is baked of flour, water and salt. '.repeat(60)}${LAW.repeat(40)}`;
      const [count = 0] = await embedder.countTokens([long]);
      expect(count).toBeGreaterThan(1000);
      const [whole, start, law] = await embedder.embed([long, long.slice(0, 800), LAW], 'passage');
      expect(dot(whole, law)).toBeGreaterThan(dot(start, law) + 0.3);
    });

    it('lets a question pass by many passages', async () => {
      const passages = embedder.embed(
        Array.from({ length: 64 }, () => LAW.repeat(10)),
        'passage',
      );
      let isDone = false;
      void passages.then(() => (isDone = true));
      await new Promise((resolve) => setTimeout(resolve, 100));
      await embedder.embed([WITHDRAWAL], 'query');
      expect(isDone).toBe(false);
      expect(await passages).toHaveLength(64);
    });

    it('gives up when it is told to, and goes on with the next', async () => {
      const signal = AbortSignal.timeout(200);
      await expect(
        embedder.embed(
          Array.from({ length: 64 }, () => LAW.repeat(20)),
          'passage',
          signal,
        ),
      ).rejects.toThrow('timeout');
      expect(await embedder.embed([WITHDRAWAL], 'query', AbortSignal.timeout(30_000))).toHaveLength(1);
    });

    it('answers though it is killed in the middle, by another worker', async () => {
      const answer = embedder.embed(
        Array.from({ length: 64 }, (_, index) => `${LAW.repeat(10)} ${index}`),
        'passage',
      );
      await new Promise((resolve) => setTimeout(resolve, 300));
      const [worker] = await workers();
      process.kill(worker?.pid ?? 0, 'SIGKILL');
      expect(await answer).toHaveLength(64);
      expect((await workers()).map(({ pid }) => pid)).not.toContain(worker?.pid);
    });

    it('ends with its user', async () => {
      const [worker] = await workers();
      await embedder.close();
      expect(isAlive(worker?.pid ?? 0)).toBe(false);
      await expect(embedder.embed(['a'], 'query')).rejects.toThrow(EmbedderUnavailable);
    });
  });

  it('puts the prefixes before the texts', async () => {
    const embedder = open({ prefixes: { query: 'query: ', passage: '' } });
    const [[prefixed], [written]] = await Promise.all([
      embedder.embed(['hello'], 'query'),
      embedder.embed(['query: hello'], 'passage'),
    ]);
    expect(dot(prefixed, written)).toBeCloseTo(1, 5);
    expect(dot(prefixed, (await embedder.embed(['hello'], 'passage'))[0])).toBeLessThan(0.99);
    await embedder.close();
  });

  it('is ended when nobody needs it, and comes back', async () => {
    const embedder = open({ idleSeconds: 0.2 });
    await embedder.embed(['a'], 'query');
    await eventually('it is gone', async () => (await workers()).length === 0);
    expect(await embedder.model()).toMatchObject({ dimension: 384 });
    expect(await workers()).toEqual([]);
    expect(await embedder.embed(['a'], 'query')).toHaveLength(1);
    await embedder.close();
  });

  it('whose numbers are not those that were set embeds nothing', async () => {
    const embedder = open({ dimension: 768 });
    await expect(embedder.embed(['a'], 'query')).rejects.toThrow(/gives 384 numbers a vector instead of 768/);
    await embedder.close();
  });

  it('that is missing is found missing in under 2 s, and found when it is there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'clara-models-'));
    const embedder = open({ model: 'multilingual-e5-small', roots: [folder] });
    const started = performance.now();
    await expect(embedder.model()).rejects.toThrow(/"multilingual-e5-small" is missing/);
    expect(performance.now() - started).toBeLessThan(2000);
    await expect(embedder.embed(['a'], 'query')).rejects.toThrow(EmbedderUnavailable);
    await symlink(model, join(folder, 'multilingual-e5-small'));
    clock.ahead += 11_000;
    expect(await embedder.model()).toEqual({ name: 'multilingual-e5-small', dimension: 384, maxTokens: 256 });
    await rm(folder, { recursive: true });
    await embedder.close();
  });
});
