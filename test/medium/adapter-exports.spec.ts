import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { NoAuditTrail } from '../../src/modules/audit/audit.port.js';
import { ExportBases } from '../../src/modules/adapters/export-bases.js';
import { ExportRunner } from '../../src/modules/adapters/export-runner.service.js';
import { ExportService } from '../../src/modules/adapters/export.service.js';
import { ExportStore } from '../../src/modules/adapters/export.store.js';
import {
  AdapterExporter,
  exportFormats,
  ExportFailed,
  type ExportRequest,
} from '../../src/modules/adapters/exporter.port.js';
import { makeBase, RegistrySite } from '../fixtures/adapters.js';
import { someone } from '../fixtures/datasets.js';
import { LocalWakeups } from '../fixtures/queue.js';
import { TestDatabases } from '../fixtures/test-database.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(180_000);

const by = someone('erika', 'trainer');
const whole = (): AbortSignal => new AbortController().signal;

/** Writes one file; or hangs until its signal, or fails. */
class FakeExporter extends AdapterExporter {
  behaviour: 'write' | 'hang' | 'fail' = 'write';
  requests: ExportRequest[] = [];

  async run(
    request: ExportRequest,
    report: (phase: string, progress: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    this.requests.push(request);
    await mkdir(request.out);
    await writeFile(join(request.out, 'model.safetensors'), 'half');
    report('writing', 0.5);
    if (this.behaviour === 'fail') throw new ExportFailed('it cannot be');
    if (this.behaviour === 'write') return;
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  }
}

describe('exports of adapters', () => {
  let databases: TestDatabases;
  let source: DataSource;
  let site: RegistrySite;
  let store: ExportStore;
  let exporter: FakeExporter;
  let runner: ExportRunner;
  let service: ExportService;

  beforeAll(async () => {
    databases = await TestDatabases.open();
    source = await databases.source();
  });
  beforeEach(async () => {
    site = await RegistrySite.open(source);
    store = new ExportStore(source);
    exporter = new FakeExporter();
    runner = newRunner();
    service = new ExportService(site.versions, store, site.place, new NoAuditTrail());
  });
  afterEach(() => site.close());
  afterAll(() => databases.close());

  const newRunner = (exportSeconds = 60): ExportRunner => {
    const environment = { status: () => ({ ready: true as const }), onChange: () => () => undefined };
    const bases = new ExportBases(site.bases, { ...environment, defaultModel: () => site.base }, new LocalWakeups());
    Object.assign(site.settings, { adapters: { ...site.settings.adapters, exportSeconds } });
    return new ExportRunner(store, site.versions, bases, exporter, site.place, site.settings, site.log);
  };
  const foldersOf = (versionId: string): Promise<string[]> =>
    readdir(join(site.place.exports, versionId)).catch(() => []);

  it('are made once for all who ask, and published whole', async () => {
    const { name, id } = await site.registered();
    const [a, b] = await Promise.all([service.create(name, 'merged', by), service.create(id, 'merged', by)]);
    expect(a.id).toBe(b.id);
    expect(a).toMatchObject({ state: 'pending', progress_percent: 0, download_url: null });
    expect(await runner.runNext(whole())).toBe(true);
    const done = await service.get(name, a.id);
    expect(done).toMatchObject({ state: 'completed', progress_percent: 100, bytes: 4, error: null });
    expect(done.files.map((file) => file.name)).toEqual(['model.safetensors']);
    expect(await foldersOf(id)).toEqual([a.id]);
    expect(exporter.requests[0]).toMatchObject({ base: expect.stringContaining('default-'), name, format: 'merged' });
    expect(await runner.runNext(whole())).toBe(false);
    expect((await service.create(name, 'merged', by)).id).toBe(a.id);
    await service.remove(name, a.id, by);
    expect(await foldersOf(id)).toEqual([]);
    expect((await service.create(name, 'merged', by)).id).not.toBe(a.id);
    await expect(service.remove(name, a.id, by)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('of each format are beside each other', async () => {
    const { name } = await site.registered();
    const made = [];
    for (const format of exportFormats) made.push(await service.create(name, format, by));
    for (const _ of exportFormats) expect(await runner.runNext(whole())).toBe(true);
    expect(exporter.requests.map(({ format }) => format)).toEqual(exportFormats);
    const { exports: listed } = await service.list(name);
    expect(listed.map(({ id, state }) => [id, state])).toEqual(made.map(({ id }) => [id, 'completed']).toReversed());
  });

  it('are cancelled while they wait and while they run', async () => {
    const { name, id } = await site.registered();
    const waiting = await service.create(name, 'gguf', by);
    await service.remove(name, waiting.id, by);
    expect((await service.get(name, waiting.id)).state).toBe('cancelled');
    exporter.behaviour = 'hang';
    const running = await service.create(name, 'gguf', by);
    const round = runner.runNext(whole());
    await eventually('it runs', async () => (await service.get(name, running.id)).phase === 'writing');
    expect((await service.get(name, running.id)).progress_percent).toBe(50);
    await service.remove(name, running.id, by);
    await round;
    expect((await service.get(name, running.id)).state).toBe('cancelled');
    expect(await foldersOf(id)).toEqual([]);
  });

  it('go on after the application ended, as a whole', async () => {
    const { name, id } = await site.registered();
    const { id: exportId } = await service.create(name, 'merged', by);
    exporter.behaviour = 'hang';
    const stop = new AbortController();
    const round = runner.runNext(stop.signal);
    await eventually('it runs', async () => (await service.get(name, exportId)).phase === 'writing');
    stop.abort(new Error('shutdown'));
    await round;
    expect((await service.get(name, exportId)).state).toBe('pending');
    expect(await foldersOf(id)).toEqual([]);
    // One that was killed had no time to say so, and left its half behind.
    await store.claim('0f8fad5b-d9cb-469f-a165-70867728950e', await site.place.id());
    await mkdir(join(site.place.exports, id, `${exportId}.partial`), { recursive: true });
    exporter.behaviour = 'write';
    await newRunner().runNext(whole());
    expect((await service.get(name, exportId)).state).toBe('completed');
    expect(await foldersOf(id)).toEqual([exportId]);
  });

  it('that kill their application three times are given up', async () => {
    const { name } = await site.registered();
    const { id } = await service.create(name, 'merged', by);
    for (let attempt = 0; attempt < 3; attempt += 1)
      await store.claim('0f8fad5b-d9cb-469f-a165-70867728950e', await site.place.id());
    expect(await runner.runNext(whole())).toBe(false);
    expect(await service.get(name, id)).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('each of its'),
    });
  });

  it('end by a deadline, or with the reason why they cannot be', async () => {
    const { name } = await site.registered();
    exporter.behaviour = 'hang';
    const slow = await service.create(name, 'merged', by);
    await newRunner(0.2).runNext(whole());
    newRunner();
    expect(await service.get(name, slow.id)).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('CLARA_EXPORT_MINUTES'),
    });
    exporter.behaviour = 'fail';
    const failing = await service.create(name, 'merged', by);
    await runner.runNext(whole());
    expect(await service.get(name, failing.id)).toMatchObject({ state: 'failed', error: 'it cannot be' });
    await makeBase(site.base, 32);
    await writeFile(join(site.base, 'config.json'), '{"changed": true, "model_type": "llama"}');
    const changed = await service.create(name, 'merged', by);
    await runner.runNext(whole());
    expect(await service.get(name, changed.id)).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('files have changed'),
    });
  });

  it('go with their version', async () => {
    const version = await site.registered();
    const { id } = await service.create(version.name, 'merged', by);
    await runner.runNext(whole());
    await site.changes.retire(version, 'erika', () => Promise.resolve());
    await site.sweeper.sweep();
    expect(await foldersOf(version.id)).toEqual([]);
    await expect(stat(version.path)).rejects.toThrow('ENOENT');
    expect((await service.get(version.id, id)).download_url).toBeNull();
    await expect(service.create(version.name, 'merged', by)).rejects.toMatchObject({ code: 'conflict' });
  });
});
