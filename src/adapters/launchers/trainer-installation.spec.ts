import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeLog } from '../../../test/fixtures/live-feed.js';
import { eventually } from '../../../test/fixtures/waiting.js';
import { TrainerInstallation } from './trainer-installation.js';

const reasonOf = (installation: TrainerInstallation): string => {
  const status = installation.status();
  return status.ready ? '' : status.reason;
};

describe('the installation of the trainer', () => {
  let folder: string;
  let installation: TrainerInstallation | undefined;
  const log = new FakeLog();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clara-install-'));
  });
  afterEach(async () => {
    installation?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Plays Python, and what it installs: both are this script. */
  const open = async (
    body: string,
    baseModel?: string,
    env: Record<string, string> = {},
  ): Promise<TrainerInstallation> => {
    const python = join(folder, 'python');
    await writeFile(python, `#!/bin/sh\nSELF=${python}; HERE=${folder}\n${body}\n`);
    await chmod(python, 0o755);
    const paths = { python, trainer: folder, cache: join(folder, 'cache'), baseModel };
    installation = new TrainerInstallation(paths, { PATH: process.env['PATH'], ...env }, log);
    return installation;
  };
  const done = `echo "{\\"phase\\": \\"ready\\", \\"message\\": \\"ready\\", \\"done\\": true, \\"python\\": \\"$SELF\\"}"`;

  it('is not ready before it has begun', async () => {
    const made = await open(done);
    expect(made.status()).toMatchObject({ ready: false });
    expect(made.defaultModel()).toBeUndefined();
    expect(() => made.python()).toThrow('not ready');
  });

  it('is ready with its Python and the model that is named', async () => {
    const made = await open(done, 'org/model');
    let changes = 0;
    made.onChange(() => (changes += 1));
    made.start();
    await eventually('it is ready', () => made.status().ready);
    expect([made.python(), made.defaultModel()]).toEqual([join(folder, 'python'), 'org/model']);
    expect(changes).toBeGreaterThan(0);
  });

  it('makes a small model where none is named', async () => {
    const made = await open(
      `case "$*" in *base_model*) echo '{"done": true, "model": "/models/small"}';; *) ${done};; esac`,
    );
    made.start();
    await eventually('it is ready', () => made.status().ready);
    expect(made.defaultModel()).toBe('/models/small');
  });

  it('tells what it is doing', async () => {
    const made = await open(`echo '{"phase": "packages", "message": "Installing PyTorch"}'; exec sleep 600`);
    made.start();
    await eventually('it says so', () => reasonOf(made) === 'Installing PyTorch');
  });

  it('tells why it failed, and tries again', async () => {
    const made = await open(`echo '{"phase": "failed", "message": "no network here", "error": "network"}'; exit 1`);
    made.start();
    await eventually('it has failed', () => /failed \(no network here\); trying again/.test(reasonOf(made)));
    expect(log.lines.some(({ message }) => /trying again/.test(message))).toBe(true);
  });

  it('tells the complaint of a program that breaks', async () => {
    const made = await open('echo "something is broken" >&2; exit 3');
    made.start();
    await eventually('it has failed', () => /ended with code 3: something is broken/.test(reasonOf(made)));
  });

  it('does not give an installer the way into our database', async () => {
    const made = await open(`env > "$HERE/env"; ${done}`, 'm', {
      UDS3_POSTGRES_PASSWORD: 'hidden',
      PIP_INDEX_URL: 'http://mirror',
    });
    made.start();
    await eventually('it is ready', () => made.status().ready);
    const seen = await readFile(join(folder, 'env'), 'utf8');
    expect(seen).not.toContain('hidden');
    expect(seen).toContain('PIP_INDEX_URL=http://mirror');
  });

  it('ends with the application', async () => {
    const made = await open('echo $$ > "$HERE/pid"; exec sleep 600');
    made.start();
    const pid = await eventually(
      'it runs',
      async () => Number(await readFile(join(folder, 'pid'), 'utf8').catch(() => '')) || undefined,
    );
    made.close();
    await eventually('it is gone', () => {
      try {
        return !process.kill(pid, 0);
      } catch {
        return true;
      }
    });
  });
});
