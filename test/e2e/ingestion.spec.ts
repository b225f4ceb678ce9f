import { createHash } from 'node:crypto';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { IngestionFileDto, UploadReplyDto } from '../../src/modules/ingestion/ingestion.dto.js';
import type { App } from '../fixtures/app.js';
import { documentFixture, zipOf } from '../fixtures/document-files.js';
import type { Documents, SentFile } from '../fixtures/documents.js';
import { IngestionApp } from '../fixtures/ingestion-app.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(120_000);

const ANY_ID = 'b5f7a3f0-1111-4222-8333-444455556666';

describe('the ingestion', () => {
  let ingestion: IngestionApp;
  let app: App;
  let documents: Documents;

  beforeAll(async () => {
    ingestion = await IngestionApp.start({ CLARA_ARCHIVE_MAX_MB: '30', CLARA_MAX_UPLOAD_MB: '20' });
    ({ app, documents } = ingestion);
  });
  afterAll(() => ingestion.dispose());

  const text = (words?: string): string => ingestion.text(words);
  const one = (name: string, content?: string | Buffer): SentFile => ingestion.one(name, content);
  const staged = (): Promise<string[]> => readdir(join(app.data, 'documents/staging')).catch(() => []);

  describe('of uploaded files', () => {
    it('answers with a job, and takes every file in with its own state', async () => {
      const sent = [
        one('a.md'),
        one('b.txt', 'Ein Text über die Gebühren.'),
        one('c.html', '<h1>Amt</h1><p>Öffnung</p>'),
      ];
      const { status, body } = await documents.form<UploadReplyDto>('/upload/files', sent, { tags: 'bau, amt' });
      expect(status).toBe(200);
      expect(body).toMatchObject({ file_count: 3, estimated_processing_time: '6s' });
      expect(body.files).toEqual(['a.md', 'b.txt', 'c.html']);
      const job = await documents.ended(body.job_id);
      expect(job).toMatchObject({ status: 'completed', file_count: 3, processed_files: 3, progress_percent: 100 });
      expect(job).toMatchObject({ failed_files: 0, error_message: null, readers: ['*'], tags: ['amt', 'bau'] });
      const files = await documents.files(body.job_id);
      expect(files.map(({ filename, status: state }) => [filename, state])).toEqual([
        ['a.md', 'completed'],
        ['b.txt', 'completed'],
        ['c.html', 'completed'],
      ]);
      for (const file of files) expect(file).toMatchObject({ version: 1, chunks: 1, reason: null, pending: [] });
      const sha256 = createHash('sha256').update(String(sent[0]?.content)).digest('hex');
      expect(files[0]).toMatchObject({ sha256, size_bytes: Buffer.byteLength(String(sent[0]?.content)) });
      expect(await documents.get(files[0]?.document_id ?? '')).toMatchObject({ filename: 'a.md', kind: 'md', sha256 });
    });

    it('serves the same paths below /ingestion', async () => {
      const { status, body } = await documents.form<UploadReplyDto>('/ingestion/upload/files', [one('unter.md')]);
      expect(status).toBe(200);
      await documents.ended(body.job_id);
      expect((await documents.call('GET', `/ingestion/jobs/${body.job_id}/files`)).status).toBe(200);
    });

    it('keeps folders of names, and nothing that leads out of them', async () => {
      const wanted = new Map([
        ['../../etc/passwd.md', 'etc/passwd.md'],
        ['/root/x/./y.md', 'root/x/y.md'],
        ['C:\\Akten\\Straße.md', 'Akten/Straße.md'],
        ['Übergrößenträger/Äußerung öß.md', 'Übergrößenträger/Äußerung öß.md'],
        ['..', 'unnamed'],
        ['ordner/rechts\u202Eexe.md', 'ordner/rechtsexe.md'],
      ]);
      const files = await documents.take([...wanted.keys()].map((name) => one(name)));
      expect(files.map(({ filename }) => filename)).toEqual([...wanted.values()]);
      expect(files.map(({ status }) => status)).toEqual(files.map(() => 'completed'));
      const written = await readdir(join(app.data, 'documents'), { recursive: true });
      expect(written.filter((path) => /md|unnamed|passwd/.test(path))).toEqual([]);
    });

    it('tells two files of one name apart', async () => {
      const files = await documents.take([one('gleich.md'), one('gleich.md'), one('gleich.md')]);
      expect(files.map(({ filename }) => filename)).toEqual(['gleich.md', 'gleich (2).md', 'gleich (3).md']);
      expect(new Set(files.map(({ document_id }) => document_id)).size).toBe(3);
    });

    it('refuses a form without files, one that is none, and one that is cut off', async () => {
      const empty = await documents.form<{ detail: string }>('/upload/files', [], { tags: 'x' });
      expect([empty.status, empty.body.detail]).toEqual([400, expect.stringContaining('`files`')]);
      const json = await documents.call<{ detail: string }>('POST', '/upload/files', { body: {} });
      expect([json.status, json.body.detail]).toEqual([400, expect.stringContaining('multipart/form-data')]);
      const headers = { 'content-type': 'multipart/form-data; boundary=x' };
      const broken = await documents.call<{ detail: string }>('POST', '/upload/files', { body: '--x\r\nqu', headers });
      expect([broken.status, broken.body.detail]).toEqual([400, expect.stringContaining('form')]);
    });

    it('leaves nothing of a form that is refused, or that breaks off', async () => {
      const before = await staged();
      const bad = await documents.form<{ errors: { path: string }[] }>('/upload/files', [one('a.md')], {
        readers: 'jeder',
      });
      expect(bad.status).toBe(422);
      const long = await documents.form('/upload/files', [one('a.md')], { tags: 'x'.repeat(101) });
      expect(long.status).toBe(422);
      const large = await documents.form<{ detail: string }>('/upload/files', [
        one('gut.md'),
        one('groß.bin', Buffer.alloc(21 * 1_048_576)),
      ]);
      expect([large.status, large.body.detail]).toEqual([413, expect.stringContaining('CLARA_MAX_UPLOAD_MB')]);
      const socket = connect(app.ports.INGESTION, '127.0.0.1');
      const head = '--x\r\ncontent-disposition: form-data; name="files"; filename="a.md"\r\n\r\n';
      socket.write(
        `POST /upload/files HTTP/1.1\r\nhost: localhost\r\ncontent-type: multipart/form-data; boundary=x\r\ncontent-length: 90000\r\n\r\n${head}${'a'.repeat(40_000)}`,
      );
      await eventually('bytes arrive', async () => (await staged()).length > before.length, 10_000);
      socket.destroy();
      await eventually('nothing is left', async () => (await staged()).length <= before.length, 10_000);
    });

    it('lets a broken, an encrypted and an empty file fail alone, each with its reason', async () => {
      const jobId = await documents.upload([
        one('gut.md'),
        one('kaputt.pdf', `%PDF-1.7\n${'x'.repeat(500)}`),
        one('geheim.pdf', await documentFixture('encrypted.pdf')),
        one('geheim.docx', await documentFixture('encrypted.docx')),
        one('leer.txt', ''),
        one('film.md', Buffer.from('000000186674797069736f6d0000020069736f6d', 'hex')),
        one('bild.png', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')),
      ]);
      const job = await documents.ended(jobId);
      expect(job).toMatchObject({ status: 'completed', file_count: 7, failed_files: 6, processed_files: 7 });
      expect(job.error_message).toContain('6 of 7 files failed');
      const states = (await documents.files(jobId)).map(({ filename, status, reason }) => [filename, status, reason]);
      expect(states).toEqual([
        ['gut.md', 'completed', null],
        ['kaputt.pdf', 'failed', 'broken'],
        ['geheim.pdf', 'failed', 'encrypted'],
        ['geheim.docx', 'failed', 'encrypted'],
        ['leer.txt', 'failed', 'empty'],
        ['film.md', 'failed', 'unsupported'],
        ['bild.png', 'failed', 'broken'],
      ]);
      const failed = (await documents.call<IngestionFileDto[]>('GET', `/jobs/${jobId}/failed-files`)).body;
      expect(failed).toHaveLength(6);
      for (const { error_message } of failed) expect(error_message?.length).toBeGreaterThan(15);
      expect(failed.map(({ error_message }) => error_message).join()).not.toContain(app.folder);
    });

    it('unpacks archives into files, also those in archives', async () => {
      const inner = zipOf({ 'tief.md': text(), 'Ordner/auch.txt': text() });
      const files = await documents.take([one('akten.zip', zipOf({ 'a/eins.md': text(), 'innen.zip': inner }))]);
      expect(files.map(({ filename, status }) => [filename, status])).toEqual([
        ['akten.zip/a/eins.md', 'completed'],
        ['akten.zip/innen.zip/tief.md', 'completed'],
        ['akten.zip/innen.zip/Ordner/auch.txt', 'completed'],
      ]);
    });

    it('refuses a bomb, a path that escapes, and what it cannot unpack', async () => {
      const seven = Buffer.concat([Buffer.from('377abcaf271c', 'hex'), Buffer.alloc(100)]);
      const files = await documents.take([
        one('bombe.zip', zipOf({ 'null.txt': new Uint8Array(25 * 1_048_576) })),
        one('zu-viel.zip', zipOf({ 'a.txt': new Uint8Array(31 * 1_048_576) })),
        one('flucht.zip', zipOf({ '../../flucht.md': text(), 'gut.md': text() })),
        one('sieben.7z', seven),
        one('kaputt.zip', zipOf({ 'a.md': text() }).subarray(0, 60)),
      ]);
      expect(files.map(({ status }) => status)).toEqual(files.map(() => 'failed'));
      const said = files.map(({ reason, error_message }) => `${reason}: ${error_message}`);
      expect(said[0]).toMatch(/^too_large: .*times its size/);
      expect(said[1]).toMatch(/^too_large: /);
      expect(said[2]).toMatch(/^broken: .*flucht\.md/);
      expect(said[3]).toMatch(/^unsupported: 7z/);
      expect(said[4]).toMatch(/^broken: /);
    });
  });

  describe('of a text', () => {
    it('makes a document of it, under the given name', async () => {
      const { status, body } = await documents.call<UploadReplyDto>('POST', '/ingest', {
        body: { text: '# Titel\n\nEin Wort: Fernwärmeanschluss\n', filename: '../notiz.md', tags: ['t'] },
      });
      expect([status, body.file_count]).toEqual([200, 1]);
      await documents.ended(body.job_id);
      const [file] = await documents.files(body.job_id);
      expect(await documents.get(file?.document_id ?? '')).toMatchObject({ filename: 'notiz.md', title: 'Titel' });
      const wrong = await documents.call<{ detail: unknown }>('POST', '/ingest', { body: { text: '' } });
      expect([wrong.status, JSON.stringify(wrong.body)]).toEqual([422, expect.stringContaining('text')]);
    });
  });

  describe('of a folder of this host', () => {
    const folder = (): string => join(app.folder, 'akten');

    beforeAll(async () => {
      await mkdir(join(folder(), 'unter/tiefer'), { recursive: true });
      await mkdir(join(app.folder, 'geheim'));
      await writeFile(join(app.folder, 'geheim/geheim.md'), 'Was draußen liegt');
      await symlink(join(app.folder, 'geheim'), join(folder(), 'hinaus'));
      await symlink(join(app.folder, 'geheim/geheim.md'), join(folder(), 'hinaus.md'));
      await writeFile(join(folder(), '.versteckt.md'), text());
      for (const name of ['a.md', 'b.md', 'unter/c.md', 'unter/tiefer/ä.md'])
        await writeFile(join(folder(), name), text());
    });

    /** Starts a scan with this body, and answers it at its end. */
    async function scanned(body: FormData | URLSearchParams | string): Promise<Record<string, unknown>> {
      const json = typeof body === 'string' ? { headers: { 'content-type': 'application/json' } } : {};
      const url = `http://127.0.0.1:${app.ports.INGESTION}/upload/directory`;
      const response = await fetch(url, { method: 'POST', body, ...json });
      const started = (await response.json()) as { scan_job_id: string };
      expect({ httpStatus: response.status, ...started }).toMatchObject({ httpStatus: 200, status: 'scanning' });
      return eventually('the scan has ended', async () => {
        const scan = (await documents.call('GET', `/scan/${started.scan_job_id}`)).body;
        return ['completed', 'error'].includes(String(scan['status'])) && scan;
      });
    }

    it('takes everything below it in, and follows no link, whichever form the request has', async () => {
      const form = new FormData();
      form.set('directory_path', folder());
      form.set('chunk_size', '3');
      const requests = [
        JSON.stringify({ directory_path: folder(), chunk_size: 3 }),
        new URLSearchParams({ directory_path: folder(), chunk_size: '3' }),
        form,
      ];
      for (const request of requests) {
        const scan = await scanned(request);
        expect(scan).toMatchObject({ status: 'completed', files_found: 4, upload_jobs_created: 2, error: null });
        expect(scan).toMatchObject({ bulk_copy_progress: 4, directory_path: folder() });
        const jobs = scan['upload_job_ids'] as string[];
        for (const jobId of jobs) expect(await documents.ended(jobId)).toMatchObject({ status: 'completed' });
        const files = (await Promise.all(jobs.map((jobId) => documents.files(jobId)))).flat();
        const names = ['akten/a.md', 'akten/b.md', 'akten/unter/c.md', 'akten/unter/tiefer/ä.md'];
        expect(files.map(({ filename }) => filename)).toEqual(names);
        expect(new Set(files.map(({ version }) => version))).toEqual(new Set([1]));
      }
      expect(await documents.found('draußen', {}, '/keyword')).toEqual([]);
    });

    it.each([
      ['a folder outside', 400, () => join(app.folder, 'geheim')],
      ['a link out', 400, () => join(folder(), 'hinaus')],
      ['a way out', 400, () => join(folder(), '../geheim')],
      ['a neighbour whose name begins alike', 400, () => `${folder()}2`],
      ['a relative path', 400, () => 'akten'],
      ['a file', 400, () => join(folder(), 'a.md')],
      ['a missing folder', 404, () => join(folder(), 'fehlt')],
    ])('refuses %s', async (_what, status, path) => {
      const answer = await documents.call<{ detail: string }>('POST', '/upload/directory', {
        body: { directory_path: path() },
      });
      expect([answer.status, answer.body.detail]).toEqual([status, expect.stringMatching(/\w{3,}/)]);
    });

    it('keeps no file that was sent along', async () => {
      const before = await staged();
      const answer = await documents.form('/upload/directory', [one('mit.md')], { directory_path: '/nowhere' });
      expect(answer.status).toBe(400);
      expect(await staged()).toEqual(before);
      expect((await documents.call('GET', `/scan/${ANY_ID}`)).status).toBe(404);
      expect((await documents.call('GET', '/scan/nothing')).status).toBe(404);
    });
  });

  it('says truthfully what it can read', async () => {
    const { body } = await documents.call('GET', '/capabilities/supported-filetypes');
    expect(body).toMatchObject({ version: expect.stringMatching(/^\d/), timestamp: expect.stringMatching(/Z$/) });
    const wanted =
      '.pdf .txt .docx .doc .xlsx .xls .csv .json .xml .html .md .rtf .pptx .odt .tsv .eml .zip .tar .gz .rar';
    expect(body['all_extensions']).toEqual(expect.arrayContaining(wanted.split(' ')));
    expect(body['all_extensions']).not.toContain('.7z');
    expect(body['registered_categories']).toEqual(Object.keys(body['categories'] as object));
    for (const path of ['/capabilities', '/ingestion/capabilities'])
      expect((await documents.call('GET', path)).body['categories']).toEqual(body['categories']);
  });
});
