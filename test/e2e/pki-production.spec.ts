import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { Office } from '../fixtures/pki-office.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(180_000);

const STARTED_MS = 90_000;

describe('the application in production, with certificates of its own', () => {
  let office: Office;

  beforeAll(async () => {
    office = await Office.prepare({ CLARA_SECURITY_MODE: 'production' });
    await office.app.launch();
    await eventually('the probes answer', () => isUp(), STARTED_MS);
    await office.trust();
  });
  afterAll(() => office.app.dispose());

  const isUp = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${office.probePort}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );

  it('shows them at its doors, and asks for one of the same CA', async () => {
    const socket = connect({ host: '127.0.0.1', port: office.publicPort, ca: office.ca, servername: 'localhost' });
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    expect(socket.authorized).toBe(true);
    socket.destroy();
    await expect(office.ask('/health')).resolves.toMatchObject({ status: 200 });
  });

  it('is administered from a shell while it runs, and shuts out who was revoked within a minute', async () => {
    expect(await office.clara('pki', 'info')).toContain('CLARA Intermediate CA');
    const [made] = JSON.parse(
      await office.clara(
        'pki',
        'enrol-token',
        'create',
        'ingestion',
        '--cn',
        'Test service',
        '--dns',
        'localhost',
        '--ip',
        '127.0.0.1',
        '--json',
      ),
    ) as { token: string }[];
    const { key, csr } = await office.csr('ingestion');
    const { body } = await office.enrol('ingestion', csr, made?.token ?? '');
    const pair = { key, cert: `${body.data['certificate'] ?? ''}\n${body.data['chain'] ?? ''}` };
    const enter = () => office.ask('/health', { pair }, false, office.app.ports.TRAINING);
    expect((await enter()).status).toBe(200);
    expect(await office.clara('pki', 'list')).toMatch(/ingestion +active/);
    await office.clara('pki', 'revoke', 'ingestion', '--reason', 'keyCompromise');
    const isOut = () =>
      enter().then(
        () => false,
        () => true,
      );
    await eventually('it is shut out', isOut, 60_000);
    expect(await office.clara('pki', 'crl')).toContain('BEGIN X509 CRL');
  });

  it('makes, renews and checks certificates from a shell, and writes over no key', async () => {
    const out = office.path('made');
    await office.clara('pki', 'issue', 'shell-made', '--dns', 'localhost', '--out', out);
    expect((await stat(join(out, 'shell-made.key'))).mode & 0o777).toBe(0o600);
    expect(await office.clara('pki', 'verify', join(out, 'shell-made.pem'))).toContain('valid');
    await expect(office.clara('pki', 'renew', 'shell-made', '--out', out)).rejects.toThrow('is not written over');
    const { csr } = await office.csr('shell-made');
    await writeFile(office.path('shell-made.csr'), csr);
    expect(await office.clara('pki', 'sign', office.path('shell-made.csr'), '--service', 'shell-made')).toContain(
      'BEGIN CERTIFICATE',
    );
    await office.clara('pki', 'revoke', 'shell-made');
    const said = await office
      .clara('pki', 'verify', join(out, 'shell-made.pem'))
      .catch((error: { stdout: string }) => error.stdout);
    expect(said).toContain('revoked (unspecified)');
  });

  it('gives its root key away, encrypted, and takes it back', async () => {
    const file = office.path('root-key.json');
    await office.clara('pki', 'ca', 'take-root-key', file);
    await expect(office.clara('pki', 'crl')).rejects.toThrow('it is kept elsewhere');
    expect(await readFile(file, 'utf8')).not.toContain('PRIVATE');
    await office.clara('pki', 'ca', 'put-root-key', file);
    expect(await office.clara('pki', 'crl')).toContain('BEGIN X509 CRL');
  });

  it('does not start with another passphrase, and says which setting it is', async () => {
    await office.app.kill('SIGTERM');
    office.app.env['CLARA_PKI_PASSPHRASE'] = 'some other passphrase';
    await office.app.launch();
    expect(await office.app.exited()).toMatchObject({ code: 1 });
    expect(office.app.output).toContain('CLARA_PKI_PASSPHRASE does not open the key');
    expect(office.app.output).not.toContain('some other passphrase');
    office.app.env['CLARA_PKI_PASSPHRASE'] = '';
    await office.app.launch();
    expect(await office.app.exited()).toMatchObject({ code: 78 });
    expect(office.app.output).toContain('openssl rand -base64 32');
  });
});
