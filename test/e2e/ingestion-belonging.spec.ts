import { createHash, randomBytes } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import type { ScanDto, UploadDto, UploadReplyDto } from '../../src/modules/ingestion/ingestion.dto.js';
import type { App } from '../fixtures/app.js';
import type { Documents } from '../fixtures/documents.js';
import { IngestionApp } from '../fixtures/ingestion-app.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(180_000);

const CHUNK = 65_536;
const MB = 1024 * 1024;

describe('whoever takes documents in', () => {
  let ingestion: IngestionApp;
  let app: App;
  let documents: Documents;

  beforeAll(async () => {
    ingestion = await IngestionApp.start({ CLARA_MAX_UPLOAD_MB: '1000' });
    ({ app, documents } = ingestion);
  });
  afterAll(() => ingestion.dispose());

  const readersOf = async (jobId: string): Promise<string[][]> => {
    expect(await documents.ended(jobId)).toMatchObject({ status: 'completed' });
    const files = await documents.files(jobId);
    return Promise.all(files.map(async ({ document_id }) => (await documents.get(document_id ?? '')).readers));
  };
  const ASKED = ['role:trainer', 'group:bauamt'];
  const KEPT = ['group:bauamt', 'owner:debug-user', 'role:trainer'];

  it('says who may read, for files', async () => {
    expect(await readersOf(await documents.upload([ingestion.one('a.md')], { readers: ASKED }))).toEqual([KEPT]);
  });

  it('says who may read, for a text', async () => {
    const body = { text: ingestion.text(), filename: 'b.md', readers: ASKED };
    const { body: reply } = await documents.call<UploadReplyDto>('POST', '/ingest', { body });
    expect(await readersOf(reply.job_id)).toEqual([KEPT]);
  });

  it('says who may read, for a folder', async () => {
    await writeFile(join(ingestion.folder, 'c.md'), ingestion.text());
    const body = { directory_path: ingestion.folder, readers: ASKED, tags: ['t'] };
    const { body: started } = await documents.call<ScanDto>('POST', '/upload/directory', { body });
    const scan = await eventually('the folder is taken in', async () => {
      const { body: now } = await documents.call<ScanDto>('GET', `/scan/${started.scan_job_id}`);
      return ['completed', 'error'].includes(now.status) && now;
    });
    expect(scan).toMatchObject({ status: 'completed', error: null });
    expect(await readersOf(scan.upload_job_ids[0] ?? '')).toEqual([KEPT]);
  });

  it('says who may read, for an upload in chunks', async () => {
    const bytes = Buffer.from(ingestion.text());
    const body = { filename: 'd.md', total_size: bytes.length, chunk_size: CHUNK, readers: ['owner'], tags: ['t'] };
    const { body: started } = await documents.call<UploadDto>('POST', '/upload/chunked/start', { body });
    const path = `/upload/chunked/${started.upload_id}`;
    await fetch(`http://127.0.0.1:${app.ports.INGESTION}${path}/chunk/0`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: new Uint8Array(bytes),
    });
    const { body: done } = await documents.call<UploadReplyDto>('POST', `${path}/finalize`);
    expect(await readersOf(done.job_id)).toEqual([['owner:debug-user']]);
  });

  it('sends no zero character in a field of a form', async () => {
    const before = await readdir(join(app.data, 'documents/staging'));
    for (const fields of [{ tags: 'a\0b' }, { readers: 'role:\0' }]) {
      const { status, body } = await documents.form<{ detail: string }>(
        '/upload/files',
        [ingestion.one('e.md')],
        fields,
      );
      expect([status, body.detail]).toEqual([400, expect.stringContaining('zero character')]);
    }
    expect(await readdir(join(app.data, 'documents/staging'))).toEqual(before);
    expect((await documents.call('POST', `/files/${encodeURIComponent('a\0b')}/unblock`)).status).toBe(404);
  });

  it('may send a file that is larger than the memory that it takes', async () => {
    const size = 400 * MB;
    const resident = async (): Promise<number> => {
      const [, kB = '0'] = /^VmRSS:\s+(\d+) kB/m.exec(await readFile(`/proc/${app.pid}/status`, 'utf8')) ?? [];
      return Number(kB) * 1024;
    };
    const before = await resident();
    let most = before;
    const timer = setInterval(() => void resident().then((now) => (most = Math.max(most, now))), 50);
    const sent = await sendLarge(app.ports.INGESTION, size);
    clearInterval(timer);
    const [file] = await documents.files(sent.jobId).then(async (files) => {
      await documents.ended(sent.jobId);
      return files;
    });
    expect(file).toMatchObject({ size_bytes: size, sha256: sent.sha256 });
    expect((most - before) / MB).toBeLessThan(100);
  });
});

/** A form with one file of random bytes, written as fast as it is taken. */
async function sendLarge(port: number, size: number): Promise<{ jobId: string; sha256: string }> {
  const boundary = 'grenze';
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="files"; filename="gross.bin"\r\n\r\n`;
  const tail = `\r\n--${boundary}--\r\n`;
  const part = randomBytes(MB);
  const hash = createHash('sha256');
  const headers = {
    'content-type': `multipart/form-data; boundary=${boundary}`,
    'content-length': head.length + size + tail.length,
  };
  const outgoing = request({ port, host: '127.0.0.1', path: '/upload/files', method: 'POST', headers });
  const answer = new Promise<string>((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      incoming.on('end', () => resolve(text));
    });
  });
  outgoing.write(head);
  for (let done = 0; done < size; done += part.length) {
    hash.update(part);
    if (!outgoing.write(part)) await new Promise((resolve) => outgoing.once('drain', resolve));
  }
  outgoing.end(tail);
  const reply = JSON.parse(await answer) as UploadReplyDto;
  return { jobId: reply.job_id, sha256: hash.digest('hex') };
}
