import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeLog } from '../../../test/fixtures/live-feed.js';
import { isAlive } from '../../../test/fixtures/processes.js';
import { root } from '../../../test/fixtures/trainer.js';
import { eventually } from '../../../test/fixtures/waiting.js';
import { SystemClock } from '../../kernel/clock.js';
import { EmbedderUnavailable } from '../../modules/documents/embedder.port.js';
import { WorkerEmbedder, type WorkerEmbedderOptions } from './worker-embedder.js';

class MovedClock extends SystemClock {
  ahead = 0;

  override now(): number {
    return super.now() + this.ahead;
  }
}

interface Start {
  pid: number;
  args: string[];
  env: Record<string, string>;
}

describe('the embedding worker', () => {
  let folder: string;
  let clock: MovedClock;
  let embedder: WorkerEmbedder;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clara-embed-'));
    const python = join(folder, 'python');
    await copyFile(join(root, 'test/fixtures/embed-stand-in.mjs'), join(folder, 'worker.mjs'));
    await writeFile(python, `#!/bin/sh\nexec '${process.execPath}' '${join(folder, 'worker.mjs')}' "$@"\n`);
    await chmod(python, 0o755);
    clock = new MovedClock();
    embedder = open();
  });
  afterEach(async () => {
    await embedder.close();
    await rm(folder, { recursive: true, force: true });
  });

  const open = (change: Partial<WorkerEmbedderOptions> = {}, env: Record<string, string> = {}): WorkerEmbedder =>
    new WorkerEmbedder(
      {
        python: () => ({ path: join(folder, 'python') }),
        trainer: '/srv/trainer',
        model: 'm',
        roots: ['/models', '/cache/models'],
        prefixes: { query: 'query: ', passage: undefined },
        download: false,
        device: 'cpu',
        threads: 3,
        idleSeconds: 600,
        dimension: undefined,
        ...change,
      },
      { environment: { PATH: process.env['PATH'], ...env }, log: new FakeLog(), clock },
    );
  const play = (mode: string) => writeFile(join(folder, 'mode'), mode);
  const starts = async (): Promise<Start[]> =>
    (await readFile(join(folder, 'starts'), 'utf8').catch(() => ''))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Start);
  const failure = async (work: Promise<unknown>): Promise<Error> =>
    work.then(
      () => new Error('it did not fail'),
      (error: Error) => error,
    );

  it('is started by the first use, and then used again', async () => {
    expect(await starts()).toEqual([]);
    expect(await embedder.model()).toEqual({ name: 'm', dimension: 2, maxTokens: 16 });
    expect(await embedder.countTokens(['abc', ''])).toEqual([3, 0]);
    expect(await embedder.embed(['abc', 'z'], 'passage')).toEqual([
      [3, 1],
      [1, 1],
    ]);
    expect(await starts()).toHaveLength(1);
  });

  it('is told what to do, and none of our secrets', async () => {
    embedder = open({ download: true }, { UDS3_POSTGRES_PASSWORD: 'hidden', HF_ENDPOINT: 'http://mirror' });
    await embedder.model();
    const [{ args, env } = { args: [], env: {} }] = await starts();
    expect(args.join(' ')).toBe(
      '-m clara_trainer.embed --model=m --root=/models --root=/cache/models --query-prefix=query:  ' +
        '--device=cpu --threads=3 --nice=10 --download',
    );
    expect(env).toMatchObject({ PYTHONPATH: '/srv/trainer/src', HF_ENDPOINT: 'http://mirror' });
    expect(JSON.stringify(env)).not.toContain('hidden');
  });

  it('sends many texts in parts, and gives their vectors in order', async () => {
    const texts = Array.from({ length: 200 }, (_, index) => 'x'.repeat(index));
    expect(await embedder.embed(texts, 'passage')).toEqual(texts.map(({ length }) => [length, 1]));
    expect(await embedder.embed([], 'query')).toEqual([]);
  });

  it('answers many callers at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) => embedder.embed(['y'.repeat(index)], 'query')),
    );
    expect(answers).toEqual(answers.map((_, index) => [[index, 1]]));
    expect(await starts()).toHaveLength(1);
  });

  it('does not wait until its environment is installed', async () => {
    let reason: string | undefined = 'Installing PyTorch';
    embedder = open({ python: () => (reason ? { reason } : { path: join(folder, 'python') }) });
    const error = await failure(embedder.model());
    expect(error).toBeInstanceOf(EmbedderUnavailable);
    expect(error.message).toBe('the trainer environment is being installed: Installing PyTorch');
    reason = undefined;
    expect(await embedder.model()).toMatchObject({ dimension: 2 });
  });

  it('does not wait for a download either', async () => {
    await play('downloading');
    expect((await failure(embedder.embed(['a'], 'query'))).message).toBe('the embedding model is being downloaded');
    expect(await failure(embedder.model())).toBeInstanceOf(EmbedderUnavailable);
    expect(await starts()).toHaveLength(1);
  });

  it('without a model says so at once, and looks again in a while', async () => {
    await play('missing');
    for (let times = 0; times < 3; times += 1) {
      const error = await failure(embedder.embed(['a'], 'query'));
      expect(error).toBeInstanceOf(EmbedderUnavailable);
      expect(error.message).toBe('the embedding model "m" is missing: put it there');
    }
    expect(await starts()).toHaveLength(1);
    await play('');
    clock.ahead = 11_000;
    expect(await embedder.embed(['a'], 'query')).toEqual([[1, 1]]);
  });

  it('that cannot be started says why, and hides what is secret', async () => {
    await play('broken');
    const { message } = await failure(embedder.model());
    expect(message).toMatch(/^the embedding worker failed: it ended with code 1: ImportError: no torch/);
    expect(message).not.toContain('geheim123');
    embedder = open({ python: () => ({ path: join(folder, 'nowhere') }) });
    expect((await failure(embedder.model())).message).toMatch(/cannot be started: .*ENOENT/);
  });

  it('is replaced when it dies, and the work done again', async () => {
    expect(await embedder.embed(['die once'], 'passage')).toEqual([[8, 1]]);
    expect(await starts()).toHaveLength(2);
  });

  it('that dies of the same work again is not started at once', async () => {
    const error = await failure(embedder.embed(['die'], 'passage'));
    expect(error).toBeInstanceOf(EmbedderUnavailable);
    expect(error.message).toMatch(/ended by SIGKILL/);
    expect(await failure(embedder.embed(['a'], 'query'))).toBeInstanceOf(EmbedderUnavailable);
    expect(await failure(embedder.model())).toBeInstanceOf(EmbedderUnavailable);
    expect(await starts()).toHaveLength(2);
    clock.ahead = 1100;
    expect(await embedder.embed(['a'], 'query')).toEqual([[1, 1]]);
  });

  it('that says nothing is killed, but not one that is busy', async () => {
    embedder = open({ silenceMs: 150 });
    expect(await embedder.embed(['slowly'], 'passage')).toEqual([[6, 1]]);
    expect((await failure(embedder.embed(['hang'], 'passage'))).message).toMatch(/did not answer for 0.15 s/);
    const [first, second] = await starts();
    expect([first, second].map((start) => isAlive(start?.pid ?? 0))).toEqual([false, false]);
  });

  it('that never gets ready is killed', async () => {
    await play('slow');
    embedder = open({ startMs: 150 });
    expect((await failure(embedder.model())).message).toMatch(/did not answer/);
  });

  it('one request that fails leaves the others alone', async () => {
    const [bad, good] = await Promise.all([failure(embedder.embed(['bad'], 'query')), embedder.embed(['a'], 'query')]);
    expect(bad).toBeInstanceOf(EmbedderUnavailable);
    expect(bad.message).toBe('the text is bad');
    expect(good).toEqual([[1, 1]]);
    expect(await starts()).toHaveLength(1);
  });

  it('is told when nobody waits any more', async () => {
    await embedder.model();
    const error = await failure(embedder.embed(['hang'], 'passage', AbortSignal.timeout(50)));
    expect(error.name).toBe('TimeoutError');
    await eventually('it is told', () => readFile(join(folder, 'cancelled'), 'utf8').catch(() => undefined));
    expect(await embedder.embed(['a'], 'query')).toEqual([[1, 1]]);
    expect((await failure(embedder.embed(['a'], 'query', AbortSignal.abort()))).name).toBe('AbortError');
  });

  it('giving up does not end the start for the others', async () => {
    await play('slow');
    expect((await failure(embedder.embed(['a'], 'query', AbortSignal.timeout(50)))).name).toBe('TimeoutError');
    const [start] = await eventually('it runs', async () => (await starts()).length > 0 && starts());
    expect(isAlive(start?.pid ?? 0)).toBe(true);
  });

  it('is ended when it is idle, and started again', async () => {
    embedder = open({ idleSeconds: 0.1 });
    await embedder.embed(['a'], 'query');
    const [first] = await starts();
    await eventually('it is gone', () => !isAlive(first?.pid ?? 0));
    expect(await embedder.model()).toMatchObject({ name: 'm' });
    expect(await starts()).toHaveLength(1);
    expect(await embedder.embed(['a'], 'query')).toEqual([[1, 1]]);
    expect(await starts()).toHaveLength(2);
  });

  it('is not idle while it works', async () => {
    embedder = open({ idleSeconds: 0.1 });
    expect(await embedder.embed(['slowly'], 'passage')).toEqual([[6, 1]]);
    expect(await starts()).toHaveLength(1);
  });

  it('with other vectors than those that are set gives none', async () => {
    embedder = open({ dimension: 384 });
    expect((await failure(embedder.embed(['a'], 'query'))).message).toMatch(/gives 2 numbers a vector instead of 384/);
  });

  it('ends with its user, and with the work', async () => {
    await embedder.model();
    const [start] = await starts();
    const waiting = failure(embedder.embed(['hang'], 'passage'));
    await embedder.close();
    expect(await waiting).toBeInstanceOf(EmbedderUnavailable);
    expect(isAlive(start?.pid ?? 0)).toBe(false);
    expect((await failure(embedder.model())).message).toBe('the embedder is closed');
  });
});
