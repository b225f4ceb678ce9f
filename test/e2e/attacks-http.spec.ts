import { gzipSync } from 'node:zlib';
import type { Problem } from '../fixtures/api-bodies.js';
import { App } from '../fixtures/app.js';
import { Jobs } from '../fixtures/jobs.js';
import { eventually } from '../fixtures/waiting.js';
import { exchange } from '../fixtures/raw-http.js';

import.meta.jest.setTimeout(180_000);

const POST = 'POST /api/training/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
/** What a smuggled request would be answered with. */
const SMUGGLED = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';

describe('misshapen requests', () => {
  let app: App;
  let port: number;
  beforeAll(async () => {
    app = await App.start({ env: { CLARA_MAX_BODY_KB: '64' } });
    port = app.ports.TRAINING;
  });
  afterAll(() => app.dispose());
  afterEach(() => eventually('it answers', async () => (await app.call('GET', '/health')).status === 200, 5000));

  const post = (body: Buffer | string, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${port}/api/training/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    }).then(async (response) => ({ status: response.status, body: (await response.json()) as Problem }));

  describe('that two servers would read differently', () => {
    it.each([
      ['both lengths', `${POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
      [
        'both lengths, the other way',
        `${POST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${SMUGGLED}`,
      ],
      ['two different lengths', `${POST}Content-Length: 0\r\nContent-Length: 44\r\n\r\n${SMUGGLED}`],
      ['a length that is none', `${POST}Content-Length: +0\r\n\r\n${SMUGGLED}`],
      ['a list of lengths', `${POST}Content-Length: 0, 44\r\n\r\n${SMUGGLED}`],
      ['an encoding that only looks like chunked', `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
      ['chunked that is not the last encoding', `${POST}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n${SMUGGLED}`],
      ['a space before the colon', `${POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
      ['a chunk size that is none', `${POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n${SMUGGLED}`],
      ['a negative chunk size', `${POST}Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n${SMUGGLED}`],
      ['a huge chunk size', `${POST}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n\r\n${SMUGGLED}`],
      ['a chunk longer than it says', `${POST}Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n${SMUGGLED}`],
      ['a folded header', `${POST}X-A: 1\r\n folded: yes\r\nContent-Length : 0\r\n\r\n${SMUGGLED}`],
      ['a header with a zero byte', `${POST}X-A: a\0b\r\nContent-Length: 0\r\n\r\n${SMUGGLED}`],
      ['no version', `GET /healthz\r\n\r\n${SMUGGLED}`],
      ['a bare line feed in a header', `${POST}X-A: a\nContent-Length: 44\r\n\r\n`],
    ])('are refused and end the connection: %s', async (_what, sent) => {
      const answer = await exchange(port, sent);
      expect(answer.statuses.filter((status) => status < 400)).toEqual([]);
      expect(answer.closed).toBe(true);
    });

    it('are answered one by one where they are in order', async () => {
      const two = `GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n${SMUGGLED}`;
      const answer = await exchange(port, two, { done: (text) => text.split('HTTP/1.1 200').length > 2 });
      expect(answer.statuses).toEqual([200, 200]);
    });
  });

  describe('that are too much', () => {
    it('a header that never ends is cut off', async () => {
      const answer = await exchange(port, 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ', { ms: 30_000 });
      expect(answer.closed).toBe(true);
      expect(answer.statuses).toEqual([408]);
      expect(answer.ms).toBeLessThan(25_000);
    });

    it('headers beyond 16 KB, beyond 100, and a long address are refused', async () => {
      const large = await exchange(port, `GET /healthz HTTP/1.1\r\nHost: x\r\nX-Big: ${'a'.repeat(20_000)}\r\n\r\n`);
      expect(large.statuses).toEqual([431]);
      const many = Array.from({ length: 150 }, (_, index) => `X-${index}: 1\r\n`).join('');
      const close = 'Connection: close\r\n\r\n';
      expect((await exchange(port, `GET /healthz HTTP/1.1\r\nHost: x\r\n${many}${close}`)).statuses).toEqual([431]);
      const long = await app.call<Problem>('GET', `/${'a'.repeat(5000)}`);
      expect([long.status, long.body.code]).toEqual([414, 'uri_too_long']);
    });

    it('a body beyond the limit is refused, packed or not', async () => {
      expect((await post(`"${'a'.repeat(70_000)}"`)).status).toBe(413);
      const bomb = gzipSync(Buffer.alloc(50_000_000, ' '));
      expect(bomb.length).toBeLessThan(60_000);
      expect((await post(bomb, { 'content-encoding': 'gzip' })).status).toBe(413);
      expect((await post(Buffer.from('no gzip'), { 'content-encoding': 'gzip' })).status).toBe(400);
      expect((await post('{}', { 'content-encoding': 'zstandard' })).status).toBe(415);
    });

    it('JSON that is deep, wrong, or reaches for prototypes is refused', async () => {
      for (const [status, body] of [
        [400, `{"tags":${'['.repeat(30_000)}${']'.repeat(30_000)}}`],
        [400, '{"tags":[],"__proto__":{"trainer_type":"lora"}}'],
        [400, '{"tags":'],
        [400, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
        [422, '{"constructor":{"prototype":{"trainer_type":"lora"}}}'],
        [422, '{"toString":1,"hasOwnProperty":1}'],
      ] as const)
        expect([body, (await post(body)).status]).toEqual([body, status]);
    });

    it('other types and charsets are not read', async () => {
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])
        expect([type, (await post('a=b', { 'content-type': type })).status]).toEqual([type, 415]);
      const wide = Buffer.from('{}', 'utf16le');
      expect((await post(wide, { 'content-type': 'application/json; charset=utf-16' })).status).toBe(415);
    });

    it('calls without a body work with any type', async () => {
      const id = await new Jobs(app).post({ data: { steps: 50, seconds: 0.2 } });
      const headers = { 'content-type': 'application/json' };
      expect((await app.call('POST', `/api/training/jobs/${id}/cancel`, { headers })).status).toBe(200);
      const missing = '/api/training/jobs/00000000-0000-4000-8000-000000000000/cancel';
      for (const type of ['application/json', 'text/plain'])
        expect((await app.call('POST', missing, { headers: { 'content-type': type } })).status).toBe(404);
    });
  });

  it('every answer carries its headers, errors too', async () => {
    for (const path of ['/health', '/api/training/nothing', '/api/training/jobs']) {
      const { headers } = await app.call('GET', path);
      expect(headers.get('permissions-policy')).toContain('camera=()');
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cache-control')).toBe(path.startsWith('/api') ? 'no-store' : null);
    }
  });
});
