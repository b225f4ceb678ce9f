import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CatalogVersion } from '../../src/modules/adapters/adapter-catalog.port.js';
import type { ServingStatusDto } from '../../src/modules/serving/serving.dto.js';
import { freePorts } from '../fixtures/processes.js';
import { randomAdapter, type AdapterShape } from '../fixtures/random-adapter.js';
import { ServingApp } from '../fixtures/serving-app.js';
import { TestDatabases } from '../fixtures/test-database.js';
import { root } from '../fixtures/trainer.js';
import { eventually } from '../fixtures/waiting.js';
import { answersHttp, PeerProcess, temporaryFolder } from './peer-process.js';
import { vllmModel, vllmPython } from './vllm-cpu.js';

const INSTALL_MS = 1_800_000;
const START_MS = 700_000;
const LIMIT_MS = 300_000;
const KEY = 'only-for-tests';
/** Of its model: 64 wide, 4 heads of 32. */
const SHAPE: AdapterShape = {
  layers: 2,
  rank: 4,
  alpha: 32,
  weights: { 'self_attn.q_proj': [128, 64], 'mlp.down_proj': [64, 128] },
};

describe('a real vLLM', () => {
  let folder: string;
  let databases: TestDatabases;
  let server: PeerProcess;
  let app: ServingApp;
  let url: string;
  let version: CatalogVersion;

  const start = async (): Promise<void> => {
    const options = {
      model: join(folder, 'model'),
      'chat-template': join(root, 'trainer', 'src', 'clara_trainer', 'chat_template.jinja'),
      host: '127.0.0.1',
      port: new URL(url).port,
      'served-model-name': 'tiny',
      dtype: 'float32',
      'max-model-len': 256,
      'max-num-seqs': 4,
      'max-loras': 2,
      'max-cpu-loras': 2,
      'max-lora-rank': 8,
      'api-key': KEY,
    };
    server = await PeerProcess.start({
      name: 'vLLM',
      command: await vllmPython(),
      args: [
        '-m',
        'vllm.entrypoints.openai.api_server',
        '--enforce-eager',
        '--enable-lora',
        ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
      ],
      env: {
        VLLM_ALLOW_RUNTIME_LORA_UPDATING: 'True',
        VLLM_CPU_KVCACHE_SPACE: '1',
        VLLM_NO_USAGE_STATS: '1',
        HF_HUB_OFFLINE: '1',
      },
      cwd: folder,
      ready: () => answersHttp(`${url}/health`),
      startedMs: START_MS,
    });
  };
  const served = async (): Promise<{ id: string; parent: string | null }[]> => {
    const answer = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${KEY}` } });
    return ((await answer.json()) as { data: { id: string; parent: string | null }[] }).data;
  };
  const isServed = async (): Promise<boolean> => (await served()).some(({ id }) => id === version.modelId);
  const textOf = (answer: string): string | undefined =>
    (JSON.parse(answer) as { choices: { message: { content: string } }[] }).choices[0]?.message.content;

  beforeAll(async () => {
    await vllmPython();
  }, INSTALL_MS);
  beforeAll(async () => {
    folder = await temporaryFolder('vllm');
    await vllmModel(join(folder, 'model'));
    databases = await TestDatabases.open();
    const [port] = await freePorts(1);
    url = `http://127.0.0.1:${port}`;
    await start();
    app = await ServingApp.open(await databases.source(), {
      env: { CLARA_SERVING_ENGINE: 'vllm', CLARA_SERVING_URLS: url, CLARA_SERVING_API_KEY: KEY },
    });
    version = await app.register({
      base: 'tiny',
      rank: 4,
      path: await randomAdapter(join(folder, 'adapter'), SHAPE, 1),
    });
  }, START_MS + LIMIT_MS);
  afterAll(async () => {
    await app?.close();
    await server?.stop();
    await databases?.close();
    await rm(folder, { recursive: true, force: true });
  }, LIMIT_MS);

  it(
    'answers with its base, and otherwise with an adapter that it loads when it is asked for',
    async () => {
      const base = await app.ask('base');
      const adapted = await app.ask(version);
      expect(adapted.model).toBe(version.modelId);
      expect(textOf(adapted.text)).not.toBe(textOf(base.text));
      expect(textOf((await app.ask('base')).text)).toBe(textOf(base.text));
      expect(await served()).toContainEqual(expect.objectContaining({ id: version.modelId, parent: 'tiny' }));
    },
    LIMIT_MS,
  );

  it(
    'has no model any more that was unloaded',
    async () => {
      expect(await isServed()).toBe(true);
      const { status } = await app.call('DELETE', `/api/serving/unload_adapter?adapter_id=${version.name}&force=true`);
      expect(status).toBe(200);
      await eventually('it is gone', async () => !(await isServed()), LIMIT_MS);
      const answer = await fetch(`${url}/v1/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: version.modelId, prompt: 'a', max_tokens: 1 }),
      });
      expect(answer.status).toBe(404);
    },
    LIMIT_MS,
  );

  it(
    'gets its adapters back when it was started again and is empty',
    async () => {
      const { status } = await app.call('POST', '/api/serving/load_adapter', { adapter_id: version.name });
      expect(status).toBe(200);
      await eventually('it is loaded', isServed, LIMIT_MS);
      await server.stop();
      await eventually(
        'it counts as down',
        async () => {
          const { body } = await app.call<ServingStatusDto>('GET', '/api/serving/router/status');
          return body.replicas.every((replica) => !replica.takes_requests);
        },
        LIMIT_MS,
      );
      await start();
      await eventually('the adapter is back', isServed, LIMIT_MS);
      expect((await app.ask(version)).model).toBe(version.modelId);
    },
    START_MS + 2 * LIMIT_MS,
  );
});
