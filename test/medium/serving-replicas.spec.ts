import type { CatalogVersion } from '../../src/modules/adapters/adapter-catalog.port.js';
import type { ServedAdaptersDto, ServingStatusDto } from '../../src/modules/serving/serving.dto.js';
import { ServingApp } from '../fixtures/serving-app.js';
import { TestDatabases } from '../fixtures/test-database.js';
import { VllmProcess } from '../fixtures/vllm-servers.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(180_000);

const KEY = 'a-key-of-the-engines';

describe('two vLLM servers', () => {
  let databases: TestDatabases;
  let servers: VllmProcess[];
  let app: ServingApp;

  const opened = async (env: Record<string, string> = {}): Promise<void> => {
    app = await ServingApp.open(await databases.source(), {
      env: {
        CLARA_SERVING_ENGINE: 'vllm',
        CLARA_SERVING_URLS: servers.map(({ url }) => url).join(','),
        CLARA_SERVING_API_KEY: KEY,
        CLARA_SERVING_DRAIN_SECONDS: '1',
        ...env,
      },
    });
    await up(servers.length);
  };
  const status = async (): Promise<ServingStatusDto> =>
    (await app.call<ServingStatusDto>('GET', '/api/serving/router/status')).body;
  const up = (count: number) =>
    eventually(
      `${count} replicas take requests`,
      async () => (await status()).replicas.filter((replica) => replica.takes_requests).length === count,
    );
  const holders = async (version: CatalogVersion): Promise<string[]> =>
    (await status()).replicas
      .filter(({ adapters }) => adapters.some((held) => held.version_id === version.id && held.state === 'loaded'))
      .map(({ id }) => id);
  const everywhere = (version: CatalogVersion) =>
    eventually('every replica holds it', async () => (await holders(version)).length === servers.length);
  const server = (replica: string): VllmProcess => {
    const found = servers[Number(replica.slice('vllm-'.length)) - 1];
    if (!found) throw new Error(`there is no ${replica}`);
    return found;
  };

  const eject = async (replica: string): Promise<void> => {
    const others = ['vllm-1', 'vllm-2'].filter((id) => id !== replica);
    for (let request = 0; request < 5; request += 1) (await app.lease('base', { except: others })).release('failed');
  };

  beforeAll(async () => {
    databases = await TestDatabases.open();
  });
  afterAll(() => databases.close());
  beforeEach(async () => {
    servers = await Promise.all([1, 2].map(() => VllmProcess.start(['--key', KEY])));
  });
  afterEach(async () => {
    await app.close();
    await databases.disconnect();
    await Promise.all(servers.map((each) => each.kill()));
  });

  it('load a version when it is asked for, answer with it, and both hold it soon', async () => {
    await opened();
    const version = await app.register();
    const base = await app.ask('base');
    const first = await app.ask(version);
    expect(first.text).toContain(version.modelId);
    expect(first.text).not.toBe(base.text);
    await everywhere(version);
    expect((await server('vllm-1').control()).adapters).toEqual([version.modelId]);
    expect((await server('vllm-2').control()).adapters).toEqual([version.modelId]);
    expect(await app.metrics()).toMatch(/serving_adapters_loaded\{replica="vllm-1"\} 1/);
  });

  it('lose one: the other answers; it comes back empty and gets its adapters before requests', async () => {
    await opened();
    const version = await app.register();
    await app.ask(version);
    await everywhere(version);
    await server('vllm-1').kill();
    for (let request = 0; request < 8; request += 1) {
      const { replica } = await app.ask(version, {}).catch(() => app.ask(version, { except: ['vllm-1'] }));
      expect(replica).toBe('vllm-2');
    }
    await up(1);
    await server('vllm-1').restart();
    await up(2);
    expect((await server('vllm-1').control()).adapters).toEqual([version.modelId]);
  });

  it('mend what a server has lost, and count it', async () => {
    await opened();
    const [kept, lost] = [await app.register(), await app.register()];
    for (const version of [kept, lost]) {
      await app.ask(version);
      await everywhere(version);
    }
    await server('vllm-2').control({ drop: true });
    await eventually('the adapters are back', async () => (await server('vllm-2').control()).adapters.length === 2);
    expect(await app.metrics()).toContain('serving_adapter_drift_total{replica="vllm-2",kind="missing"} 2');
  });

  it('give the slot of the version that was used longest ago to the one that is asked for', async () => {
    await opened({ CLARA_SERVING_MAX_LORAS: '2' });
    const versions = [await app.register(), await app.register(), await app.register()] as const;
    const [oldest, pinned, newest] = versions;
    await app.call('POST', '/api/serving/load_adapter', { adapter_id: pinned.name, pinned: true });
    await app.ask(oldest);
    await everywhere(oldest);
    expect((await app.ask(newest)).text).toContain(newest.modelId);
    const held = await holders(oldest);
    expect(held.length).toBeLessThan(2);
    expect((await holders(pinned)).length).toBe(2);
    expect((await app.ask(oldest)).text).toContain(oldest.modelId);
  });

  it('let a request wait while every slot answers, and go on when one is free', async () => {
    await opened({ CLARA_SERVING_MAX_LORAS: '1', CLARA_SERVING_QUEUE: '1' });
    const [one, other, third] = [await app.register(), await app.register(), await app.register()];
    const leases = [
      await app.lease(one),
      await app.lease(one, { except: ['vllm-1'] }),
      await app.lease(one, { except: ['vllm-2'] }),
    ];
    const waiting = app.ask(other);
    await eventually('it waits', () => app.pool.waiting === 1);
    await expect(app.ask(third)).rejects.toThrow('CLARA_SERVING_QUEUE');
    for (const lease of leases) lease.release('ok');
    expect((await waiting).text).toContain(other.modelId);
  });

  it('refuse an adapter that they take and do not use', async () => {
    await opened();
    for (const each of servers) await each.control({ faults: { ignore: true } });
    const version = await app.register();
    await expect(app.ask(version)).rejects.toThrow('answers exactly as the base does');
    const { status: code, body } = await app.call<{ detail: string }>('POST', '/api/serving/load_adapter', {
      adapter_id: version.name,
    });
    expect([code, body.detail]).toEqual([409, expect.stringContaining('does not use it')]);
    expect((await server('vllm-1').control()).adapters).toEqual([]);
  });

  it('tell how `auto` stands, also after its configuration has changed', async () => {
    await opened();
    const { name } = await app.register();
    expect((await status()).router).toEqual({ default_adapter: null, exploration: 0, embeddings: true });
    const configure = (body: object) => app.call<{ detail: string }>('POST', '/api/serving/router/configure', body);
    expect((await configure({ options: { default_adapter: name } })).status).toBe(200);
    expect((await status()).router.default_adapter).toBe(name);
    const refused = await configure({ thresholds: { conf_low: 2 } });
    expect([refused.status, refused.body.detail]).toEqual([422, expect.stringContaining('conf_low: 2 is above 1')]);
    expect((await status()).router.default_adapter).toBe(name);
  });

  it('say why a version cannot be served', async () => {
    await opened();
    const foreign = await app.register({ base: 'llama' });
    await expect(app.ask(foreign)).rejects.toThrow('belongs to the base model llama; served is gemma');
    const gone = await app.register({ path: '/srv/gone' });
    await expect(app.ask(gone)).rejects.toThrow('the folder /srv/gone is gone');
    for (const each of servers) await each.control({ faults: { refuse: 'rank 128 is greater than max_lora_rank' } });
    const version = await app.register();
    await expect(app.ask(version)).rejects.toThrow('rank 128 is greater');
    const { body } = await app.call<ServedAdaptersDto>('GET', '/api/serving/adapters/list');
    const listed = body.adapters.find((entry) => entry.version_id === version.id);
    expect(listed?.replicas.map(({ state }) => state)).toContain('refused');
  });

  it('are ejected when they fail again and again, and come back when they are well', async () => {
    await opened();
    await server('vllm-1').control({ faults: { hangModels: true } });
    await eject('vllm-1');
    const ejected = (await status()).replicas.find(({ id }) => id === 'vllm-1');
    expect(ejected).toMatchObject({ ejected: true, takes_requests: false });
    expect((await app.ask('base')).replica).toBe('vllm-2');
    await server('vllm-1').control({ faults: { hangModels: false } });
    await up(2);
  });

  it('are ejected and begin anew: they get their adapters before requests', async () => {
    await opened();
    const version = await app.register();
    await app.ask(version);
    await everywhere(version);
    await server('vllm-1').control({ faults: { modelsMs: 200 }, drop: true });
    await eject('vllm-1');
    await up(1);
    await up(2);
    expect((await server('vllm-1').control()).adapters).toEqual([version.modelId]);
  });

  it('are all ejected: who waits is answered as soon as one is well again', async () => {
    await opened();
    for (const id of ['vllm-1', 'vllm-2']) await eject(id);
    const began = Date.now();
    expect((await app.ask('base')).text).not.toBe('');
    expect(Date.now() - began).toBeLessThan(20_000);
  });

  it('keep a version that an alias comes back to while it was about to go', async () => {
    await opened();
    const [one, two] = [await app.register(), await app.register()];
    for (let move = 0; move < 12; move += 1) {
      const version = move % 2 === 0 ? one : two;
      await app.call('POST', `/api/adapters/${version.name}/promote`, { alias: 'champion' });
      expect(await holders(version)).toEqual(['vllm-1', 'vllm-2']);
    }
  });

  it('share the load evenly, and keep a key where it was', async () => {
    await opened();
    const leases = await Promise.all(Array.from({ length: 10 }, () => app.lease('base')));
    const counts = ['vllm-1', 'vllm-2'].map((id) => leases.filter(({ replica }) => replica === id).length);
    expect(counts).toEqual([5, 5]);
    for (const lease of leases) lease.release('ok');
    const kept = await Promise.all(
      Array.from({ length: 6 }, () => app.ask('base', { key: 'customer-7' }).then(({ replica }) => replica)),
    );
    const first = await app.ask('base', { key: 'customer-7' });
    expect(kept[0]).toBe(first.replica);
  });

  it('unload: not while an alias means it, but forced; running answers end in time or are ended', async () => {
    await opened();
    const version = await app.register();
    await app.call('POST', `/api/adapters/${version.name}/promote`, { alias: 'champion' });
    const refused = await app.call<{ detail: string }>(
      'DELETE',
      `/api/serving/unload_adapter?adapter_id=${version.name}`,
    );
    expect([refused.status, refused.body.detail]).toEqual([
      409,
      expect.stringContaining('the alias "champion" means it'),
    ]);
    await everywhere(version);
    for (const each of servers) await each.control({ faults: { chunks: 1000, pauseMs: 20 } });
    const lease = await app.lease(version);
    const answer = app.answer(lease, { stream: true }).finally(() => lease.release('ok'));
    answer.catch(() => undefined);
    await eventually('it answers', async () => (await server(lease.replica).control()).running === 1);
    const unloaded = await app.call('DELETE', `/unload_adapter?adapter_id=${version.name}&force=true`);
    expect([unloaded.status, unloaded.body]).toEqual([
      200,
      expect.objectContaining({ status: 'unloaded', ended_answers: 1 }),
    ]);
    await expect(answer).rejects.toThrow('did not end in time');
    await eventually('it is gone', async () => (await holders(version)).length === 0);
    expect((await server('vllm-1').control()).adapters).toEqual([]);
  });

  it('swap versions under answers without losing one, and back', async () => {
    await opened({ CLARA_SERVING_DRAIN_SECONDS: '20' });
    const [old, fresh] = [await app.register(), await app.register()];
    const moves = await app.call('POST', `/api/adapters/${old.id}/promote`, {
      alias: 'champion',
      evidence: 'a first one',
    });
    expect(moves.status).toBe(200);
    await everywhere(old);
    for (const each of servers) await each.control({ faults: { chunks: 20, pauseMs: 5 } });
    let isOver = false;
    const meant = async (): Promise<CatalogVersion> => {
      const { body } = await app.call<ServedAdaptersDto>('GET', '/api/serving/adapters/list');
      const name = body.adapters.find(({ aliases }) => aliases.includes('champion'))?.version_id;
      return name === fresh.id ? fresh : old;
    };
    const client = async (): Promise<number> => {
      let answers = 0;
      while (!isOver) {
        const version = await meant();
        const { text } = await app.ask(version);
        expect(text).toContain(version.modelId);
        answers += 1;
      }
      return answers;
    };
    const clients = Promise.all(Array.from({ length: 4 }, client));
    const promoted = await app.call('POST', `/api/adapters/${fresh.id}/promote`, { alias: 'champion' });
    expect([promoted.status, promoted.body]).toEqual([
      200,
      expect.objectContaining({ adapter_id: fresh.name, kind: 'move' }),
    ]);
    await eventually('the old one is gone', async () => (await holders(old)).length === 0);
    const back = await app.call('POST', '/api/adapters/aliases/champion/rollback', {});
    expect([back.status, back.body]).toEqual([
      200,
      expect.objectContaining({ adapter_id: old.name, kind: 'rollback' }),
    ]);
    isOver = true;
    expect((await clients).every((answers) => answers > 0)).toBe(true);
  });
});
