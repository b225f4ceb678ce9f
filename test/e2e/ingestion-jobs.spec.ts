import type { IngestionFileDto, IngestionJobDto } from '../../src/modules/ingestion/ingestion.dto.js';
import type { App } from '../fixtures/app.js';
import { databaseOf, type Documents, type SentFile } from '../fixtures/documents.js';
import { IngestionApp } from '../fixtures/ingestion-app.js';
import { runSql } from '../fixtures/test-database.js';

import.meta.jest.setTimeout(120_000);

const ANY_ID = 'b5f7a3f0-1111-4222-8333-444455556666';

describe('the ingestion', () => {
  let ingestion: IngestionApp;
  let app: App;
  let documents: Documents;

  beforeAll(async () => {
    ingestion = await IngestionApp.start();
    ({ app, documents } = ingestion);
  });
  afterAll(() => ingestion.dispose());

  const text = (words?: string): string => ingestion.text(words);
  const one = (name: string, content?: string | Buffer): SentFile => ingestion.one(name, content);
  const sql = async (statement: string): Promise<unknown[]> => runSql(await databaseOf(app), statement);
  const bodyOf = (jobId: string, what = ''): Promise<IngestionJobDto> =>
    documents.call<IngestionJobDto>('GET', `/jobs/${jobId}${what}`).then(({ body }) => body);

  describe('jobs', () => {
    it('are listed newest first, page by page, and found one by one', async () => {
      const ids: string[] = [];
      for (let index = 0; index < 3; index += 1) ids.unshift(await documents.upload([one(`seite-${index}.md`)]));
      for (const id of ids) await documents.ended(id);
      const first = await documents.call<IngestionJobDto[]>('GET', '/jobs?limit=2');
      expect(first.body.map(({ job_id }) => job_id)).toEqual(ids.slice(0, 2));
      const cursor = first.headers.get('x-next-cursor') ?? '';
      const second = await documents.call<IngestionJobDto[]>('GET', `/jobs?limit=1&cursor=${cursor}`);
      expect(second.body.map(({ job_id }) => job_id)).toEqual(ids.slice(2));
      expect((await documents.call('GET', '/jobs?cursor=quatsch')).status).toBe(422);
      expect((await documents.call('GET', '/jobs?limit=0')).status).toBe(422);
      expect(await bodyOf(ids[0] ?? '', '/status')).toEqual(await bodyOf(ids[0] ?? ''));
      for (const id of [ANY_ID, 'keine'])
        for (const what of ['', '/status', '/files', '/failed-files', '/metrics'])
          expect((await documents.call('GET', `/jobs/${id}${what}`)).status).toBe(404);
    });

    it('that are under way are incomplete and have no figures yet; cancelled, they end', async () => {
      const jobId = await documents.upload(Array.from({ length: 60 }, (_, index) => one(`viel-${index}.md`)));
      const early = await documents.call<{ detail: string }>('GET', `/jobs/${jobId}/metrics`);
      const incomplete = (await documents.call<IngestionJobDto[]>('GET', '/jobs/incomplete')).body;
      const cancelled = await documents.call<IngestionJobDto>('DELETE', `/jobs/${jobId}`);
      expect([early.status, early.body.detail]).toEqual([400, expect.stringContaining('Job not completed')]);
      expect(incomplete.map(({ job_id }) => job_id)).toContain(jobId);
      expect(cancelled.status).toBe(200);
      const job = await documents.ended(jobId);
      expect(job.status).toBe('cancelled');
      const states = (await documents.files(jobId)).map(({ status }) => status);
      expect(states).toContain('cancelled');
      expect((await documents.call('DELETE', `/jobs/${jobId}`)).status).toBe(409);
    });

    it('tell figures at their end', async () => {
      const jobId = await documents.upload([
        one('ziffern.md', text('Siehe § 35 VwVfG und Art. 20 GG.')),
        one('l.txt', ''),
      ]);
      const job = await documents.ended(jobId);
      const { body } = await documents.call('GET', `/jobs/${jobId}/metrics`);
      expect(body).toMatchObject({ total_files: 2, successful_files: 1, failed_files: 1, chunks_created: 1 });
      expect(body['ai_entities_found']).toBe(2);
      expect(body['content_extracted_chars']).toBeGreaterThan(30);
      const seconds = (Date.parse(job.completed_at ?? '') - Date.parse(job.created_at)) / 1000;
      expect(body['processing_time']).toBeCloseTo(seconds, 2);
    });
  });

  describe('what failed', () => {
    /** Makes the file of a job one that failed, or ended the application, as only trouble of this host does it. */
    const spoil = (jobId: string, status: string, reason: string): Promise<unknown[]> =>
      sql(`WITH file AS (UPDATE ingestion_file SET status = '${status}', reason = '${reason}', attempts = 3, crashes = 3
            WHERE job_id = '${jobId}' RETURNING job_id)
        UPDATE ingestion_job SET status = 'failed', failed_files = 1 WHERE job_id IN (SELECT job_id FROM file)`);
    const recover = async (path: string): Promise<unknown> =>
      (await documents.call('POST', path)).body['recovered_files'];
    const spoilt = async (
      status: string,
      reason: string,
      name = `${reason}-${ingestion.next()}.md`,
    ): Promise<string> => {
      const jobId = await documents.upload([one(name)]);
      await documents.ended(jobId);
      await spoil(jobId, status, reason);
      return jobId;
    };

    it.each(['recover', 'recover-failed-files', 'retry'])('is tried again by /%s', async (verb) => {
      const jobId = await spoilt('failed', 'timeout');
      expect(await recover(`/jobs/${jobId}/${verb}`)).toBe(1);
      expect(await documents.ended(jobId)).toMatchObject({ status: 'recovered', failed_files: 0, error_message: null });
      expect(await documents.files(jobId)).toMatchObject([{ status: 'completed', reason: null, error_message: null }]);
    });

    it('is left alone where its bytes are the fault, or it was tried too often, unless that is asked for', async () => {
      const jobId = await documents.upload([one('kaputt.pdf', `%PDF-1.7\n${ingestion.next()}`)]);
      await documents.ended(jobId);
      expect(await recover(`/jobs/${jobId}/recover`)).toBe(0);
      expect(await recover(`/jobs/${jobId}/recover-failed-files?force_retry=true`)).toBe(1);
      expect(await documents.ended(jobId)).toMatchObject({ status: 'failed' });
      const often = await spoilt('failed', 'timeout');
      expect(await recover(`/jobs/${often}/recover-failed-files?max_retries=2`)).toBe(0);
      expect(await recover(`/jobs/${often}/recover-failed-files?max_retries=3`)).toBe(1);
      expect((await documents.call('POST', `/jobs/${often}/recover?max_retries=0`)).status).toBe(422);
      expect((await documents.call('POST', `/jobs/${ANY_ID}/recover`)).status).toBe(404);
    });

    it.each(['/recover-failed-files', '/recovery/recover-failed-files'])('all together, by %s', async (path) => {
      const jobs = [await spoilt('failed', 'memory'), await spoilt('failed', 'internal')];
      expect(await recover(path)).toBe(2);
      for (const jobId of jobs) expect(await documents.ended(jobId)).toMatchObject({ status: 'recovered' });
    });

    it('and blocked is listed, and waits until somebody unblocks it, by id or by name', async () => {
      const byId = await spoilt('blocked', 'crashed');
      const byName = await spoilt('blocked', 'crashed', 'ordner/blockiert ä.md');
      const listed = (await documents.call<IngestionFileDto[]>('GET', '/recovery/blocked-files')).body;
      expect(listed.map(({ filename }) => filename)).toContain('ordner/blockiert ä.md');
      expect(await recover('/recover-failed-files?max_retries=1000')).toBe(0);
      const [file] = await documents.files(byId);
      expect(await recover(`/files/${file?.file_id}/unblock?admin_override=true`)).toBe(1);
      expect(await recover(`/files/${encodeURIComponent('ordner/blockiert ä.md')}/unblock`)).toBe(1);
      for (const jobId of [byId, byName]) expect(await documents.ended(jobId)).toMatchObject({ status: 'recovered' });
      expect((await documents.call('POST', `/files/${file?.file_id}/unblock`)).status).toBe(404);
      expect((await documents.call('GET', '/recovery/blocked-files')).body).toEqual([]);
    });
  });
});
