import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { App } from '../fixtures/app.js';
import { freePorts } from '../fixtures/processes.js';
import { daysFromNow, TestCa, type Pair } from '../fixtures/tls-certificates.js';
import { getOverTls, type Answer } from '../fixtures/tls-site.js';
import { root } from '../fixtures/trainer.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(180_000);

const STARTED_MS = 90_000;
const execute = promisify(execFile);

describe('the application in production, with the certificate of an outside CA', () => {
  let app: App;
  let authority: TestCa;
  let client: Pair;
  let publicPort: number;
  let probePort: number;

  beforeAll(async () => {
    authority = await TestCa.make('Office');
    client = await authority.issue('ingestion', { use: 'client' });
    app = await production(await authority.issue('clara', { notAfter: daysFromNow(10.5) }));
    await app.launch();
    await eventually('the probes answer', async () => (await probe('/healthz'))?.status === 200, STARTED_MS);
  });
  afterAll(() => app.dispose());

  async function production(own: Pair): Promise<App> {
    const ports = await freePorts(2);
    [publicPort = 0, probePort = 0] = ports;
    const made = await App.prepare({
      env: {
        CLARA_SECURITY_MODE: 'production',
        CLARA_PUBLIC_PORT: String(publicPort),
        CLARA_PROBE_PORT: String(probePort),
      },
    });
    const files = await authority.write(join(made.folder, 'tls'), own);
    Object.assign(made.env, {
      SERVICE_CERT_PATH: files.cert,
      SERVICE_KEY_PATH: files.key,
      CA_CERT_PATH: files.ca,
    });
    return made;
  }

  const probe = (path: string) => fetch(`http://127.0.0.1:${probePort}${path}`).catch(() => undefined);
  const call = (port: number, path: string, pair?: Pair): Promise<Answer> =>
    getOverTls({ agent: false, ca: authority.ca, port, path, ...pair });

  it('lets services in by their certificate, at every service port, and nobody without', async () => {
    for (const name of ['MAIN', 'INGESTION', 'TRAINING', 'DATASET', 'SERVING'] as const) {
      const { status, body } = await call(app.ports[name], '/health', client);
      expect({ status, body }).toMatchObject({ status: 200, body: { service: `clara_${name.toLowerCase()}_backend` } });
      await expect(call(app.ports[name], '/health')).rejects.toThrow();
      await expect(fetch(`http://127.0.0.1:${app.ports[name]}/health`)).rejects.toThrow();
    }
    const stranger = await (await TestCa.make('Office')).issue('ingestion', { use: 'client' });
    await expect(call(app.ports.TRAINING, '/health', stranger)).rejects.toThrow();
  });

  it('lets people in without one', async () => {
    const { status, body, headers } = await call(publicPort, '/health');
    expect({ status, body }).toMatchObject({ status: 200, body: { service: 'clara_main_backend', port: publicPort } });
    expect(headers['strict-transport-security']).toBeDefined();
  });

  it('says at the probes how long its certificate lasts, and nothing else', async () => {
    const answer = await probe('/readyz');
    expect(answer?.status).toBe(200);
    expect(await answer?.json()).toMatchObject({
      status: 'degraded',
      details: { certificate: { status: 'up', days_left: 10, serial: expect.stringMatching(/^[0-9a-f]+$/) } },
    });
    for (const path of ['/', '/health', '/metrics', '/docs', '/api/training/jobs'])
      expect((await probe(path))?.status).toBe(404);
  });

  it('counts what failed, on a metrics port for Prometheus alone', async () => {
    await expect(call(app.ports.TRAINING, '/health')).rejects.toThrow();
    const page = await (await fetch(`http://127.0.0.1:${app.ports.METRICS}/`)).text();
    expect(page).toMatch(/^tls_handshake_failures_total\{reason="no_certificate"\} [1-9]/m);
    const end = Number(/^tls_certificate_expiry_timestamp_seconds (\S+)/m.exec(page)?.[1]);
    expect(end).toBeCloseTo(daysFromNow(10.5).getTime() / 1000, -4);
    expect((await fetch(`http://127.0.0.1:${app.ports.METRICS}/api/training/jobs`)).status).toBe(404);
  });

  it('is healthy to its container', async () => {
    const env = {
      ...process.env,
      CLARA_PROBE_PORT: String(probePort),
      CLARA_TRAINING_PORT: String(app.ports.TRAINING),
    };
    const check = () => execute(process.execPath, [join(root, 'scripts/healthcheck.mjs')], { env });
    await expect(check()).resolves.toBeDefined();
  });

  it('shows no key in what it prints', async () => {
    const key = await readFile(join(app.folder, 'tls', 'key.pem'), 'utf8');
    expect(app.output).not.toContain(key.split('\n')[1]);
    expect(app.output).not.toContain('PRIVATE KEY');
  });

  it('ends on SIGTERM in time, whatever hangs at its doors', async () => {
    const raw = connect(app.ports.TRAINING, '127.0.0.1').on('error', () => undefined);
    const silent = connectTls({ port: app.ports.TRAINING, ca: authority.ca, ...client }).on('error', () => undefined);
    await Promise.all([once(raw, 'connect'), once(silent, 'secureConnect')]);
    const gone = Promise.all([once(raw, 'close'), once(silent, 'close')]);
    expect(await app.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    await gone;
  });

  it('never falls back to plain HTTP: a key that does not fit ends the start, an ended certificate is not ready', async () => {
    const wrong = await production(
      await authority.issue('clara', { notBefore: daysFromNow(-9), notAfter: daysFromNow(-1) }),
    );
    const file = join(wrong.folder, 'tls', 'key.pem');
    const key = await readFile(file);
    try {
      await writeFile(file, (await authority.issue('other')).key);
      await wrong.launch();
      expect(await wrong.exited()).toEqual({ code: 1, signal: null });
      expect(wrong.output).toContain(
        `SERVICE_KEY_PATH: ${file} is not the key of the certificate in SERVICE_CERT_PATH`,
      );

      await writeFile(file, key);
      await wrong.launch();
      const ready = await eventually('the probes answer', () => probe('/readyz'), STARTED_MS);
      expect(ready.status).toBe(503);
      await expect(call(wrong.ports.TRAINING, '/health', client)).rejects.toThrow('expired');
      await expect(fetch(`http://127.0.0.1:${wrong.ports.TRAINING}/health`)).rejects.toThrow();
    } finally {
      await wrong.dispose();
    }
  });
});
