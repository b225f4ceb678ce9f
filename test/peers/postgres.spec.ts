import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { AuditVerifyDto } from '../../src/modules/audit/audit.dto.js';
import { App } from '../fixtures/app.js';
import { Jobs, oneTo } from '../fixtures/jobs.js';
import { root } from '../fixtures/trainer.js';
import { eventually } from '../fixtures/waiting.js';
import { OutsidePostgres } from './outside-postgres.js';

import.meta.jest.setTimeout(600_000);

/** Suites about the schema and the queue; those about the embedded server have nothing to say here. */
const SUITES = 'test/medium/(training-|migrations|postgres-session|audit-)';

describe('an outside PostgreSQL, over TCP and with a password', () => {
  let postgres: OutsidePostgres;

  beforeAll(async () => {
    postgres = await OutsidePostgres.start();
  });
  afterAll(() => postgres.dispose());

  it('passes the medium suite', async () => {
    const jest = join(root, 'node_modules/jest/bin/jest.js');
    const args = [
      '--experimental-vm-modules',
      jest,
      '--selectProjects',
      'medium',
      '--maxWorkers',
      '1',
      '--testPathPatterns',
      SUITES,
    ];
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, ...postgres.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (output += part.toString()));
    const [code] = (await once(child, 'close')) as [number];
    if (code !== 0) throw new Error(output);
    expect(output).toMatch(/Tests: .* passed/);
  });

  it('serves the application, which outlives its restart and its death', async () => {
    const app = await App.start({ env: postgres.env });
    try {
      const jobs = new Jobs(app);
      const id = await jobs.post({ data: { steps: 60, seconds: 0.1 } });
      for (const [step, signal] of [
        [5, 'SIGINT'],
        [25, 'SIGKILL'],
      ] as const) {
        await jobs.when(id, 'trains', (job) => job.current_step > step);
        await postgres.down(signal);
        expect((await app.call('GET', '/health')).status).toBe(503);
        await postgres.up();
        await eventually('it is served again', async () => (await app.call('GET', '/health')).status === 200);
      }
      await jobs.until(id, 'completed');
      const steps = (await jobs.events(id)).filter(({ type }) => type === 'progress').map(({ step }) => step);
      expect(steps).toEqual(oneTo(60));
      expect((await jobs.get(id)).attempt).toBe(1);
    } finally {
      await app.dispose();
    }
  });

  it.each([
    ['two roles', () => postgres.env, []],
    ['one role', () => postgres.envOfOneRole, ['role_owns_trail']],
  ])('keeps an audit trail with %s, and says what that is worth', async (_, env, kinds) => {
    const app = await App.start({ env: { ...env(), CLARA_AUDIT_ENABLED: 'true', CLARA_AUDIT_HEAD_SECONDS: '1' } });
    try {
      const verified = async () => {
        const { body } = await app.call<AuditVerifyDto>('GET', '/api/audit/verify?fresh=true');
        return body.findings.every(({ kind }) => kind !== 'head_file_missing') && body;
      };
      const body = await eventually('a head is signed', verified);
      expect(body).toMatchObject({ ok: true });
      // The other start had keys of its own.
      expect(body.findings.map(({ kind }) => kind).filter((kind) => kind !== 'other_key')).toEqual(kinds);
      expect(app.output.includes('ONE DATABASE USER')).toBe(kinds.length > 0);
    } finally {
      await app.dispose();
    }
  });

  it.each([
    ['UDS3_POSTGRES_OWNER_PASSWORD', 'wrong', /password authentication failed for user "clara"/],
    ['UDS3_POSTGRES_PASSWORD', 'wrong', /password authentication failed/],
    ['UDS3_POSTGRES_PORT', '1', /ECONNREFUSED|connect/],
    ['UDS3_POSTGRES_DATABASE', 'absent', /"absent" does not exist/],
  ])('is complained about when %s is %s', async (name, value, words) => {
    const app = await App.prepare({ env: { ...postgres.env, [name]: value } });
    await app.launch();
    expect((await app.exited()).code).toBe(1);
    expect(app.output).toMatch(words);
    expect(app.output).not.toContain(postgres.connection.password);
    await app.dispose();
  });
});
