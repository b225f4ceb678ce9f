import { access, mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { DataSource } from 'typeorm';
import type { Settings } from '../../src/config/settings.js';
import { FileFolder } from '../../src/modules/fine-tuning/files/file-folder.js';
import { FileStore, type NewFile } from '../../src/modules/fine-tuning/files/file.store.js';
import { FileSweeper } from '../../src/modules/fine-tuning/files/file-sweeper.service.js';
import { FileUse } from '../../src/modules/fine-tuning/files/file-use.js';
import { newJobId } from '../../src/modules/fine-tuning/jobs/job-ids.js';
import { JobRowStore } from '../../src/modules/fine-tuning/jobs/job.store.js';
import { FakeLog } from '../fixtures/live-feed.js';
import { jobRow } from '../fixtures/openai-jobs.js';
import { TestDatabases } from '../fixtures/test-database.js';

import.meta.jest.setTimeout(120_000);

const DAY = 86_400;
const nothing = () => Promise.resolve();
const is = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

describe('files and jobs of the OpenAI surface', () => {
  let databases: TestDatabases;
  let source: DataSource;
  let files: FileStore;
  let jobs: JobRowStore;
  let folder: FileFolder;
  let data: string;
  let count = 0;

  beforeAll(async () => {
    databases = await TestDatabases.open();
    source = await databases.source();
    files = new FileStore(source);
    jobs = new JobRowStore(source);
    data = await mkdtemp(join(tmpdir(), 'clara-openai-'));
    folder = new FileFolder({ folders: { data } } as unknown as Settings);
  });
  afterAll(async () => {
    await databases.close();
    await rm(data, { recursive: true, force: true });
  });

  async function incoming(): Promise<string> {
    const { path, stream } = await folder.incoming();
    stream.end('{}');
    await finished(stream);
    return path;
  }

  async function file(changes: Partial<NewFile> = {}): Promise<string> {
    count += 1;
    const id = `file-${String(count).padStart(24, '0')}`;
    const staged = await incoming();
    const path = await folder.keep({ path: staged, bytes: 2, sha256: '' }, id);
    const known = { id, path, bytes: 2, sha256: '', filename: 'a', purpose: 'fine-tune', created_by: 'me' } as const;
    await files.add({ ...known, expiresInSeconds: null, ...changes }, nothing);
    return id;
  }
  const job = async (training_file: string) =>
    jobs.create({ ...jobRow({ id: newJobId(), training_file }) }, undefined, nothing);
  const remove = (id: string) => files.remove(id, (sql) => new FileUse().mustBeFree(sql, id));

  it('a file is deleted, or a job is made on it, never both', async () => {
    for (let round = 0; round < 10; round += 1) {
      const id = await file();
      const [made, removed] = await Promise.allSettled([job(id), remove(id)]);
      expect([made.status, removed.status].toSorted((a, b) => a.localeCompare(b))).toEqual(['fulfilled', 'rejected']);
    }
  });

  it('what comes while the files are read holds for the training', async () => {
    const uuid = () => crypto.randomUUID();
    const plain = await job(await file());
    expect(await jobs.accept(plain.id, uuid(), null)).toBe('validating');
    const paused = await job(await file());
    await jobs.change(paused.id, { from: ['validating'], to: 'paused' });
    expect(await jobs.accept(paused.id, uuid(), null)).toBe('paused');
    const cancelled = await job(await file());
    await jobs.change(cancelled.id, { from: ['validating'], to: 'cancelled' });
    expect(await jobs.accept(cancelled.id, uuid(), null)).toBeUndefined();
    await jobs.fail(cancelled.id, { code: 'c', message: 'm', param: null });
    expect(await jobs.find(cancelled.id, 'somebody')).toMatchObject({ state: 'cancelled', job_id: null, error: null });
  });

  it('its results are written once, whoever writes them', async () => {
    const { id } = await job(await file());
    const results: NewFile = {
      id: 'file-results',
      path: 'p',
      bytes: 1,
      sha256: '',
      filename: 'step_metrics.csv',
      purpose: 'fine-tune-results',
      created_by: 'somebody',
      expiresInSeconds: null,
    };
    const outcome = { endedAt: new Date(), fineTunedModel: 'ft:a:b::c', results };
    const rows = await Promise.all([jobs.end(id, outcome), jobs.end(id, outcome)]);
    for (const row of rows) expect(row).toMatchObject({ result_file: 'file-results', fine_tuned_model: 'ft:a:b::c' });
  });

  it('the sweep takes what nobody needs, and nothing else', async () => {
    const sweeper = new FileSweeper(files, folder, new FakeLog());
    const [kept, expired, needed, deleted] = [
      await file(),
      await file({ expiresInSeconds: -1 }),
      await file(),
      await file(),
    ];
    await job(needed);
    await source.query(`UPDATE openai_files SET expires_at = now() - interval '1 hour' WHERE id = $1`, [needed]);
    await files.remove(deleted, nothing);
    const [broken, fresh] = [await incoming(), await incoming()];
    const pathOf = (id: string) => folder.whole(`openai/files/${id}.jsonl`);
    const old = new Date(Date.now() - 2 * DAY * 1000);
    for (const path of [broken, ...[kept, expired, needed, deleted].map(pathOf)]) await utimes(path, old, old);
    expect(await sweeper.sweep()).toBe(3);
    const left = [kept, needed, expired, deleted].map((id) => is(pathOf(id)));
    expect(await Promise.all([...left, is(broken), is(fresh)])).toEqual([true, true, false, false, false, true]);
  });
});
