import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { baseSlug } from '../../src/kernel/base-slug.js';
import type { ChildEngine } from '../../src/adapters/engines/child-engine.js';
import type { ServingStatusDto } from '../../src/modules/serving/serving.dto.js';
import { killNow } from '../fixtures/processes.js';
import { ServingApp } from '../fixtures/serving-app.js';
import { TestDatabases } from '../fixtures/test-database.js';
import { makeTinyAdapters } from '../fixtures/tiny-adapters.js';
import { root, tinyModel, trainerPython } from '../fixtures/trainer.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(600_000);

const trainer = join(root, 'trainer');

/** What a model says, without what differs from one answer to the next. */
const contentOf = (answer: string): string =>
  (JSON.parse(answer) as { choices: { message: { content: string } }[] }).choices[0]?.message.content ?? '';

describe('the real embedded engine', () => {
  let databases: TestDatabases;
  let app: ServingApp;
  let folder: string;
  let python: string;
  let model: string;

  beforeAll(async () => {
    python = await trainerPython();
    model = await tinyModel();
    databases = await TestDatabases.open();
    folder = await mkdtemp(join(tmpdir(), 'clara-engine-'));
    app = await ServingApp.open(await databases.source(), { installed: { python, model, trainer } });
  });
  afterAll(async () => {
    await app.close();
    await databases.close();
    await rm(folder, { recursive: true });
  });

  /** @param strength of its random weights; B is zero at 0 */
  const adapter = async (seed: number, strength: number): Promise<string> => {
    const path = join(folder, `adapter-${seed}`);
    await makeTinyAdapters(model, [{ path, seed, strength }]);
    return path;
  };

  it('answers otherwise with an adapter, and as before without it', async () => {
    const before = contentOf((await app.ask('base')).text);
    const version = await app.register({ base: baseSlug(model), path: await adapter(1, 0.3), rank: 4 });
    const loaded = await app.call('POST', '/api/serving/load_adapter', { adapter_id: version.name });
    expect([loaded.status, loaded.body]).toEqual([200, expect.objectContaining({ status: 'loaded' })]);
    const answer = await app.ask(version);
    expect(answer.model).toBe(version.modelId);
    expect(contentOf(answer.text)).not.toBe(before);
    expect(contentOf((await app.ask('base')).text)).toBe(before);
    const again = contentOf((await app.ask(version)).text);
    expect(again).toBe(contentOf(answer.text));
    const unloaded = await app.call('DELETE', `/api/serving/unload_adapter?adapter_id=${version.name}`);
    expect(unloaded.status).toBe(200);
    expect(contentOf((await app.ask('base')).text)).toBe(before);
  });

  it('marks an adapter whose weights change nothing, and answers with it as the base does', async () => {
    const before = contentOf((await app.ask('base')).text);
    const version = await app.register({ base: baseSlug(model), path: await adapter(2, 0), rank: 4 });
    expect(contentOf((await app.ask(version)).text)).toBe(before);
    const { body } = await app.call<ServingStatusDto>('GET', '/api/serving/router/status');
    const held = body.replicas[0]?.adapters.find((entry) => entry.version_id === version.id);
    expect(held?.effect).toBe('none');
  });

  it('swaps a version under an alias within a second, and no request fails', async () => {
    const versions = [
      await app.register({ base: baseSlug(model), path: await adapter(3, 0.3), rank: 4 }),
      await app.register({ base: baseSlug(model), path: await adapter(4, 0.3), rank: 4 }),
    ] as const;
    await app.call('POST', `/api/adapters/${versions[0].id}/promote`, { alias: 'champion' });
    await app.ask(versions[0]);
    let isOver = false;
    const failures: unknown[] = [];
    let asked = 0;
    const client = async (): Promise<void> => {
      while (!isOver && failures.length === 0) {
        asked += 1;
        await app.ask(versions[0]).catch((error: unknown) => failures.push(error));
      }
    };
    const running = client();
    await eventually('requests run', () => asked > 2 || failures.length > 0);
    expect(failures).toEqual([]);
    const began = performance.now();
    const promoted = await app.call('POST', `/api/adapters/${versions[1].id}/promote`, { alias: 'champion' });
    const answer = await app.ask(versions[1]);
    const seconds = (performance.now() - began) / 1000;
    isOver = true;
    await running;
    expect([promoted.status, answer.model, failures]).toEqual([200, versions[1].modelId, []]);
    // A second is the goal; other suites share the cores here.
    process.stdout.write(`promote to the end of the first answer: ${seconds.toFixed(3)} s\n`);
    expect(seconds).toBeLessThan(10);
  });

  it('comes back from a crash with what it held', async () => {
    const [replica] = app.pool.replicas;
    const pidNow = () => (replica?.engine as ChildEngine | undefined)?.pid;
    const pid = pidNow();
    const version = await app.register({ base: baseSlug(model), path: await adapter(5, 0.3), rank: 4 });
    const before = contentOf((await app.ask(version)).text);
    killNow(pid);
    await eventually('another process takes requests', () => {
      const now = pidNow();
      return now !== undefined && now !== pid && replica?.isReady;
    });
    const { body } = await app.call<ServingStatusDto>('GET', '/api/serving/router/status');
    expect(body.replicas[0]?.adapters.map((held) => held.version_id)).toContain(version.id);
    expect(contentOf((await app.ask(version)).text)).toBe(before);
  });
});
