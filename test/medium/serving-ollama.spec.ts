import { join } from 'node:path';
import { ollamaName } from '../../src/adapters/engines/ollama-names.js';
import { OllamaStandIn } from '../fixtures/ollama-stand-in.js';
import { randomAdapter, type AdapterShape } from '../fixtures/random-adapter.js';
import { ServingApp } from '../fixtures/serving-app.js';
import { TestDatabases } from '../fixtures/test-database.js';
import { eventually } from '../fixtures/waiting.js';

const SHAPE: AdapterShape = { layers: 1, rank: 2, alpha: 4, weights: { 'self_attn.q_proj': [8, 8] } };
const BASE = 'llama3.2:1b';
/** Databases and applications start slowly on a busy machine. */
const LIMIT_MS = 120_000;

describe('an Ollama', () => {
  let databases: TestDatabases;
  let ollama: OllamaStandIn;
  let app: ServingApp;

  const opened = async (model = BASE): Promise<void> => {
    app = await ServingApp.open(await databases.source(), {
      env: {
        CLARA_SERVING_ENGINE: 'ollama',
        CLARA_SERVING_URLS: ollama.url,
        CLARA_OLLAMA_MODEL: model,
        CLARA_BASE_MODEL: 'meta/llama-1b',
        CLARA_CACHE_DIR: 'cache',
      },
    });
  };
  const registered = async (seed: number) =>
    app.register({ base: 'llama-1b', path: await randomAdapter(join(app.folder, `adapter-${seed}`), SHAPE, seed) });
  const uploads = (): number => ollama.calls.filter((call) => call.startsWith('POST /api/blobs/')).length;

  beforeAll(async () => {
    databases = await TestDatabases.open();
  }, LIMIT_MS);
  beforeEach(async () => {
    ollama = await OllamaStandIn.start();
  });
  afterEach(async () => {
    await app?.close();
    await databases.disconnect();
    await ollama.close();
  }, LIMIT_MS);
  afterAll(() => databases.close(), LIMIT_MS);

  it(
    'is given adapters as models of safe names, each file once, and answers with them',
    async () => {
      await opened();
      const [one, other] = [await registered(1), await registered(2)];
      const [base, first, second] = [await app.ask('base'), await app.ask(one), await app.ask(other)];
      expect(new Set([base, first, second].map(({ text }) => text)).size).toBe(3);
      expect([base.model, first.model, second.model]).toEqual([BASE, ollamaName(one.id), ollamaName(other.id)]);
      expect(ollama.blobs.size).toBe(2);
      const copy = await registered(1);
      await app.ask(copy);
      expect([ollama.models.has(`${ollamaName(copy.id)}:latest`), uploads()]).toEqual([true, 2]);
    },
    LIMIT_MS,
  );

  it(
    'loses the model of an unloaded adapter, and none of its owner',
    async () => {
      await opened();
      const version = await registered(3);
      await app.ask(version);
      expect(ollama.models.has(`${ollamaName(version.id)}:latest`)).toBe(true);
      const { status } = await app.call('DELETE', `/api/serving/unload_adapter?adapter_id=${version.name}&force=true`);
      expect(status).toBe(200);
      await eventually('the model is gone', () => !ollama.models.has(`${ollamaName(version.id)}:latest`));
      expect([...ollama.models.keys()]).toEqual([BASE, 'somebodys:latest']);
    },
    LIMIT_MS,
  );

  it(
    'that says yes and cannot run adapters is found out, in its own words',
    async () => {
      await opened();
      ollama.loras = 'fail';
      const version = await registered(4);
      await expect(app.ask(version)).rejects.toThrow('loras are not yet implemented');
      expect([...ollama.models.keys()]).toEqual([BASE, 'somebodys:latest']);
      expect((await app.ask('base')).model).toBe(BASE);
    },
    LIMIT_MS,
  );

  it(
    'without the base says how to get it',
    async () => {
      await opened('gemma3:270m');
      await expect(app.ask('base', { limitMs: 30_000 })).rejects.toThrow('ollama pull gemma3:270m');
    },
    LIMIT_MS,
  );
});
