import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../../../test/fixtures/processes.js';
import { anyConfig, anyJob } from '../../../test/fixtures/runs.js';
import { root } from '../../../test/fixtures/trainer.js';
import { eventually } from '../../../test/fixtures/waiting.js';
import { buildRun } from '../../modules/training/run-builder.js';
import type { RunFile } from '../../modules/training/run-contract.generated.js';
import { RunFolder } from '../../modules/training/run-folder.js';
import { LocalLauncher } from './local-launcher.js';

const facts = { defaultModel: '/m', startFrom: null, resumeFrom: null, orphanSeconds: undefined };
const secrets = {
  UDS3_POSTGRES_PASSWORD: 'hidden-1',
  CLARA_ANYTHING: 'hidden-2',
  KEYCLOAK_CLIENT_SECRET: 'hidden-3',
  AWS_SECRET_ACCESS_KEY: 'hidden-4',
  NPM_TOKEN: 'hidden-5',
  NODE_OPTIONS: 'hidden-6',
};

describe('the local launcher', () => {
  let data: string;
  let folder: RunFolder;
  let python: string;

  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'clara-launch-'));
    folder = RunFolder.of(data, 'job', 1);
    python = join(data, 'python');
  });
  afterEach(() => rm(data, { recursive: true, force: true, maxRetries: 5 }));

  /** Plays Python: notes how it was called, or does what `body` says. */
  const stub = async (
    body = `env > "$PWD/env"; printf '%s\\n' "$@" > "$PWD/args.part"; mv "$PWD/args.part" "$PWD/args"`,
  ): Promise<void> => {
    await writeFile(python, `#!/bin/sh\n${body}\n`);
    await chmod(python, 0o755);
  };
  const launcher = (env: Record<string, string> = {}) =>
    new LocalLauncher(
      () => ({ python, trainer: join(root, 'trainer') }),
      { PATH: process.env['PATH'], ...env },
      (gpus) => gpus.map((index) => `GPU-${index}`).join(','),
    );
  const runFile = (change: Partial<RunFile['hardware']> = {}): RunFile => {
    const run = buildRun(anyJob(), anyConfig(), facts);
    return { ...run, hardware: { ...run.hardware, ...change } };
  };
  const submit = async (run = runFile(), env: Record<string, string> = {}, threads = 2): Promise<void> => {
    await folder.prepare(run);
    await new Promise<void>((resolve, reject) => {
      launcher(env).submit(folder, run, { threads, onExit: resolve }).catch(reject);
    });
  };
  const args = async () => (await readFile(join(folder.path, 'args'), 'utf8')).trim().split('\n');
  const env = async () => readFile(join(folder.path, 'env'), 'utf8');

  it('passes on what a training needs, and none of our secrets', async () => {
    await stub();
    await submit(runFile(), {
      ...secrets,
      HF_HOME: '/hf',
      HTTPS_PROXY: 'http://proxy',
      WANDB_API_KEY: 'wanted',
      LC_ALL: 'C',
    });
    const seen = await env();
    expect(seen).not.toContain('hidden');
    for (const line of ['HF_HOME=/hf', 'HTTPS_PROXY=http://proxy', 'WANDB_API_KEY=wanted', 'CLARA_THREADS=2'])
      expect(seen).toContain(line);
    expect(seen).toContain(`PYTHONPATH=${join(root, 'trainer/src')}`);
  });

  it('shows the worker its GPUs and no other', async () => {
    await stub();
    await submit(runFile({ gpus: [1, 3] }), { CUDA_VISIBLE_DEVICES: '0,1,2,3' });
    expect(await env()).toMatch(/^CUDA_VISIBLE_DEVICES=GPU-1,GPU-3$/m);
    expect(await env()).not.toContain('ACCELERATE_USE_CPU');
  });

  it('trains on the CPU where there is none', async () => {
    await stub();
    await submit(runFile({ gpus: [] }), { CUDA_VISIBLE_DEVICES: '0' });
    expect(await env()).toMatch(/^CUDA_VISIBLE_DEVICES=$/m);
    expect(await env()).toContain('ACCELERATE_USE_CPU=true');
  });

  it('runs accelerate by the launcher script, with the fence', async () => {
    await stub();
    await submit();
    const all = await args();
    const [script, ...rest] = all.slice(all.findIndex((word) => word.endsWith('.py')));
    expect([all[0], script]).toEqual(['-I', join(root, 'trainer/src/clara_trainer/launch.py')]);
    expect(rest.slice(0, 6)).toEqual(['start', '--run', folder.path, '--fence', '1', '--']);
    expect(rest.slice(6, 9)).toEqual([python, '-m', 'accelerate.commands.launch']);
    expect(rest.slice(-4)).toEqual(['-m', 'clara_trainer', '--run', folder.path]);
    expect(rest).not.toContain('--multi_gpu');
  });

  it('gives several processes a port of their own', async () => {
    await stub();
    await submit(runFile({ processes: 2 }));
    const all = await args();
    expect(all).toEqual(expect.arrayContaining(['--multi_gpu', '--num_processes', '2']));
    expect(Number(all[all.indexOf('--main_process_port') + 1])).toBeGreaterThan(1023);
  });

  it('lets it print to the log of the run folder', async () => {
    await stub('echo out; echo err >&2');
    await submit();
    expect(await readFile(folder.log, 'utf8')).toBe('out\nerr\n');
  });

  it('says when the program is not there', async () => {
    await expect(submit()).rejects.toThrow('ENOENT');
  });

  describe('with the real launcher script', () => {
    /** Plays Python where the worker is started, and is Python where the script is. */
    const real = (worker: string) => stub(`if [ "$1" = "-I" ]; then exec python3 "$@"; fi\n${worker}`);

    it('starts in a session of its own, and finds and kills all of it', async () => {
      await real('sleep 600 & sleep 600');
      const run = runFile();
      await folder.prepare(run);
      let ended = false;
      await launcher().submit(folder, run, { threads: 1, onExit: () => (ended = true) });
      const pid = (await eventually('it has its lock', () => folder.launcher())).pid;
      expect(await launcher().find(folder)).toEqual({ alive: true });
      expect((await launcher().usage(folder))?.memoryBytes).toBeGreaterThan(100_000);
      expect(await launcher().signal(folder, 'KILL')).toEqual({ alive: false });
      expect(await launcher().find(folder)).toEqual({ alive: false });
      await eventually('its end is told', () => ended && !isAlive(pid));
    });

    it('never starts a second worker beside the first, nor a superseded one', async () => {
      await real('sleep 600');
      const run = runFile();
      await folder.prepare(run);
      await launcher().submit(folder, run, { threads: 1, onExit: () => undefined });
      const first = await eventually('it has its lock', () => folder.launcher());
      await submit();
      expect(await folder.launcher()).toEqual(first);
      await launcher().signal(folder, 'KILL');
      await folder.raiseFence(9);
      const next = RunFolder.of(data, 'job', 2);
      await next.prepare(run);
      await new Promise<void>((resolve) => void launcher().submit(next, run, { threads: 1, onExit: resolve }));
      expect(await next.launcher()).toBeUndefined();
      expect(await readFile(next.log, 'utf8')).toContain('superseded');
    });
  });
});
