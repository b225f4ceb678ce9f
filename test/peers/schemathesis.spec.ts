import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { App } from '../fixtures/app.js';
import { Issuer } from '../fixtures/issuer.js';
import { freePorts } from '../fixtures/processes.js';
import { Jobs } from '../fixtures/jobs.js';
import { root } from '../fixtures/trainer.js';

import.meta.jest.setTimeout(400_000);

const run = promisify(execFile);
const VERSION = '4.32.5';
const SECONDS = 45;
const SEED = '20260801';
const CHECKS = 'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance';

/** No limits, so that as much as possible is asked; the CA runs, so that its routes answer. */
const OPEN = {
  CLARA_RATE_LIMIT_JOBS_PER_MINUTE: '0',
  CLARA_RATE_LIMIT_REQUESTS_PER_MINUTE: '0',
  CLARA_PKI_ENABLED: 'true',
  CLARA_PKI_PASSPHRASE: 'of a certificate authority for tests',
};

async function portBeside(taken: readonly number[]): Promise<number> {
  const [port = 0] = await freePorts(1);
  return taken.includes(port) ? portBeside(taken) : port;
}

/** Installed once, into the cache folder. */
async function schemathesis(): Promise<string> {
  const cache =
    process.env['CLARA_CACHE_DIR'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'clara');
  const folder = join(cache, `schemathesis-${VERSION}`);
  const program = join(folder, 'bin', 'schemathesis');
  if (existsSync(program)) return program;
  await run('python3', ['-m', 'venv', folder]);
  await run(join(folder, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', `schemathesis==${VERSION}`]);
  return program;
}

describe.each(['debug', 'testing', 'development', 'production'])('schemathesis in %s mode', (mode) => {
  let app: App;
  let issuer: Issuer;
  let job: string;
  beforeAll(async () => {
    const folders = { CLARA_CONFIG_DIRS: join(root, 'configs'), CLARA_DATASET_DIRS: join(root, 'data-samples') };
    issuer = await Issuer.start();
    // Mutual TLS ends before HTTP begins: behind a TLS proxy the very same application answers.
    const plain = mode === 'production' ? { CLARA_MTLS_ENABLED: 'false' } : {};
    const env = { CLARA_SECURITY_MODE: mode, ...OPEN, ...plain, ...issuer.env };
    app = await App.prepare({ env: { ...env, ...folders } });
    app.env['CLARA_PKI_PORT'] = String(await portBeside(Object.values(app.ports)));
    await app.launch();
    await app.up();
    if (mode !== 'debug')
      app.token = await issuer.token({ roles: ['admin'], exp: Math.floor(Date.now() / 1000) + 3600 });
    const body = { trainer_type: 'lora', config_path: join(root, 'configs/lora_config.yaml'), tags: ['one'] };
    const created = await app.call<{ job_id: string }>('POST', '/api/training/jobs', { body });
    if (created.status !== 200) throw new Error(`POST answered ${created.status}`);
    job = created.body.job_id;
    await new Jobs(app).until(job, 'completed');
  });
  afterAll(async () => {
    await app.dispose();
    await issuer.stop();
  });

  it('finds no failure of the server and no undocumented answer', async () => {
    const program = await schemathesis();
    const url = `http://127.0.0.1:${app.ports.TRAINING}/openapi.json`;
    const config = ['--config-file', join(root, 'test/peers/schemathesis.toml')];
    const args = [
      ...config,
      'run',
      url,
      '--checks',
      CHECKS,
      '--seed',
      SEED,
      '--max-time',
      String(SECONDS),
      '--no-color',
    ];
    const env = { ...process.env, PYTHONPATH: join(root, 'test/peers'), SCHEMATHESIS_HOOKS: 'schemathesis_hooks' };
    const options = { cwd: app.folder, env, maxBuffer: 64 * 1024 * 1024, timeout: (SECONDS + 90) * 1000 };
    const asked = app.token ? ['--header', `Authorization: Bearer ${app.token}`] : [];
    const outcome = await run(program, [...args, '--continue-on-failure', ...asked], options).catch(
      (error: { stdout?: string; stderr?: string }) => error,
    );
    // The summary of a pass, or all that was found.
    process.stderr.write(`${(outcome.stdout ?? '').slice('code' in outcome ? 0 : -1500)}\n`);
    expect((outcome as { code?: number }).code ?? 0).toBe(0);
    expect(outcome.stdout).toMatch(/\d+ generated/);
    expect(app.output).not.toMatch(/"level":"error"/);
    expect((await app.call('GET', `/api/training/jobs/${job}`)).status).toBe(200);
  });
});
