import { createHash } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import type { UploadDto, UploadReplyDto } from '../../src/modules/ingestion/ingestion.dto.js';
import type { Answer, App } from '../fixtures/app.js';
import type { Documents, SentFile } from '../fixtures/documents.js';
import { IngestionApp } from '../fixtures/ingestion-app.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(120_000);

const ANY_ID = 'b5f7a3f0-1111-4222-8333-444455556666';

type Frame = Record<string, unknown>;

describe('the ingestion', () => {
  let ingestion: IngestionApp;
  let app: App;
  let documents: Documents;

  beforeAll(async () => {
    ingestion = await IngestionApp.start({ CLARA_MAX_UPLOAD_MB: '20' });
    ({ app, documents } = ingestion);
  });
  afterAll(() => ingestion.dispose());

  const text = (words?: string): string => ingestion.text(words);
  const one = (name: string, content?: string | Buffer): SentFile => ingestion.one(name, content);

  describe('an upload in chunks', () => {
    const CHUNK = 65_536;
    const file = (chunks: number): Buffer =>
      Buffer.concat([
        Buffer.from(`# Großer Bescheid ${ingestion.next()}\n\n`),
        Buffer.alloc(chunks * CHUNK - 5000, 'wort '),
      ]);
    const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
    const partOf = (bytes: Buffer, index: number): Buffer => bytes.subarray(index * CHUNK, (index + 1) * CHUNK);

    const start = (bytes: Buffer, more: Record<string, unknown> = {}): Promise<Answer<UploadDto>> =>
      documents.call('POST', '/upload/chunked/start', {
        body: { filename: '../groß/bescheid.txt', total_size: bytes.length, chunk_size: CHUNK, ...more },
      });
    async function send(id: string, index: number, part: Buffer, type = 'application/octet-stream') {
      const response = await fetch(`http://127.0.0.1:${app.ports.INGESTION}/upload/chunked/${id}/chunk/${index}`, {
        method: 'POST',
        headers: { 'content-type': type },
        body: new Uint8Array(part),
      });
      return { status: response.status, body: (await response.json()) as UploadDto & { detail: string } };
    }
    const status = (id: string): Promise<Answer<UploadDto>> => documents.call('GET', `/upload/chunked/${id}/status`);
    const finalize = (id: string): Promise<Answer<UploadReplyDto & { detail: string }>> =>
      documents.call('POST', `/upload/chunked/${id}/finalize`);

    it('comes in any order, also again, and becomes a job once all is there', async () => {
      const bytes = file(4);
      const started = await start(bytes, { sha256: sha256(bytes).toUpperCase(), tags: ['t'] });
      expect(started).toMatchObject({ status: 200, body: { status: 'receiving', total_chunks: 4, missing_chunks: 4 } });
      expect(started.body).toMatchObject({ filename: 'groß/bescheid.txt', received_chunks: [], job_id: null });
      const id = started.body.upload_id;
      expect((await send(id, 2, partOf(bytes, 2))).body).toMatchObject({ received_chunks: [2], progress_percent: 25 });
      expect((await send(id, 0, Buffer.alloc(CHUNK, 'falsch '))).status).toBe(200);
      const early = await finalize(id);
      expect([early.status, early.body.detail]).toEqual([409, expect.stringContaining('2 chunk(s) are missing')]);
      for (const index of [3, 0, 1]) await send(id, index, partOf(bytes, index));
      expect((await status(id)).body).toMatchObject({ received_chunks: [0, 1, 2, 3], missing_chunks: 0 });
      const done = await finalize(id);
      expect(done).toMatchObject({ status: 200, body: { file_count: 1, files: ['groß/bescheid.txt'] } });
      expect((await finalize(id)).body.job_id).toBe(done.body.job_id);
      expect(await documents.ended(done.body.job_id)).toMatchObject({ status: 'completed', kind: 'chunked' });
      expect(await documents.files(done.body.job_id)).toMatchObject([{ sha256: sha256(bytes), status: 'completed' }]);
      expect((await status(id)).body).toMatchObject({ status: 'completed', job_id: done.body.job_id });
      expect((await send(id, 0, partOf(bytes, 0))).status).toBe(409);
    });

    it('goes on after the application was killed', async () => {
      const bytes = file(3);
      const id = (await start(bytes, { sha256: sha256(bytes) })).body.upload_id;
      await send(id, 1, partOf(bytes, 1));
      await app.kill('SIGKILL');
      await app.restart();
      expect((await status(id)).body.received_chunks).toEqual([1]);
      for (const index of [0, 2]) await send(id, index, partOf(bytes, index));
      await documents.ended((await finalize(id)).body.job_id);
    });

    it('of another hash becomes no job; sent again, it does', async () => {
      const bytes = file(2);
      const id = (await start(bytes, { sha256: sha256(bytes) })).body.upload_id;
      await send(id, 0, Buffer.alloc(CHUNK, 'a'));
      await send(id, 1, partOf(bytes, 1));
      const wrong = await finalize(id);
      expect([wrong.status, wrong.body.detail]).toEqual([409, expect.stringContaining(sha256(bytes))]);
      await send(id, 0, partOf(bytes, 0));
      expect((await finalize(id)).status).toBe(200);
    });

    it('refuses chunks that are none of it', async () => {
      const bytes = file(2);
      const id = (await start(bytes)).body.upload_id;
      const short = await send(id, 0, Buffer.alloc(10));
      expect([short.status, short.body.detail]).toEqual([400, expect.stringContaining(`must have ${CHUNK}`)]);
      expect((await send(id, 0, Buffer.alloc(CHUNK + 1))).status).toBe(400);
      expect((await send(id, 0, partOf(bytes, 0), 'application/x-thing')).status).toBe(415);
      expect((await send(id, 2, partOf(bytes, 0))).status).toBe(422);
      expect((await send(id, -1, partOf(bytes, 0))).status).toBe(422);
      expect((await send(ANY_ID, 0, partOf(bytes, 0))).status).toBe(404);
      expect((await status(id)).body.received_chunks).toEqual([]);
    });

    it('refuses what can be none', async () => {
      expect((await start(file(1), { total_size: 30 * 1_048_576 })).status).toBe(413);
      for (const wrong of [
        { total_size: 0 },
        { chunk_size: 10 },
        { sha256: 'abc' },
        { filename: '' },
        { readers: ['x'] },
      ])
        expect((await start(file(1), wrong)).status).toBe(422);
    });

    it('is given up, and its bytes with it', async () => {
      const bytes = file(1);
      const id = (await start(bytes)).body.upload_id;
      await send(id, 0, partOf(bytes, 0));
      const given = await documents.call<UploadDto>('DELETE', `/upload/chunked/${id}`);
      expect([given.status, given.body.status]).toEqual([200, 'aborted']);
      expect(await readdir(join(app.data, 'documents/uploads'))).not.toContain(id);
      expect((await finalize(id)).status).toBe(409);
      expect((await documents.call('DELETE', `/upload/chunked/${id}`)).status).toBe(409);
    });
  });

  describe('live', () => {
    const opened: { close(): unknown }[] = [];
    afterEach(() => opened.splice(0).forEach((socket) => socket.close()));

    /** A plain WebSocket that has been greeted, and the frames it gets. */
    async function plain(path: string): Promise<{ frames: Frame[]; socket: WebSocket }> {
      const socket = new WebSocket(`ws://127.0.0.1:${app.ports.INGESTION}${path}`);
      const frames: Frame[] = [];
      opened.push({ close: () => socket.terminate() });
      socket.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString()) as Frame));
      await eventually('the socket is greeted', () => frames.length > 0, 10_000);
      return { frames, socket };
    }
    const until = (frames: Frame[], wanted: Partial<Frame>): Promise<Frame> =>
      eventually(
        `a frame is ${JSON.stringify(wanted)}`,
        () => frames.find((frame) => Object.entries(wanted).every(([key, value]) => frame[key] === value)),
        20_000,
      );

    it.each(['/ws/jobs', '/ingestion/ws'])('tells of jobs at %s, and answers a ping with JSON', async (path) => {
      const { frames, socket } = await plain(path);
      expect(frames[0]).toMatchObject({ type: 'connection', status: 'connected' });
      expect(frames[0]).toMatchObject({ message: expect.any(String), timestamp: expect.stringMatching(/Z$/) });
      socket.send('ping');
      expect(await until(frames, { type: 'pong' })).toMatchObject({ timestamp: expect.stringMatching(/Z$/) });
      const job_id = await documents.upload([one('a.md'), one('b.md')]);
      const last = await until(frames, { type: 'job_update', job_id, status: 'completed' });
      expect(last).toMatchObject({ file_count: 2, processed_files: 2, updated_at: expect.stringMatching(/Z$/) });
      const states = frames.filter((frame) => frame['job_id'] === job_id).map(({ status }) => status);
      expect(new Set(states)).toEqual(new Set(['pending', 'processing', 'completed']));
      socket.send('{"type": "ping"}');
      await eventually('a second pong', () => frames.filter(({ type }) => type === 'pong').length === 2, 10_000);
    });

    it('tells of folders', async () => {
      const { frames } = await plain('/ws/jobs');
      await writeFile(join(app.folder, 'akten/live.md'), text());
      const body = { directory_path: join(app.folder, 'akten') };
      const scan = (await documents.call('POST', '/upload/directory', { body })).body['scan_job_id'];
      const last = await until(frames, { type: 'directory_scan_update', scan_job_id: scan, status: 'completed' });
      expect(last).toMatchObject({ files_found: 1, upload_jobs_created: 1, error: null });
      await until(frames, { type: 'bulk_copy_progress', scan_job_id: scan, files_copied: 1 });
    });

    it('tells of uploads in chunks', async () => {
      const { frames } = await plain('/ws/upload');
      const content = Buffer.from(text());
      const body = { filename: 'a.md', total_size: content.length };
      const { upload_id } = (await documents.call<UploadDto>('POST', '/upload/chunked/start', { body })).body;
      const headers = { 'content-type': 'application/octet-stream' };
      await documents.call('POST', `/upload/chunked/${upload_id}/chunk/0`, { body: content.toString(), headers });
      await until(frames, { type: 'upload_progress', upload_id, status: 'receiving', progress_percent: 100 });
      await documents.call('POST', `/upload/chunked/${upload_id}/finalize`);
      await until(frames, { type: 'upload_progress', upload_id, status: 'completed' });
    });

    it('tells Socket.IO clients that watch', async () => {
      const socket = io(`http://127.0.0.1:${app.ports.INGESTION}`, { forceNew: true, transports: ['websocket'] });
      opened.push(socket);
      const frames: Frame[] = [];
      socket.on('ingestion_job_update', (frame: Frame) => frames.push(frame));
      await eventually('it is connected', () => socket.connected, 10_000);
      const silent = await documents.upload([one('unbeobachtet.md')]);
      await documents.ended(silent);
      await socket.timeout(5000).emitWithAck('watch', 'ingestion');
      const job_id = await documents.upload([one('beobachtet.md')]);
      expect(await until(frames, { job_id, status: 'completed' })).toMatchObject({ file_count: 1, processed_files: 1 });
      expect(frames.map((frame) => frame['job_id'])).not.toContain(silent);
    });
  });
});
