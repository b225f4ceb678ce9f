import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Office, service } from '../fixtures/pki-office.js';

import.meta.jest.setTimeout(180_000);

const run = promisify(execFile);

describe('the certificate authority of the built application', () => {
  let office: Office;

  beforeAll(async () => {
    office = await Office.prepare({ CLARA_PKI_ENABLED: 'true', CLARA_SECURITY_MODE: 'debug' });
    await office.app.launch();
    await office.app.up();
    await office.trust();
  });
  afterAll(() => office.app.dispose());

  const openssl = async (...args: string[]): Promise<string> => {
    const { stdout, stderr } = await run('openssl', args).catch((error: { stdout: string; stderr: string }) => error);
    return stdout + stderr;
  };

  async function verify(file: string): Promise<string> {
    await writeFile(office.path('crl.pem'), (await office.ask('crl/full/pem')).bytes);
    const trust = ['-CAfile', office.path('root.pem'), '-untrusted', office.path('chain.pem')];
    return openssl(
      'verify',
      '-x509_strict',
      '-crl_check_all',
      '-CRLfile',
      office.path('crl.pem'),
      ...trust,
      office.path(file),
    );
  }

  it('is healthy, and says who it is', async () => {
    expect((await office.ask('/health')).body).toMatchObject({
      status: 'healthy',
      service: 'clara_pki_backend',
      timestamp: expect.any(String),
      version: expect.any(String),
    });
    expect((await office.ask('info')).body).toMatchObject({
      success: true,
      data: { root: { subject: expect.stringContaining('CLARA Root CA') } },
    });
  });

  it.each([
    ['EC P-384', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384']],
    ['RSA 2048', ['-newkey', 'rsa:2048']],
    ['Ed25519', ['-newkey', 'ed25519']],
  ])('signs a request with %s, under the names of the token alone', async (kind, key) => {
    const name = `svc-${kind.toLowerCase().replaceAll(/\W/g, '-')}`;
    const { csr } = await office.csr(name, key);
    const { status, body } = await office.enrol(name, csr, await office.token(name), { validity_days: 10 });
    expect({ status, body }).toMatchObject({ status: 200, body: { success: true, data: { service_id: name } } });
    await writeFile(office.path(`${name}.pem`), body.data['certificate'] ?? '');
    expect(await verify(`${name}.pem`)).toContain('OK');
    const text = await openssl(
      'x509',
      '-in',
      office.path(`${name}.pem`),
      '-noout',
      '-subject',
      '-ext',
      'subjectAltName',
    );
    expect(text).toContain('CN = Test service');
    expect(text).not.toContain('Evil');
    expect(text).toContain('DNS:localhost, IP Address:127.0.0.1');
    expect(Date.parse(body.data['expires_at'] ?? '') - Date.now()).toBeLessThanOrEqual(10 * 86_400_000);
  });

  it('takes an enrolment token once, also when it comes five times at once', async () => {
    const { csr } = await office.csr('once');
    const token = await office.token('once');
    const replies = await Promise.all([1, 2, 3, 4, 5].map(() => office.enrol('once', csr, token)));
    expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401, 401, 401, 401]);
  });

  it('refuses other names than the token allows, and spends nothing on it', async () => {
    const { csr } = await office.csr('names');
    const token = await office.token('names');
    for (const other of [
      { service_id: 'others' },
      { common_name: 'Other' },
      { san_dns: ['other.test'] },
      { san_ip: ['10.0.0.1'] },
    ])
      expect((await office.enrol('names', csr, token, other)).status).toBe(403);
    expect((await office.enrol('names', csr, token)).status).toBe(200);
  });

  it('refuses without a token, with a revoked one, and weak or borrowed keys', async () => {
    const { csr } = await office.csr('refused');
    expect((await office.enrol('refused', csr, '')).status).toBe(401);
    expect((await office.enrol('refused', csr, `clara_enrol_${'x'.repeat(43)}`)).status).toBe(401);
    const token = await office.token('refused');
    const weak = await office.csr('weak', ['-newkey', 'rsa:1024']);
    expect((await office.enrol('refused', weak.csr, token)).body.detail).toContain('1024 bits');
    const curve = await office.csr('curve', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1']);
    expect((await office.enrol('refused', curve.csr, token)).body.detail).toContain('secp256k1');
    const der = Buffer.from(csr.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
    der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1);
    const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----`;
    expect((await office.enrol('refused', forged, token)).body.detail).toContain('its signature was not made');
    expect((await office.enrol('refused', 'nonsense', token)).status).toBe(422);
    const { body } = await office.ask('enrolment-tokens');
    const made = (body.data as Record<string, unknown>[]).find(({ service_id }) => service_id === 'refused');
    expect(JSON.stringify(body)).not.toContain('token_hash');
    expect((await office.ask(`enrolment-tokens/${String(made?.['token_id'])}`, { method: 'DELETE' })).status).toBe(200);
    expect((await office.enrol('refused', csr, token)).status).toBe(401);
  });

  it('lists and hands out certificates, and never a key', async () => {
    const { serial } = await service(office, 'listed');
    const { body } = await office.ask('certificates/listed');
    expect(Object.keys(body.data)).toEqual([
      'certificate_id',
      'service_id',
      'common_name',
      'serial_number',
      'fingerprint',
      'not_before',
      'not_after',
      'status',
      'san_dns',
      'san_ip',
      'issuer',
      'days_until_expiry',
    ]);
    expect(body.data).toMatchObject({ serial_number: serial, status: 'active', days_until_expiry: 364 });
    expect((await office.ask('certificates/listed/download')).bytes.toString()).toContain('BEGIN CERTIFICATE');
    expect((await office.ask('certificates/listed/download?file_type=key')).status).toBe(404);
    expect((await office.ask('certificates/nobody')).status).toBe(404);
  });

  it('revokes with a reason; OpenSSL hears of it by CRL and by OCSP', async () => {
    const { serial } = await service(office, 'leaving');
    const ocsp = async (): Promise<string> => {
      const [asked, answered] = [office.path('ocsp.req'), office.path('ocsp.resp')];
      const who = ['-issuer', office.path('chain.pem'), '-cert', office.path('leaving.pem')];
      await run('openssl', ['ocsp', ...who, '-reqout', asked]);
      const reply = await office.ask('ocsp', {
        method: 'POST',
        body: await readFile(asked),
        headers: { 'content-type': 'application/ocsp-request' },
      });
      expect([reply.status, reply.type]).toEqual([200, 'application/ocsp-response']);
      await writeFile(answered, reply.bytes);
      const byGet = await office.ask(`ocsp/${encodeURIComponent((await readFile(asked)).toString('base64'))}`);
      expect(byGet.bytes.length).toBeGreaterThan(200);
      return openssl(
        'ocsp',
        ...who,
        '-no_nonce',
        '-respin',
        answered,
        '-CAfile',
        office.path('root.pem'),
        '-verify_other',
        office.path('chain.pem'),
      );
    };
    expect(await verify('leaving.pem')).toContain('OK');
    expect(await ocsp()).toMatch(/leaving.pem: good.*Response verify OK/s);
    expect(
      (await office.ask('certificates/leaving/revoke', { method: 'DELETE', body: { reason: 'boredom' } })).status,
    ).toBe(422);
    const reply = await office.ask('certificates/leaving/revoke', {
      method: 'DELETE',
      body: { reason: 'key_compromise' },
    });
    expect(reply.body.data).toMatchObject({ reason: 'keyCompromise', serial_numbers: [serial] });
    expect(await verify('leaving.pem')).toContain('certificate revoked');
    expect(await ocsp()).toMatch(/leaving.pem: revoked.*keyCompromise.*Response verify OK/s);
    expect((await office.ask('certificates/nobody/revoke', { method: 'DELETE', body: {} })).status).toBe(404);
    expect((await office.ask(`ocsp/check/${serial}`)).body.data).toMatchObject({
      status: 'revoked',
      reason: 'keyCompromise',
    });
  });

  it('does by `openssl ocsp` what clients do, with a nonce', async () => {
    await service(office, 'asker');
    const who = [
      '-issuer',
      office.path('chain.pem'),
      '-cert',
      office.path('asker.pem'),
      '-CAfile',
      office.path('root.pem'),
    ];
    const url = `http://127.0.0.1:${office.app.ports.MAIN}/api/v1/ocsp`;
    const text = await openssl('ocsp', ...who, '-verify_other', office.path('chain.pem'), '-url', url, '-nonce');
    expect(text).toMatch(/asker.pem: good.*GMT\nResponse verify OK/s);
    expect(text).not.toContain('no nonce');
    const garbage = await office.ask('ocsp', {
      method: 'POST',
      body: Buffer.from('garbage'),
      headers: { 'content-type': 'application/ocsp-request' },
    });
    expect(garbage.bytes.toString('hex')).toBe('30030a0101');
  });

  it('publishes CRLs in DER and PEM, and says that there is no delta', async () => {
    for (const path of ['crl', 'crl/full', 'crl/root']) {
      const { type, bytes } = await office.ask(path);
      expect([type, bytes[0]]).toEqual(['application/pkix-crl', 0x30]);
    }
    expect((await office.ask('crl/full/pem')).bytes.toString()).toMatch(/^-----BEGIN X509 CRL-----/);
    expect((await office.ask('crl/delta')).status).toBe(404);
    const before = Number((await office.ask('crl/status')).body.data['crl_number']);
    await office.ask('crl/regenerate', { method: 'POST' });
    expect((await office.ask('crl/info')).body.data).toMatchObject([{ issuer: 'root' }, { crl_number: before + 1 }]);
    expect((await office.ask('crl/stop', { method: 'POST' })).status).toBe(409);
  });

  it('revokes without a body, for no reason given', async () => {
    await service(office, 'bodiless');
    const { status, body } = await office.ask('certificates/bodiless/revoke', { method: 'DELETE' });
    expect({ status, reason: body.data['reason'] }).toEqual({ status: 200, reason: 'unspecified' });
    expect((await office.ask('certificates/bodiless')).body.data).toMatchObject({ status: 'revoked' });
  });

  it('knows services, once each', async () => {
    const body = {
      service_id: 'known',
      service_name: 'Known service',
      endpoints: ['https://localhost:1'],
      metadata: { room: 1 },
    };
    expect((await office.ask('services/register', { method: 'POST', body })).status).toBe(200);
    expect((await office.ask('services/register', { method: 'POST', body })).status).toBe(409);
    expect((await office.ask('services/known')).body.data).toMatchObject(body);
    expect((await office.ask('services/nobody')).status).toBe(404);
  });

  it('renews with another key', async () => {
    const { serial } = await service(office, 'renewed');
    const { csr } = await office.csr('renewed');
    const { status, body } = await office.ask('certificates/renewed/renew', {
      method: 'POST',
      body: { csr, validity_days: 20 },
    });
    expect({ status, same: body.data['serial_number'] === serial }).toEqual({ status: 200, same: false });
    await writeFile(office.path('renewed.pem'), body.data['certificate'] ?? '');
    expect(await verify('renewed.pem')).toContain('OK');
    expect((await office.ask('auto-renewal/certificates?days=25')).body.data).toContainEqual(
      expect.objectContaining({ service_id: 'renewed' }),
    );
    expect((await office.ask('auto-renewal/force-check', { method: 'POST' })).body.data).toMatchObject({
      enabled: true,
    });
  });
});
