import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeLog } from '../../../test/fixtures/live-feed.js';
import { readSettings } from '../../config/settings.js';
import { SystemClock } from '../../kernel/clock.js';
import { openEngines } from './open-engines.js';

describe('llama.cpp where it cannot be installed', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clara-engines-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('says what to do instead', async () => {
    const gguf = join(folder, 'base.gguf');
    await writeFile(gguf, 'GGUF');
    const env = { CLARA_SECURITY_MODE: 'debug', CLARA_SERVING_ENGINE: 'llamacpp', CLARA_SERVING_GGUF: gguf };
    const trainer = {
      status: () => ({ ready: false, reason: 'not in this test' }) as const,
      python: () => '',
      defaultModel: () => undefined,
      onChange: () => () => undefined,
    };
    const engines = openEngines(readSettings(env, folder), {
      trainer,
      host: { gpus: 0, visibleDevices: () => '' },
      environment: {},
      log: new FakeLog(),
      clock: new SystemClock(),
    });
    await expect(engines.all[0]?.wake(AbortSignal.timeout(10_000))).rejects.toThrow(
      /install-llamacpp.mjs is not there: .*take CLARA_SERVING_ENGINE=embedded/,
    );
    await engines.close();
  });
});
