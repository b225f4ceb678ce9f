import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSecret } from '../../src/config/setting-kinds.js';
import { settingSpecs } from '../../src/config/settings.js';
import { App } from '../fixtures/app.js';
import { Command } from '../fixtures/command.js';
import { Jobs } from '../fixtures/jobs.js';
import { processesOf } from '../fixtures/processes.js';
import { eventually } from '../fixtures/waiting.js';

import.meta.jest.setTimeout(180_000);

const CANARY = 'canary-7f3a9';
const settings = Object.entries(settingSpecs).flatMap(([name, spec]) => (isSecret(spec) ? [name] : []));

/** Secrets by environment variable: one of ours each, and what else an operator's shell may hold. */
const planted: Record<string, string> = {
  ...Object.fromEntries(settings.map((name, index) => [name, `${CANARY}-setting-${index}`])),
  KEYCLOAK_CLIENT_SECRET: `${CANARY}-keycloak`,
  AWS_SECRET_ACCESS_KEY: `${CANARY}-aws`,
  // Keys are of use where these are set.
  CLARA_EMBEDDER: 'http',
  CLARA_EMBEDDING_URL: 'http://127.0.0.1:9/v1',
  CLARA_SERVING_ENGINE: 'vllm',
  CLARA_SERVING_URLS: 'http://127.0.0.1:9',
  CLARA_WRITER_URL: 'http://127.0.0.1:9/v1',
  CLARA_WRITER_MODEL: 'writer',
  DATABASE_URL: `amqp://clara:${CANARY}-url@db/clara`,
};

describe('planted secrets', () => {
  let app: App;
  let jobs: Jobs;
  beforeAll(async () => {
    // The password of a database that is not named is kept, and used by nobody.
    app = await App.start({ env: { ...planted, CLARA_LOG_LEVEL: 'debug' } });
    jobs = new Jobs(app);
  });
  afterAll(() => app.dispose());

  it('are in no environment of a child', async () => {
    const id = await jobs.post({ data: { steps: 60, seconds: 0.5 } });
    await jobs.until(id, 'running');
    const children = await eventually('the worker and PostgreSQL run', async () => {
      const others = (await processesOf(app.folder)).filter(({ pid }) => pid !== app.pid);
      const worker = others.some(({ command }) => command.includes('stand_in'));
      return worker && others.some(({ command }) => command.includes('postgres')) && others;
    });
    expect(await readFile(`/proc/${app.pid}/environ`, 'latin1')).toContain(CANARY);
    for (const { pid, command } of children) {
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
      expect([command, environment.includes(CANARY)]).toEqual([command, false]);
    }
    await app.call('POST', `/api/training/jobs/${id}/cancel`);
    await jobs.until(id, 'cancelled');
  });

  it('are in no answer, no log and no output', async () => {
    const secret = planted[settings[0] ?? ''] ?? '';
    const answers = [
      await app.call('GET', `/api/training/${secret}?access_token=${CANARY}-query`, {
        headers: { authorization: `Bearer ${CANARY}-bearer`, cookie: `session=${CANARY}-cookie` },
      }),
      await app.call('POST', '/api/training/jobs', {
        body: { trainer_type: secret, config_path: 1, tags: [1, `clara_pat_${CANARY}`], priority: `Bearer ${CANARY}` },
      }),
      await app.call('POST', '/api/training/jobs', { body: `{"${secret}` }),
      await app.call('GET', `/api/training/jobs?status=${secret}`),
      await app.call('GET', `/api/training/jobs/${secret}`),
    ];
    for (const { status, body } of answers) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(JSON.stringify(body)).not.toContain(CANARY);
    }
    expect(app.output).toContain('/api/training/***');
    expect(app.output).not.toContain(CANARY);
    for (const file of await readdir(join(app.folder, 'logs')))
      expect(await readFile(join(app.folder, 'logs', file), 'utf8')).not.toContain(CANARY);
  });

  it('are shown neither as settings nor as their problems', async () => {
    const file = join(app.folder, 'secret');
    await writeFile(file, `${CANARY}-file`, { mode: 0o600 });
    const [name = ''] = settings;
    const folders = { CLARA_DATA_DIR: join(app.folder, 'none'), CLARA_SECURITY_MODE: 'debug' };
    const config = (env: Record<string, string>) =>
      Command.run(['scripts/clara.mjs', 'config'], { env: { ...folders, ...env } });
    const shown = config(planted);
    expect((await shown.ended).code).toBe(0);
    expect(shown.output).toMatch(new RegExp(`^${name} +env +\\*\\*\\*$`, 'm'));
    expect(shown.output).not.toContain(CANARY);
    const wrong = config({ [`${name}_FILE`]: file, KEYCLOAK_URL: `http://me:${CANARY}@host`, CLARA_MAIN_PORT: '0x' });
    expect((await wrong.ended).code).toBe(78);
    expect(wrong.output).toMatch(new RegExp(`^${name} +file +\\*\\*\\*$`, 'm'));
    expect(wrong.output).toContain('CLARA_MAIN_PORT: ');
    expect(wrong.output).not.toContain(CANARY);
  });
});
