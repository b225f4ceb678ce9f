import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { daysFromNow, selfSigned, TestCa, type Pair } from '../../test/fixtures/tls-certificates.js';
import { door, TlsSite } from '../../test/fixtures/tls-site.js';
import { eventually } from '../../test/fixtures/waiting.js';

import.meta.jest.setTimeout(60_000);

const PUBLIC = 1;
const OPTIONAL = 2;

describe('doors with TLS', () => {
  let site: TlsSite;
  let good: Pair;

  beforeAll(async () => {
    site = await TlsSite.open([door('mtls'), door('tls', 'everything', 'main'), door('tls-optional', 'pki', 'pki')]);
    good = await site.authority.issue('ingestion', { use: 'client' });
  });
  afterAll(() => site.close());

  const failure = (reason: string) =>
    eventually(`a failure is counted: ${reason}`, () => site.failures.includes(reason), 15_000);

  it('lets a client of the internal CA in, and knows its certificate', async () => {
    const { status, body, protocol } = await site.get('/x', good);
    expect({ status, protocol }).toEqual({ status: 200, protocol: 'TLSv1.3' });
    expect(body).toMatchObject({ certificate: good.serial, service: 'training' });
    expect((await site.get('/x', { ...good, maxVersion: 'TLSv1.2' })).body).toMatchObject({ certificate: good.serial });
  });

  describe.each(['TLSv1.2', 'TLSv1.3'] as const)('by %s', (version) => {
    const bad: [string, string, () => Promise<Pair | undefined>][] = [
      ['no certificate', 'no_certificate', () => Promise.resolve(undefined)],
      ['a certificate of another CA', 'untrusted', async () => (await TestCa.make('Test')).issue('ingestion')],
      ['a certificate that vouches for itself', 'untrusted', () => selfSigned('ingestion')],
      ['an expired certificate', 'expired', () => issued({ notBefore: daysFromNow(-9), notAfter: daysFromNow(-1) })],
      ['a certificate that is not valid yet', 'not_yet_valid', () => issued({ notBefore: daysFromNow(1) })],
      ['the certificate of a server', 'wrong_purpose', () => issued({ use: 'server' })],
      [
        'a revoked certificate',
        'revoked',
        async () => {
          const pair = await issued({ use: 'client' });
          await site.identity.revoke(pair.serial);
          return pair;
        },
      ],
    ];
    const issued = (wish: Parameters<TestCa['issue']>[1]) => site.authority.issue('ingestion', wish);
    const options = { minVersion: version, maxVersion: version } as const;

    it.each(bad)('a door for services refuses %s', async (_, reason, make) => {
      const pair = await make();
      site.failures.length = 0;
      await expect(site.get('/x', { ...pair, ...options })).rejects.toThrow();
      await failure(reason);
    });

    it.each(bad)('a door where it is optional takes %s as none', async (_, _reason, make) => {
      const { status, body } = await site.get('/health', { ...(await make()), ...options }, OPTIONAL);
      expect({ status, body }).toMatchObject({ status: 200, body: { certificate: null, service: 'pki' } });
    });
  });

  it('where a certificate is optional, a good one is known', async () => {
    expect((await site.get('/health', good, OPTIONAL)).body).toMatchObject({ certificate: good.serial });
    expect((await site.get('/api/v1/info', {}, OPTIONAL)).status).toBe(200);
    expect((await site.get('/api/training/jobs', good, OPTIONAL)).status).toBe(404);
  });

  it('people enter without a certificate, and are told to come by TLS only', async () => {
    const { status, body, headers } = await site.get('/x', {}, PUBLIC);
    expect({ status, certificate: body['certificate'] }).toEqual({ status: 200, certificate: null });
    expect(headers['strict-transport-security']).toBe('max-age=31536000');
    expect((await site.get('/x', good)).headers['strict-transport-security']).toBeUndefined();
  });

  it.each([
    ['TLS 1.1', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }, 'protocol'],
    ['a cipher without forward secrecy', { maxVersion: 'TLSv1.2', ciphers: 'AES256-GCM-SHA384' }, 'protocol'],
    ['CBC', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA384' }, 'protocol'],
    ['HTTP/2 alone', { ALPNProtocols: ['h2'] }, 'protocol'],
  ] as [string, ConnectionOptions, string][])('refuses %s', async (_, options, reason) => {
    site.failures.length = 0;
    await expect(site.get('/x', { ...options, ...good })).rejects.toThrow();
    await failure(reason);
  });

  it('closes plain HTTP, and answers nothing to it', async () => {
    site.failures.length = 0;
    const socket = connect(site.port(), '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'));
    const read: Buffer[] = [];
    socket.on('data', (part) => read.push(part));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(Buffer.concat(read).toString()).not.toContain('HTTP/1.1 200');
    await failure('plain_http');
  });

  it('does not renegotiate', async () => {
    const socket = await handshake({ port: site.port(PUBLIC), ca: site.authority.ca, maxVersion: 'TLSv1.2' });
    const refused = await new Promise((resolve) => {
      socket.on('error', () => resolve(true));
      socket.renegotiate({}, (error) => resolve(error !== null));
    });
    expect(refused).toBe(true);
    socket.destroy();
  });

  it('refuses headers that are too large', async () => {
    const { status } = await site.get('/x', { ...good, headers: { 'x-large': 'x'.repeat(17_000) } });
    expect(status).toBe(431);
  });

  it('a crowd that never shakes hands keeps nobody out', async () => {
    const crowd = Array.from({ length: 200 }, () => connect(site.port(), '127.0.0.1'));
    await Promise.all(crowd.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    const started = Date.now();
    await expect(site.get('/x', good)).resolves.toMatchObject({ status: 200 });
    expect(Date.now() - started).toBeLessThan(5000);
    for (const socket of crowd) socket.destroy();
  });

  it('serves curl with a certificate, and not without', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'clara-tls-'));
    const files = await site.authority.write(folder, good);
    const url = `https://localhost:${site.port()}/x`;
    const withIt = await curl('-sS', '--cacert', files.ca, '--cert', files.cert, '--key', files.key, url);
    expect(withIt).toMatchObject({ code: 0, output: expect.stringContaining(good.serial) });
    expect((await curl('-sS', '--cacert', files.ca, url)).code).not.toBe(0);
    await rm(folder, { recursive: true });
  });
});

it('a request that offers another protocol is served over TLS as well', async () => {
  const site = await TlsSite.open([door('mtls')]);
  const pair = await site.authority.issue('java', { use: 'client' });
  const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQAAP__' };
  const { status, body } = await site.get('/x', { ...pair, headers });
  expect({ status, body }).toMatchObject({ status: 200, body: { certificate: pair.serial, url: '/x' } });
  await site.close();
});

it('who never finishes the handshake does not hold up the end', async () => {
  const site = await TlsSite.open([door('mtls')]);
  const silent = connect(site.port(), '127.0.0.1');
  const closed = new Promise((resolve) => silent.once('close', resolve));
  await new Promise((resolve) => silent.once('connect', resolve));
  await new Promise((resolve) => silent.write(Buffer.from([0x16, 0x03, 0x01, 0x02]), resolve));
  const started = Date.now();
  await site.close();
  await closed;
  expect(Date.now() - started).toBeLessThan(8000);
});

function handshake(options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: '127.0.0.1', ...options }, () => resolve(socket)).once('error', reject);
  });
}

function curl(...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile('curl', args, { timeout: 20_000 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, output: stdout + stderr }),
    );
  });
}
