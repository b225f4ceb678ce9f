import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { Wakeups } from '../../src/kernel/wakeups.js';
import type { AuditTrail } from '../../src/modules/audit/audit.port.js';
import { DocumentNews } from '../../src/modules/documents/document-news.js';
import { UnreadableFile } from '../../src/modules/documents/document-parser.port.js';
import { PendingStores } from '../../src/modules/documents/pending-stores.js';
import type { FileRow, JobRow } from '../../src/modules/ingestion/ingestion.entity.js';
import { IngestionNews } from '../../src/modules/ingestion/ingestion-news.js';
import { IngestionQueue } from '../../src/modules/ingestion/ingestion-queue.store.js';
import { IngestionService } from '../../src/modules/ingestion/ingestion.service.js';
import { JobCreation } from '../../src/modules/ingestion/job-creation.js';
import { callerOf } from '../fixtures/callers.js';
import { FakeLog } from '../fixtures/live-feed.js';
import { TestDatabases } from '../fixtures/test-database.js';

import.meta.jest.setTimeout(120_000);

class NoWakeups extends Wakeups {
  on(): () => void {
    return () => undefined;
  }
}

describe('the queue of files', () => {
  const erika = callerOf('erika', 'trainer');
  let databases: TestDatabases;
  let source: DataSource;
  let queue: IngestionQueue;
  let service: IngestionService;
  let jobs: JobCreation;

  beforeAll(async () => {
    databases = await TestDatabases.open();
  });
  beforeEach(async () => {
    source = await databases.source();
    const news = new IngestionNews(source, new NoWakeups(), new FakeLog());
    const audit = { record: () => Promise.resolve(), refused: () => undefined } as unknown as AuditTrail;
    queue = new IngestionQueue(source, news);
    service = new IngestionService(source, new PendingStores(source, new DocumentNews()), audit, news);
    jobs = new JobCreation(source, audit, news);
  });
  afterAll(() => databases.close());

  const post = (names: string[], caller = erika): Promise<JobRow> =>
    jobs.create(
      {
        kind: 'files',
        files: names.map((name) => ({ name, path: `/nowhere/${name}`, bytes: 5, sha256: 'a'.repeat(64) })),
        belonging: { readers: ['*'], tags: [] },
      },
      caller,
    );
  async function claim(): Promise<{ file: FileRow; owner: string }> {
    const owner = randomUUID();
    const file = await queue.claim(owner);
    if (!file) throw new Error('there was nothing to claim');
    return { file, owner };
  }
  const isEmpty = async (): Promise<boolean> => (await queue.claim(randomUUID())) === undefined;
  /** As if the owner had given no sign of life for half a minute. */
  const letLeasesEnd = (): Promise<unknown> =>
    source.query(`UPDATE ingestion_file SET not_before = now() WHERE status = 'processing'`);
  const job = ({ job_id }: JobRow) => service.get(job_id, erika);
  const states = async ({ job_id }: JobRow): Promise<string[]> =>
    (await service.files(job_id, erika)).map(({ filename, status }) => `${filename} ${status}`);
  const unreadable = new UnreadableFile('broken', 'it is broken');

  it('gives each file once, in order, to however many ask', async () => {
    const made = await post(Array.from({ length: 20 }, (_, index) => `${index}.md`));
    expect(await job(made)).toMatchObject({ status: 'pending', file_count: 20, processed_files: 0 });
    const claimed = await Promise.all(Array.from({ length: 8 }, () => claim()));
    expect(new Set(claimed.map(({ file }) => file.file_id)).size).toBe(8);
    expect(claimed.map(({ file }) => Number.parseInt(file.name, 10)).toSorted((a, b) => a - b)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7,
    ]);
    expect((await job(made)).status).toBe('processing');
  });

  it('gives a later file of the same name only after the earlier, but another owner’s at once', async () => {
    const [first, second] = [await post(['a.md']), await post(['a.md', 'b.md'])];
    const other = await post(['a.md'], callerOf('otto', 'trainer'));
    const one = await claim();
    expect(one.file.job_id).toBe(first.job_id);
    expect((await claim()).file.name).toBe('b.md');
    expect((await claim()).file.job_id).toBe(other.job_id);
    expect(await isEmpty()).toBe(true);
    await queue.failed(one.file, one.owner, unreadable);
    expect((await claim()).file).toMatchObject({ name: 'a.md', job_id: second.job_id });
  });

  it('gives a file again whose owner is gone, who can change it no more', async () => {
    const made = await post(['a.md']);
    const dead = await claim();
    expect(await isEmpty()).toBe(true);
    expect(await queue.renew(dead.file.file_id, dead.owner)).toBe(true);
    await letLeasesEnd();
    const heir = await claim();
    expect(heir.file).toMatchObject({ file_id: dead.file.file_id, attempts: 2, crashes: 1 });
    expect(await queue.renew(dead.file.file_id, dead.owner)).toBe(false);
    await queue.failed(dead.file, dead.owner, unreadable);
    await queue.unpacked(dead.file, dead.owner, [{ name: 'x.md', path: '/x', bytes: 1, sha256: 'b'.repeat(64) }]);
    expect(await states(made)).toEqual(['a.md processing']);
    await queue.failed(heir.file, heir.owner, unreadable);
    expect(await states(made)).toEqual(['a.md failed']);
    expect(await job(made)).toMatchObject({ status: 'failed', failed_files: 1 });
  });

  it('counts what ended the application apart from what failed, and tries a blocked file afresh', async () => {
    const made = await post(['a.md']);
    for (let count = 0; count < 3; count += 1) {
      expect((await claim()).file.crashes).toBe(count);
      await letLeasesEnd();
    }
    const last = await claim();
    expect(last.file.crashes).toBe(3);
    await queue.blocked(last.file, last.owner);
    const [blocked] = await service.blocked(erika);
    expect(blocked).toMatchObject({ status: 'blocked', reason: 'crashed' });
    expect(blocked?.error_message).toContain('ended 3 times');
    expect(await job(made)).toMatchObject({ status: 'failed', failed_files: 1 });
    expect((await service.recover(made.job_id, {}, erika)).recovered_files).toBe(0);
    expect((await service.unblock('a.md', erika)).recovered_files).toBe(1);
    expect((await claim()).file).toMatchObject({ crashes: 0, attempts: 1 });
    expect((await job(made)).status).toBe('processing');
  });

  it('tries a failed file again without calling it one that ended the application', async () => {
    const made = await post(['a.md']);
    for (let count = 0; count < 3; count += 1) {
      const { file, owner } = await claim();
      if (count < 2) await queue.later(file, owner, 0);
      else await queue.failed(file, owner, { reason: 'internal', message: 'the disk is full' });
    }
    expect((await service.recover(made.job_id, {}, erika)).recovered_files).toBe(1);
    expect((await claim()).file).toMatchObject({ attempts: 4, crashes: 0 });
  });

  it('puts a file back as if it had never been claimed, or for later', async () => {
    await post(['a.md']);
    const one = await claim();
    await queue.putBack(one.file, one.owner);
    const two = await claim();
    expect(two.file).toMatchObject({ attempts: 1, crashes: 0 });
    await queue.later(two.file, two.owner, 60);
    expect(await isEmpty()).toBe(true);
  });

  it('takes from a cancelled job what waits and what is read, and keeps what has ended', async () => {
    const made = await post(['fertig.md', 'in-arbeit.md', 'wartet.md']);
    const done = await claim();
    await queue.failed(done.file, done.owner, unreadable);
    const running = await claim();
    expect(await service.cancel(made.job_id, erika)).toMatchObject({ status: 'cancelled', processed_files: 3 });
    expect(await queue.renew(running.file.file_id, running.owner)).toBe(false);
    await queue.failed(running.file, running.owner, unreadable);
    expect(await states(made)).toEqual(['fertig.md failed', 'in-arbeit.md cancelled', 'wartet.md cancelled']);
    expect(await isEmpty()).toBe(true);
    await expect(service.cancel(made.job_id, erika)).rejects.toThrow('it is cancelled');
    await expect(service.cancel(made.job_id, callerOf('otto', 'trainer'))).rejects.toThrow('not yours');
  });

  it('completes a file when its stores have answered, well or badly', async () => {
    const made = await post(['a.md']);
    const { file, owner } = await claim();
    const documentId = randomUUID();
    const replica = `INSERT INTO documents_replica (store, document_id) VALUES ('graph:x', $1), ('vectors:y', $1)`;
    await source.query(replica, [documentId]);
    await queue.published(file, owner, { documentId, version: 1, chunks: 2, characters: 9, warnings: [] });
    expect(await queue.settleIndexed()).toBe(0);
    expect(await job(made)).toMatchObject({ status: 'processing', processed_files: 0 });
    await source.query(`UPDATE documents_replica SET applied = wanted WHERE store = 'graph:x'`);
    await source.query(`UPDATE documents_replica SET error = 'it is down' WHERE store = 'vectors:y'`);
    expect(await queue.settleIndexed()).toBe(1);
    expect(await job(made)).toMatchObject({ status: 'completed', processed_files: 1 });
    expect(await service.files(made.job_id, erika)).toMatchObject([
      { status: 'completed', pending: [{ store: 'vectors:y', reason: 'it is down' }] },
    ]);
  });

  it('puts the files of an archive in its place, also when it is unpacked twice', async () => {
    const made = await post(['a.zip']);
    const { file, owner } = await claim();
    const entry = (name: string) => ({
      name: `a.zip/${name}`,
      path: `/x/${name}`,
      bytes: 1,
      sha256: 'c'.repeat(64),
      depth: 1,
    });
    await queue.unpacked(file, owner, [entry('x.md'), entry('y.md')]);
    await queue.unpacked(file, owner, [entry('x.md'), entry('z.md')]);
    expect(await states(made)).toEqual(['a.zip/x.md pending', 'a.zip/y.md pending']);
    expect(await job(made)).toMatchObject({ file_count: 2, status: 'pending' });
  });
});
