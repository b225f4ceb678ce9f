import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildEngine } from '../../src/adapters/engines/child-engine.js';
import type { ServingStatusDto } from '../../src/modules/serving/serving.dto.js';
import { killNow, processesOf } from '../fixtures/processes.js';
import { ServingApp } from '../fixtures/serving-app.js';
import { TestDatabases } from '../fixtures/test-database.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(180_000);

const standIn = join(import.meta.dirname, '../fixtures/vllm-stand-in.mjs');
/** As vLLM's own processes: it goes by no signal that can be turned down. */
const DEAF = `process.on('SIGTERM',()=>0);setInterval(()=>0,1000)`;

describe('a vLLM that CLARA starts', () => {
  let databases: TestDatabases;
  let folder: string;
  let app: ServingApp;

  beforeAll(async () => {
    databases = await TestDatabases.open();
  });
  afterAll(() => databases.close());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clara-vllm-'));
  });
  afterEach(async () => {
    await app.close();
    await databases.disconnect();
    await rm(folder, { recursive: true });
  });

  const opened = async (more = ''): Promise<void> => {
    const command = `${process.execPath} ${standIn} --base gemma --mark ${folder} ${more}`;
    const env = { CLARA_SERVING_ENGINE: 'vllm', CLARA_VLLM_COMMAND: command };
    app = await ServingApp.open(await databases.source(), { env });
  };
  const servers = async () => (await processesOf(folder)).filter(({ command }) => command.startsWith(process.execPath));
  const status = async () => (await app.call<ServingStatusDto>('GET', '/api/serving/router/status')).body.replicas[0];

  it('starts at the first request, with a key, its port and the LoRA options', async () => {
    await opened();
    expect([await servers(), (await status())?.state]).toEqual([[], 'asleep']);
    const version = await app.register();
    const answer = await app.ask(version);
    expect([answer.replica, answer.text]).toEqual(['vllm', expect.stringContaining(version.modelId)]);
    const [server] = await servers();
    expect(server?.command).toMatch(
      /--enable-lora --host 127\.0\.0\.1 --port \d+ --max-loras 8 --max-cpu-loras 8 --max-lora-rank 64$/,
    );
    const port = /--port (\d+)/.exec(server?.command ?? '')?.[1];
    expect((await fetch(`http://127.0.0.1:${port}/v1/models`)).status).toBe(401);
  });

  it('comes back with its adapters when it crashes', async () => {
    await opened();
    const version = await app.register();
    const before = await app.ask(version);
    const [first] = await servers();
    killNow(first?.pid);
    await eventually('another one runs', async () => (await servers()).some(({ pid }) => pid !== first?.pid));
    await eventually('it takes requests', async () => (await status())?.takes_requests);
    expect((await status())?.adapters.map((held) => held.version_id)).toEqual([version.id]);
    expect((await app.ask(version)).text).toBe(before.text);
  });

  it('comes back too when what watches it is killed, and the old one is gone', async () => {
    await opened();
    const version = await app.register();
    const before = await app.ask(version);
    const [first] = await servers();
    killNow((app.pool.replicas[0]?.engine as ChildEngine | undefined)?.pid, 'SIGTERM');
    await eventually('another one runs alone', async () => {
      const [only, ...others] = await servers();
      return only && others.length === 0 && only.pid !== first?.pid;
    });
    expect((await app.ask(version)).text).toBe(before.text);
  });

  it('says why it did not start', async () => {
    const env = { CLARA_SERVING_ENGINE: 'vllm', CLARA_VLLM_COMMAND: '/nowhere/vllm serve' };
    app = await ServingApp.open(await databases.source(), { env });
    await expect(app.ask('base')).rejects.toThrow(/\/nowhere\/vllm/);
  });

  it('ends with the application, and so do the processes that it started and that hear nothing', async () => {
    await opened(`--child ${DEAF}`);
    await app.ask('base');
    expect((await servers()).length).toBe(2);
    await app.close();
    await eventually('nothing of it is left', async () => (await processesOf(folder)).length === 0);
  });
});
