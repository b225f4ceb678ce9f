import { FakeLog } from '../../../test/fixtures/live-feed.js';
import { readSettings } from '../../config/settings.js';
import { SystemClock } from '../../kernel/clock.js';
import type { EnvironmentStatus } from '../../modules/training/trainer-environment.port.js';
import { HttpEmbedder } from './http-embedder.js';
import { openEmbedder } from './open-embedder.js';
import { WorkerEmbedder } from './worker-embedder.js';

describe('the embedder that the settings name', () => {
  const open = (env: Record<string, string>, status: EnvironmentStatus = { ready: true }) =>
    openEmbedder(readSettings({ CLARA_SECURITY_MODE: 'debug', ...env }, '/srv/clara'), {
      trainer: { status: () => status, python: () => '/nowhere/python' },
      environment: {},
      log: new FakeLog(),
      clock: new SystemClock(),
    });

  it('is a worker, which waits for the trainer', async () => {
    const embedder = open({}, { ready: false, reason: 'Installing PyTorch' });
    expect(embedder).toBeInstanceOf(WorkerEmbedder);
    await expect(embedder.model()).rejects.toThrow('the trainer environment is being installed: Installing PyTorch');
    await embedder.close();
  });

  it('runs with the Python of the trainer', async () => {
    const embedder = open({});
    await expect(embedder.model()).rejects.toThrow(/cannot be started: .*\/nowhere\/python ENOENT/);
    await embedder.close();
  });

  it('or a server', async () => {
    const embedder = open({ CLARA_EMBEDDER: 'http', CLARA_EMBEDDING_URL: 'http://127.0.0.1:9' });
    expect(embedder).toBeInstanceOf(HttpEmbedder);
    await embedder.close();
  });
});
