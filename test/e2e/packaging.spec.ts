import { execFile } from 'node:child_process';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { applicationFlags } from '../../scripts/application-flags.mjs';
import { Command, Place } from '../fixtures/command.js';
import { copiesOf, environmentOf, stagesOf, textsOf, type Stage } from '../fixtures/dockerfile.js';
import { root } from '../fixtures/trainer.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(300_000);

const execute = promisify(execFile);
const MUCH_OUTPUT = 64 * 1024 * 1024;

/** Every RUN of the Dockerfile, and where else it is run. */
const RUNS: Record<string, string> = {
  'npm ci': 'every fresh clone: scripts/npm-packages.mjs',
  'npm run build': 'every changed clone: scripts/build.mjs calls what the script build names',
  'npm ci --omit=dev': 'below',
  'python3 trainer/install.py': 'below, and by every start',
  'node scripts/install-postgres.mjs': 'below, and by every start',
  'node scripts/install-llamacpp.mjs': 'below',
};

const json = async (path: string): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(join(root, path), 'utf8')) as Record<string, unknown>;

describe('the container image', () => {
  let stages: Stage[];
  let place: Place;
  let image: Stage;

  const stage = (name: string): Stage => stages.find((found) => found.name === name) ?? fail(name);
  const fail = (name: string): never => {
    throw new Error(`the Dockerfile has no stage ${name}`);
  };

  beforeAll(async () => {
    stages = stagesOf(await readFile(join(root, 'Dockerfile'), 'utf8'));
    image = stages.at(-1) ?? fail('at the end');
    place = await Place.make();
  });
  afterAll(() => place.remove());

  /** Puts what a stage copies from the project below `folder`. */
  async function assemble(from: Stage, folder: string): Promise<void> {
    for (const { sources, target } of copiesOf(from).filter((copy) => copy.from === undefined))
      for (const source of sources) {
        const to = target.endsWith('/') ? join(folder, target, source.split('/').at(-1) ?? '') : join(folder, target);
        await mkdir(dirname(to), { recursive: true });
        await cp(join(root, source), to, { recursive: true });
      }
  }

  it('runs nothing at its build that the tests do not run', async () => {
    const runs = stages.flatMap((from) => textsOf(from, 'RUN'));
    expect(runs.filter((run) => !(run in RUNS))).toEqual([]);
    const packages = await readFile(join(root, 'scripts/npm-packages.mjs'), 'utf8');
    expect(packages).toContain("['ci', ");
    expect((await json('package.json'))['scripts']).toMatchObject({ build: 'nest build' });
  });

  it('copies only what is there and what .dockerignore lets in', async () => {
    const allowed = (await readFile(join(root, '.dockerignore'), 'utf8'))
      .split('\n')
      .filter((line) => line.startsWith('!'));
    const sources = stages
      .flatMap((from) => copiesOf(from).filter((copy) => copy.from === undefined))
      .flatMap((copy) => copy.sources);
    for (const source of sources) {
      await expect(readFile(join(root, source)).catch((error: NodeJS.ErrnoException) => error.code)).resolves.not.toBe(
        'ENOENT',
      );
      const path = source.replace(/^\.\//, '');
      expect(allowed.some((line) => path === line.slice(1) || path.startsWith(`${line.slice(1)}/`))).toBe(true);
    }
  });

  it('installs the trainer and PostgreSQL from the files it copies', async () => {
    const folder = join(place.folder, 'installed');
    await assemble(stage('installed'), folder);
    const [python, node] = textsOf(stage('installed'), 'RUN');
    const trainer = await execute('sh', ['-c', python ?? ''], { cwd: folder, maxBuffer: MUCH_OUTPUT });
    expect(JSON.parse(trainer.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ done: true });
    const postgres = await execute('sh', ['-c', node ?? ''], { cwd: folder, maxBuffer: MUCH_OUTPUT });
    expect(postgres.stdout.trim()).toMatch(/bin$/);
  });

  it('installs llama.cpp from the files it copies, where the image finds it without npm', async () => {
    const folder = join(place.folder, 'llamacpp');
    await assemble(stage('llamacpp'), folder);
    const env = { ...process.env, CLARA_CACHE_DIR: join(place.folder, 'cache-llamacpp') };
    const [command = ''] = textsOf(stage('llamacpp'), 'RUN');
    const first = await execute('sh', ['-c', command], { cwd: folder, env, maxBuffer: MUCH_OUTPUT });
    const app = join(place.folder, 'image');
    await assemble(image, app);
    const again = await execute(process.execPath, command.split(' ').slice(1), {
      cwd: app,
      env: { CLARA_CACHE_DIR: env.CLARA_CACHE_DIR, PATH: '/nowhere' },
    });
    expect(again.stdout).toBe(first.stdout);
    expect(environmentOf(stage('llamacpp'))['CLARA_CACHE_DIR']).toBe(environmentOf(image)['CLARA_CACHE_DIR']);
    const folders = copiesOf(image).filter((copy) => copy.from === 'llamacpp');
    expect(folders.map(({ sources, target }) => [...sources, target])).toEqual([['/opt/clara', '/opt/clara']]);
  });

  it('starts as a user that is not root, answers its health check with production packages only, and stops', async () => {
    expect(textsOf(image, 'USER')).toEqual(['65534:65534']);
    const folder = join(place.folder, 'app');
    await assemble(stage('packages'), folder);
    const [install] = textsOf(stage('packages'), 'RUN');
    await execute('sh', ['-c', `${install} --no-audit --no-fund`], { cwd: folder, maxBuffer: MUCH_OUTPUT });
    await assemble(image, folder);
    await cp(join(root, 'dist'), join(folder, 'dist'), { recursive: true });

    const [node, ...entry] = JSON.parse(textsOf(image, 'ENTRYPOINT')[0] ?? '[]') as string[];
    expect([node, ...entry.slice(0, -1)]).toEqual(['node', ...applicationFlags]);
    // The addresses and folders of a container, except those that the machine of the test must not lend.
    const own = new Set(['HOME', 'CLARA_CACHE_DIR', 'CLARA_DATA_DIR', 'CLARA_LOG_DIR', 'CLARA_HOST']);
    const baked = Object.entries(environmentOf(image)).filter(([name]) => !own.has(name));
    const env = { ...Object.fromEntries(baked), ...place.env, CLARA_SECURITY_MODE: 'debug' };
    const application = Command.run(entry, { cwd: folder, env });
    try {
      const check = /CMD (\[.*\])/.exec(textsOf(image, 'HEALTHCHECK')[0] ?? '')?.[1] ?? '[]';
      const [, ...script] = JSON.parse(check) as string[];
      const exit = async () => (await Command.run(script, { cwd: folder, env }).ended).code;
      await eventually('the health check succeeds', async () => (await exit()) === 0);
      const command = Command.run(['scripts/clara.mjs', 'audit', 'verify'], { cwd: folder, env });
      expect([(await command.ended).code, command.output]).toEqual([0, expect.stringContaining('nothing was bent')]);
      application.child.kill('SIGTERM');
      expect(await application.ended).toEqual({ code: 0, signal: null });
      expect(await exit()).toBe(1);
    } finally {
      await application.stop();
    }
  });

  it('has settings that the application accepts', async () => {
    const { readSettings } = await import('../../src/config/settings.js');
    const settings = readSettings({ ...environmentOf(image), CLARA_SECURITY_MODE: 'debug' }, '/app');
    expect(settings.folders).toMatchObject({ data: '/data', logs: '/data/logs', cache: '/opt/clara' });
    const exposed = (textsOf(image, 'EXPOSE')[0] ?? '')
      .split(' ')
      .map(Number)
      .toSorted((one, other) => one - other);
    const ports = [...Object.values(settings.http.ports), settings.pki.port];
    expect(exposed).toEqual(ports.toSorted((one, other) => one - other));
    const volumes = textsOf(image, 'VOLUME');
    expect(volumes).toEqual(['/data']);
  });

  it('is published by the compose file on loopback only, with time to stop', async () => {
    const { services } = parse(await readFile(join(root, 'compose.yaml'), 'utf8')) as {
      services: Record<
        string,
        { ports: string[]; environment: string[]; stop_grace_period: string; volumes: string[] }
      >;
    };
    expect(Object.keys(services)).toEqual(['training_backend']);
    const service = services['training_backend'];
    expect(service?.environment).toEqual(['CLARA_SECURITY_MODE=debug']);
    for (const port of service?.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:(\d+):\1$/);
    expect(service?.ports.map((port) => Number(port.split(':')[2])).toSorted((one, other) => one - other)).toEqual([
      9310, 45678, 45679, 45680, 45681, 45682,
    ]);
    expect(Number.parseInt(service?.stop_grace_period ?? '', 10)).toBeGreaterThan(8);
    expect(service?.volumes).toEqual(['clara_data:/data']);
  });
});
